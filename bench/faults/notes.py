"""What tasks did: side effects, noted where the tasks run. The programs import nothing else of the harness."""

from __future__ import annotations

import json
import os
import time
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import upwell


@dataclass(frozen=True, slots=True)
class Note:
    """One side effect."""

    action: str
    attempt: int
    at: float
    process: str
    what: str = ""


class Process(Protocol):
    """A process of the harness in which tasks run."""

    def note(self, action: str, attempt: int, what: str) -> None:
        """Keep a note; raises when the process is dead."""


current_process: ContextVar[Process] = ContextVar("current_process")
"""Set where several processes are played in one."""


def note(folder: str, what: str = "") -> None:
    """Have a side effect: in a file of the folder, or, without one, in the process that the harness plays."""
    context = upwell.ctx()
    assert context.action is not None
    if not folder:
        current_process.get().note(context.action.name, context.attempt, what)
        return
    line = Note(context.action.name, context.attempt, time.time(), str(os.getpid()), what)
    with (Path(folder) / "notes").open("a") as file:
        file.write(json.dumps(asdict(line)) + "\n")


def read_notes(folder: Path) -> list[Note]:
    """Return the notes of a folder."""
    path = folder / "notes"
    return [Note(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
