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


def is_usable(entry: CacheEntry, max_age_s: float | None, now: float) -> bool:
    """Whether a kept result is not too old.

    Args:
        entry: The result.
        max_age_s: The age up to which it is used; None is any.
        now: The time, epoch seconds.
    """
    return max_age_s is None or now - entry.created_at <= max_age_s
