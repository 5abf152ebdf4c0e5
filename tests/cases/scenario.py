"""What a scenario file says: a flow, its inputs, and what must be seen on every backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import ANY

from upwell._author.task import Task
from upwell._core.log_lines import LogLine
from upwell._core.model import ActionRecord, RunRecord

NOTES = "notes.txt"
ANYTHING: Any = ANY
"""The value of a scenario whose `check` looks at it."""


def note(folder: str, text: str) -> None:
    """Leave a side effect: append a line to a file of the run's folder, from whatever process."""
    with (Path(folder) / NOTES).open("a") as notes:
        notes.write(f"{text}\n")


def in_folder(folder: Path) -> dict[str, Any]:
    """Return the inputs of a flow that takes the folder for its side effects and nothing else."""
    return {"folder": str(folder)}


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run of the flow gave.

    Attributes:
        backend: `local`, `moto` or `sandbox`.
        folder: The run's own folder.
        run: The run's record.
        actions: Every action of the run.
        value: What the root task returned.
        error: What awaiting the root task would have raised.
        printed: What was printed in this process.
        lines: What tasks printed and logged, in any process.
    """

    backend: str
    folder: Path
    run: RunRecord
    actions: list[ActionRecord]
    value: Any
    error: Exception | None
    printed: str = ""
    lines: Sequence[LogLine] = ()

    def of(self, task: Task[..., Any]) -> list[ActionRecord]:
        """Return the actions of a task."""
        return [action for action in self.actions if action.spec.task.name == task.name]

    def ends(self, task: Task[..., Any]) -> list[list[str]]:
        """Return how the attempts of a task's actions ended, action by action, in the order of their start."""
        actions = sorted(self.of(task), key=lambda action: action.started_at or action.created_at)
        return [[attempt.end for attempt in action.attempts] for action in actions]

    def kinds(self, task: Task[..., Any]) -> set[str]:
        """Return the kinds of the executors that ran a task."""
        return {attempt.executor.kind for action in self.of(task) for attempt in action.attempts}

    def kind(self, *, reusable: bool) -> str:
        """Return the kind of executor that this backend has for an environment."""
        if self.backend == "sandbox":
            return "worker" if reusable else "lambda"
        return {"local": "local", "moto": "worker"}[self.backend]

    @property
    def notes(self) -> list[str]:
        """The lines that tasks noted, in the order of writing."""
        file = self.folder / NOTES
        return file.read_text().splitlines() if file.exists() else []


@dataclass(frozen=True, slots=True)
class Scenario:
    """A flow and what must come of it.

    Attributes:
        task: The root task.
        inputs: Its inputs by name, or what makes them of the run's own folder.
        value: What it must return; ignored where `error` is given.
        error: Class name of the error that it must end with, or None.
        code: `code` of that error.
        message: Part of that error's message.
        check: Looks at whatever else must hold.
        options: Options of `with_runcontext`.
        prints: Lines that must be printed, where tasks run in this process.
    """

    task: Task[..., Any]
    inputs: dict[str, Any] | Callable[[Path], dict[str, Any]] = field(default_factory=dict)
    value: Any = None
    error: str | None = None
    code: str | None = None
    message: str = ""
    check: Callable[[Observed], None] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    prints: tuple[str, ...] = ()

    def inputs_in(self, folder: Path) -> dict[str, Any]:
        """Return the inputs of a run that has this folder."""
        return self.inputs(folder) if callable(self.inputs) else self.inputs

    def verify(self, observed: Observed) -> None:
        """Compare what was seen with what must be."""
        if self.error is None:
            assert observed.error is None, f"{observed.error!r}"
            assert observed.value == self.value
        else:
            assert type(observed.error).__name__ == self.error, f"{observed.error!r}"
            assert self.code is None or getattr(observed.error, "code", None) == self.code
            assert self.message in str(observed.error)
        if observed.backend != "sandbox":
            # Not by lines: Python writes a text and its end apart, and threads that print come between.
            missing = [text for text in self.prints if text not in observed.printed]
            assert not missing, f"{missing} not in {observed.printed!r}"
        if self.check is not None:
            self.check(observed)
