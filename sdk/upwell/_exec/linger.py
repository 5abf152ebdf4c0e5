"""When a parent leaves a process that bills while it waits, or that is about to end."""

from __future__ import annotations

from enum import Enum, auto

from upwell._core.limits import LAMBDA_TIMEOUT_MAX_S
from upwell._core.model import ActionRecord, ErrorInfo, Outcome, Status
from upwell._exec.driver import Driver
from upwell._exec.kernel import Kernel

LOOKS_PER_LINGER, LOOK_MIN_S = 5, 0.02
RESTART_S = 1.0
"""What leaving costs: another process takes the message, loads the code, reads the journal and replays."""
SHARE_OF_WAIT = 0.05
"""What lingering may cost, as a share of what the attempt had to wait for the last time."""
LEAVE_EARLY_S, LAST_MOMENT_S = 60.0, 10.0
LEAVE_EARLY_SHARE, LAST_MOMENT_SHARE = 0.5, 0.25
"""So long before its process ends (or in the last part of a short life), a parent that waits does not linger
any more, and an attempt goes whatever it does."""


class Leave(Enum):
    """Why an attempt leaves."""

    WAITING = auto()
    """It waits for its children and does nothing else."""
    INTERRUPTED = auto()
    """The process ends; what it does of its own begins anew when it is woken."""
    OUT_OF_TIME = auto()
    """The process ends, and there is no child to wake it."""


async def linger(kernel: Kernel, driver: Driver, record: ActionRecord, leave_at: float | None) -> Leave:
    """Return when an attempt has to leave.

    Args:
        kernel: The surroundings.
        driver: Of the attempt; tells what it waits for.
        record: The action as claimed.
        leave_at: When the process ends, epoch seconds; None if it stays.
    """
    clock, limit_s = kernel.ports.clock, kernel.settings.linger_s
    linger_s, begun_at = patience_s(record, limit_s), clock.now()
    life_s = float("inf") if leave_at is None else leave_at - begun_at
    is_replaying = record.suspension is not None
    early_s = min(LEAVE_EARLY_S, LEAVE_EARLY_SHARE * life_s)
    last_s = min(LAST_MOMENT_S, LAST_MOMENT_SHARE * life_s)
    while True:
        await clock.sleep(max(linger_s / LOOKS_PER_LINGER, LOOK_MIN_S))
        idle_s = await driver.idle_s()
        left_s = float("inf") if leave_at is None else leave_at - clock.now()
        if is_replaying and idle_s > 0:  # that is what leaving will cost again
            is_replaying = False
            linger_s = min(limit_s, max(linger_s, clock.now() - idle_s - begun_at))
        if idle_s > 0 and (idle_s >= linger_s or left_s < early_s):
            return Leave.WAITING
        if left_s < last_s:
            return Leave.INTERRUPTED if driver.open_children else Leave.OUT_OF_TIME


def patience_s(record: ActionRecord, at_most_s: float) -> float:
    """Return how long an attempt that waits stays before it leaves.

    Nobody knows how long the next wait will be. Staying costs its length, leaving costs a restart, so one that
    was never suspended stays up to the limit. One that was knows better: its next wait is probably as long as
    the last, for which staying was wrong. It stays for what a restart costs, or for 5 % of that wait; or
    (`linger`) for as long as its replay took.

    Args:
        record: The action as claimed.
        at_most_s: The limit.
    """
    if record.suspension is None or not record.attempts:
        return at_most_s
    waited_s = record.attempts[-1].started_at - record.suspension.waiting_since
    return min(at_most_s, max(RESTART_S, SHARE_OF_WAIT * waited_s))


def out_of_time(record: ActionRecord) -> Outcome:
    """Return the end of an attempt that computes for longer than its process lives."""
    task = record.spec.task.name
    text = (
        f"{task} was still computing when its Lambda invocation ended, which is after {LAMBDA_TIMEOUT_MAX_S} s "
        "at the latest; give its environment a reuse_policy=ReusePolicy(...) to run it on Fargate"
    )
    return Outcome(status=Status.TIMED_OUT, error=ErrorInfo(code="MaxRuntimeExceededError", message=text))
