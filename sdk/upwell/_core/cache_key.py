"""Under which key the result of a task is kept."""

from __future__ import annotations

import hashlib

from upwell._core.model import CacheEntry


def cache_key(*, task: str, interface: str, version: str, inputs: str) -> str:
    """Return the key of a result: SHA-256 in hex.

    It is the whole digest, not a short id: two calls with the same key are taken to have the same result.

    Args:
        task: Full name of the task.
        interface: Digest of the names and types of its parameters and result.
        version: Version of its code.
        inputs: Digest of the inputs that count.
    """
    h = hashlib.sha256()
    for part in ("upwell cache 1", task, interface, version, inputs):
        data = part.encode()
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()


EXPIRED_KEPT_S = 7 * 86_400.0
"""So much longer than it may be used an entry stays, so that `upwell why` can say that it is too old."""


def kept_for_s(max_age_s: float | None, retention_s: float | None) -> float | None:
    """Return how long an entry stays in the store, in seconds; None is for ever.

    Args:
        max_age_s: Up to which age its task uses it; None is any.
        retention_s: How long the store keeps anything; None is for ever.
    """
    bounds = [None if max_age_s is None else max_age_s + EXPIRED_KEPT_S, retention_s]
    return min((bound for bound in bounds if bound is not None), default=None)


def is_usable(entry: CacheEntry, max_age_s: float | None, now: float) -> bool:
    """Whether a kept result is not too old.

    Args:
        entry: The result.
        max_age_s: The age up to which it is used; None is any.
        now: The time, epoch seconds.
    """
    return max_age_s is None or now - entry.created_at <= max_age_s
