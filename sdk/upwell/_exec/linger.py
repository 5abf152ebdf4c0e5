"""When a parent leaves a process that bills while it waits, or that is about to end."""

from __future__ import annotations

from enum import Enum, auto

from upwell._core.limits import LAMBDA_TIMEOUT_MAX_S
from upwell._core.model import ActionRecord, ErrorInfo, Outcome, Status
from upwell._exec.driver import Driver
from upwell._exec.kernel import Kernel

LOOKS_PER_LINGER = 5
LEAVE_EARLY_S = 60.0
"""So long before its process ends, a parent that waits does not linger."""
LAST_MOMENT_S = 10.0
"""So long before its process ends, an attempt goes whatever it does."""


class Leave(Enum):
    """Why an attempt leaves."""

    WAITING = auto()
    """It waits for its children and does nothing else."""
    INTERRUPTED = auto()
    """The process ends; what it does of its own begins anew when it is woken."""
    OUT_OF_TIME = auto()
    """The process ends, and there is no child to wake it."""


async def linger(kernel: Kernel, driver: Driver, leave_at: float | None) -> Leave:
    """Return when an attempt has to leave.

    Args:
        kernel: The surroundings.
        driver: Of the attempt; tells what it waits for.
        leave_at: When the process ends, epoch seconds; None if it stays.
    """
    clock, linger_s = kernel.ports.clock, kernel.settings.linger_s
    while True:
        await clock.sleep(linger_s / LOOKS_PER_LINGER)
        idle_s = await driver.idle_s()
        left_s = float("inf") if leave_at is None else leave_at - clock.now()
        if idle_s >= linger_s or (idle_s > 0 and left_s < LEAVE_EARLY_S):
            return Leave.WAITING
        if left_s < LAST_MOMENT_S:
            return Leave.INTERRUPTED if driver.open_children else Leave.OUT_OF_TIME


def out_of_time(record: ActionRecord) -> Outcome:
    """Return the end of an attempt that computes for longer than its process lives."""
    task = record.spec.task.name
    text = (
        f"{task} was still computing when its Lambda invocation ended, which is after {LAMBDA_TIMEOUT_MAX_S} s "
        "at the latest; give its environment a reuse_policy=ReusePolicy(...) to run it on Fargate"
    )
    return Outcome(status=Status.TIMED_OUT, error=ErrorInfo(code="MaxRuntimeExceededError", message=text))
