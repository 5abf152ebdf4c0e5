"""What all attempts in one process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from upwell._author.context import Mode
from upwell._author.task import Task
from upwell._core.model import ActionRecord, ActionSpec
from upwell._core.ports import Ports
from upwell._core.settings import Settings
from upwell._exec.hub import Hub
from upwell._types.transfer import BlobTransfer


class Loader(Protocol):
    """Finds the task of an action: in this process, or in a code bundle."""

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task.

        Raises:
            TaskNotFoundError: the module has no such task.
        """

    def admits(self, spec: ActionSpec, *, busy: bool) -> bool:
        """Whether the task can be loaded now, beside what runs in this process (`busy`: if anything does)."""


class Ids(Protocol):
    """Randomness, as a port."""

    def new(self) -> str:
        """Return a name that nobody else has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The engine's surroundings in one process: ports, settings, and what is shared in memory."""

    ports: Ports
    settings: Settings
    loader: Loader
    ids: Ids
    mode: Mode
    transfers: Mapping[str, BlobTransfer]
    """How files and directories move, by URI scheme."""
    scratch: Path
    """Folder for downloads of tasks, on this machine."""
    suspends: bool = False
    """Whether parents that wait here are suspended: the process costs while it waits (Lambda)."""
    hub: Hub = field(default_factory=Hub)

    def scratch_of(self, record: ActionRecord) -> Path:
        """Return the folder for downloads of an action's latest attempt."""
        return self.scratch / record.spec.run.run_id / f"{record.spec.action_id}-{record.attempt}"
