"""Kept results as JSON documents and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._cli.tables import print_table
from upwell._client.documents import instant
from upwell._core.model import CacheSummary

UNITS = ("B", "KiB", "MiB", "GiB")


def cache_document(entry: CacheSummary, now: float) -> dict[str, Any]:
    """Return a kept result as `cache ls` prints it.

    Args:
        entry: The result.
        now: The time, epoch seconds.
    """
    parts, age_s = entry.parts, max(0.0, now - entry.created_at)
    return {
        "key": entry.key,
        "task": entry.task or None,
        "version": parts.version if parts is not None else None,
        "version_from": parts.how if parts is not None else None,
        "code": parts.code if parts is not None else None,
        "inputs": parts.inputs if parts is not None else None,
        "created_at": instant(entry.created_at),
        "age_s": round(age_s, 3),
        "max_age_s": entry.max_age_s,
        "expired": entry.max_age_s is not None and age_s > entry.max_age_s,
        "size_bytes": entry.size_bytes,
        "run": entry.made_by.run_id,
        "action": entry.made_by.action_id,
    }


def print_entries(shown: Sequence[dict[str, Any]]) -> None:
    """Print a list of kept results, given as documents."""
    rows = [
        (
            entry["key"],
            entry["task"] or "?",
            entry["version"] or "?",
            age_text(entry["age_s"]) + (" expired" if entry["expired"] else ""),
            size_text(entry["size_bytes"]),
            f"{entry['run']}/{entry['action']}",
        )
        for entry in shown
    ]
    print_table(("key", "task", "version", "age", "size", "made by"), rows)


def age_text(age_s: float) -> str:
    """Return an age that a person reads: `12 s`, `5 min`, `3 h`, `8 d`."""
    for length_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if age_s >= 2 * length_s:
            return f"{age_s / length_s:.0f} {unit}"
    return f"{age_s:.0f} s"


def size_text(size_bytes: int) -> str:
    """Return a size that a person reads: `17 B`, `1.5 MiB`."""
    size, unit = float(size_bytes), UNITS[0]
    for unit in UNITS:
        if size < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
