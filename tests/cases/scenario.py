"""What a scenario file says: a flow, its inputs, and what must be seen on every backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from upwell._author.task import Task
from upwell._core.model import ActionRecord, RunRecord


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run of the flow gave."""

    run: RunRecord
    actions: list[ActionRecord]
    value: Any
    error: Exception | None

    def of(self, task: Task[..., Any]) -> list[ActionRecord]:
        """Return the actions of a task."""
        return [action for action in self.actions if action.spec.task.name == task.name]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A flow and what must come of it.

    Attributes:
        task: The root task.
        inputs: Its inputs by name.
        value: What it must return; ignored where `error` is given.
        error: Class name of the error that it must end with, or None.
        code: `code` of that error.
        message: Part of that error's message.
        check: Looks at whatever else must hold.
        options: Options of `with_runcontext`.
    """

    task: Task[..., Any]
    inputs: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    error: str | None = None
    code: str | None = None
    message: str = ""
    check: Callable[[Observed], None] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def verify(self, observed: Observed) -> None:
        """Compare what was seen with what must be."""
        if self.error is None:
            assert observed.error is None, f"{observed.error!r}"
            assert observed.value == self.value
        else:
            assert type(observed.error).__name__ == self.error
            assert self.code is None or getattr(observed.error, "code", None) == self.code
            assert self.message in str(observed.error)
        if self.check is not None:
            self.check(observed)
