"""Deterministic names: a parent that runs again must find its children under the same ids."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter


def digest(*parts: str | bytes) -> str:
    """Return 16 characters (80 bits) that name the parts, in their order."""
    h = hashlib.blake2b(digest_size=10)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return base64.b32encode(h.digest()).decode().lower()


def content_digest(data: bytes) -> str:
    """Return the content address of a blob: SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


class Occurrences:
    """Counts equal calls within one attempt of a parent, so that equal calls get different ids.

    The count is per (task, inputs, group): which of two *different* calls asyncio happens to start first
    makes no difference to their ids.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next_id(self, parent_id: str, name: str, input_digest: str, group: str | None) -> str:
        """Return the id of the next call of `name` with these inputs."""
        call = digest(parent_id, name, input_digest, group or "")
        self._seen[call] += 1
        return digest(call, str(self._seen[call]))
