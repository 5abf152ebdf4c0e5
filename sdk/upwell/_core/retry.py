"""When a failed attempt is tried again."""

from __future__ import annotations

from upwell._core.model import ErrorInfo, RetryPolicy


def retry_delay_s(policy: RetryPolicy, failures: int, error: ErrorInfo) -> float | None:
    """Return the delay before the next attempt in seconds, or None when there is none.

    Args:
        policy: The task's retries.
        failures: Failed attempts so far, this one included (from 1).
        error: What the attempt failed with.
    """
    if not error.recoverable or failures > policy.count:
        return None
    delay_s = policy.base_s * policy.factor ** (failures - 1)
    return delay_s if policy.cap_s is None else min(delay_s, policy.cap_s)
