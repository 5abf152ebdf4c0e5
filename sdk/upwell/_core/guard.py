"""Bounds on what a run may grow to, and when to look whether it has.

No item counts the actions of a run: it would be written by everybody. A parent counts its own children, and now
and then somebody reads the run's folded view, which is a little behind.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

LOOK_EVERY = 256
"""Calls to one look at the view, in large runs."""
LOOKS = 1000
"""A run is looked at about so often before it comes to a bound below 256,000 actions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one process knows of the size of a run.

    Attributes:
        actions: As of the last look; None before the first.
        called: Children that were called here since.
    """

    actions: int | None = None
    called: int = 0


def is_look_due(child_id: str, growth: Growth, max_actions: int) -> bool:
    """Return whether to look at the run's view before a child is called.

    The hash of the child's id decides, so that a tree of parents with two children each is looked at as often
    as one parent with as many children as the tree has. A process that has looked and found much room waits
    until it has used its part of it.
    """
    every = max(1, min(LOOK_EVERY, max_actions // LOOKS))
    if zlib.crc32(child_id.encode()) % every:
        return False
    return growth.actions is None or growth.called >= (max_actions - growth.actions) // LOOKS


def too_many(
    run_id: str, counts: Mapping[str, int], max_actions: int, *, parent: str, child: str
) -> str | None:
    """Return what to tell a parent whose run has more actions than it may; None if it has not.

    Args:
        run_id: The run.
        counts: Its actions by task.
        max_actions: What it may have.
        parent: Task that makes a call.
        child: Task that it calls.
    """
    total = sum(counts.values())
    if total < max_actions:
        return None
    most = max(counts, key=lambda task: counts[task])
    return (
        f"run {run_id} has {total:,} actions and may have {max_actions:,} (max_actions): {counts[most]:,} of "
        f"them are calls of {most}, and {parent} was about to call {child}; if that is meant, "
        f"`upwell recover {run_id} --max-actions N` goes on with more"
    )


def too_deep(depth: int, max_depth: int, *, parent: str, child: str) -> str | None:
    """Return what to tell a parent that calls a child on too deep a level; None if it is not.

    Args:
        depth: Level of the child; the root is on level 0.
        max_depth: The deepest level.
        parent: Task that makes the call.
        child: Task that it calls.
    """
    if depth <= max_depth:
        return None
    return (
        f"{parent} calls {child} on level {depth:,}, and the deepest may be {max_depth:,} (max_depth): do "
        "tasks call each other without an end? If they are meant to, start the run with "
        "with_runcontext(max_depth=...) or --max-depth"
    )
