"""Why a user process died, in words that help the author of the task."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from upwell._core.limits import MIB
from upwell._core.model import ErrorInfo, TaskSpec

NEAR_LIMIT = 0.7
"""A process that somebody else killed while it had this share of the memory is taken to have run out of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The end of a process that nobody wanted.

    Attributes:
        pid: Of the process.
        code: Exit code; negative for a signal.
        memory_bytes: What it had when it was last looked at.
        limit_bytes: What all of an executor may have; None where that is not known.
        out_of_memory: Whether it was killed for its memory, by us or by the kernel.
        stack: What it could still write of where it was.
    """

    pid: int
    code: int
    memory_bytes: int
    limit_bytes: int | None
    out_of_memory: bool = False
    stack: str = ""

    @property
    def was_out_of_memory(self) -> bool:
        """Whether memory is what it died of, as far as can be told."""
        killed = self.code == -signal.SIGKILL and self.limit_bytes is not None
        near = killed and self.memory_bytes >= NEAR_LIMIT * (self.limit_bytes or 0)
        return self.out_of_memory or near

    @property
    def cause(self) -> str:
        """The cause, as part of a sentence."""
        memory = f"{self.memory_bytes / MIB:,.0f} MiB"
        if self.was_out_of_memory:
            limit = f" of {self.limit_bytes / MIB:,.0f} MiB" if self.limit_bytes is not None else ""
            return f"ran out of memory (it had {memory}{limit})"
        if self.code < 0:
            return f"was killed by {_signal(-self.code)} (it had {memory})"
        return f"ended with exit code {self.code}: something called os._exit, or ended it from outside"

    def error(self, task: TaskSpec, worker: str) -> ErrorInfo:
        """Return the failure of the attempt that is to blame."""
        return ErrorInfo(
            code="OOMError" if self.was_out_of_memory else "ProcessDiedError",
            message=f"the process of {task.name} {self.cause}{self._advice()}",
            traceback=self.stack,
            worker=worker,
        )

    def loss(self, worker: str) -> ErrorInfo:
        """Return what is noted on an attempt that was lost with the process, whoever was to blame."""
        text = f"its process {self.cause} while other attempts ran in it"
        return ErrorInfo(code="RuntimeSystemError", message=text, kind="system", worker=worker)

    def _advice(self) -> str:
        if self.was_out_of_memory:
            return "; give its environment more: resources=Resources(memory=...)"
        return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
