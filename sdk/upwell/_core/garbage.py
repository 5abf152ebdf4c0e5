"""Which blobs nobody needs any more.

A blob belongs to a run by its key (`values/<run id>/...`, `data/<run id>/...`) or is named after its content
and shared (`bundles/`, `code/`, `versions/`, `cached/`, `data/inputs/`). It is needed while its run is live, or
while a record of a live run or an entry of the cache mentions its run or its name. What is mentioned is read
off their text: nothing has to know where in a record a key may be, and no value is decoded.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from upwell._core.keys import BUNDLES, CACHED, CODE, DATA, INPUTS, VALUES, VERSIONS
from upwell._core.model import RunRecord

GRACE_S = 24 * 3600.0
"""What was written, or used again, in that time is kept in any case: a run may be about to begin."""
REFRESH_S = GRACE_S / 2
"""A shared blob that is older is written again when it is used again, so that it counts as new."""
KEPT_S = 30 * 24 * 3600.0
"""For how long a run that has ended counts as live; its data expires after as long on AWS."""

SHARED = (BUNDLES, CODE, VERSIONS, CACHED, INPUTS)
"""Prefixes of blobs that are named after their content."""
PREFIXES = (VALUES, DATA, CACHED, BUNDLES, CODE, VERSIONS)
"""What is collected; all else in a bucket is left alone."""

_RUN = re.compile(rb"(?:values|data)/([A-Za-z0-9_.-]+)/")
_WORD = re.compile(rb"[0-9A-Za-z_]{8,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{32,}={0,2}")
"""Of pickled values and bytes, which may hold paths."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A blob as a listing has it; `modified_at` in epoch seconds."""

    key: str
    size_bytes: int
    modified_at: float


class Mentions:
    """What is mentioned somewhere.

    Args:
        names: Of the shared blobs that it is asked for.

    Attributes:
        runs: All runs that are mentioned.
        names: Those of the names that are.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._asked_for = frozenset(name.encode() for name in names)
        self.runs: set[str] = set()
        self.names: set[str] = set()

    def take(self, text: bytes) -> None:
        """Add what a text mentions, also within base64."""
        self._take(text)
        for encoded in _BASE64.findall(text):
            if decoded := _decoded(encoded):
                self._take(decoded)

    def _take(self, text: bytes) -> None:
        self.runs.update(found.decode() for found in _RUN.findall(text))
        self.names.update(name.decode() for name in self._asked_for.intersection(_WORD.findall(text)))


def is_live(run: RunRecord, now: float, kept_s: float) -> bool:
    """Whether a run goes on, or has ended so lately that it may be looked at, recovered and passed on."""
    return not run.status.is_terminal or (run.ended_at or run.spec.created_at) > now - kept_s


def run_of(key: str) -> str | None:
    """Return the run that a blob belongs to; None for one that is shared, and for what is not collected."""
    if key.startswith(SHARED) or not key.startswith((VALUES, DATA)):
        return None
    return key.split("/")[1]


def name_of(key: str) -> str | None:
    """Return the name of a shared blob, which its content decides; None for others."""
    for prefix in SHARED:
        if key.startswith(prefix):
            return re.split(r"[./]", key.removeprefix(prefix), maxsplit=1)[0]
    return None


def is_needed(blob: BlobInfo, live: set[str], mentioned: Mentions) -> bool:
    """Whether a blob is kept.

    Args:
        blob: What it is asked of.
        live: Ids of the runs that are live.
        mentioned: By the records of these, and by entries of the cache.
    """
    run_id = run_of(blob.key)
    if run_id is not None:
        return run_id in live or run_id in mentioned.runs
    name = name_of(blob.key)
    return name is None or name in mentioned.names


def _decoded(encoded: bytes) -> bytes:
    body = encoded.rstrip(b"=")
    try:
        return base64.b64decode(body[: len(body) // 4 * 4])
    except binascii.Error:
        return b""
