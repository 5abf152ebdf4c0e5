"""The critical path of a run: what its end waited for, from the last moment back to the first.

A parent's end is followed back to the end of the child that ended last before, that child to its call, and so
on. The steps have no gaps: their lengths add up to the run's. What is not on the path could be faster, and
the run would take as long.

Of a parent with very many children, those that were called last may be all that is known: what was before them
is one step, `earlier`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from upwell._core.model import ActionRecord
from upwell._core.timeline import Span, spans_of

EARLIER = "earlier"
"""Phase of the part of the path that was not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stretch of the path that one action spent in one phase.

    Attributes:
        phase: A phase, `slot` (all slots were taken), `noticed` (the parent did not know yet that its child had
            ended), `other` (between attempts) or `earlier` (not followed).
    """

    action_id: str
    task: str
    phase: str
    started_at: float
    length_s: float


@dataclass(slots=True)
class _Frame:
    """An action whose end, or part before a child's call, is being followed back."""

    record: ActionRecord
    children: list[ActionRecord]
    until: float
    noticed_s: float = 0.0

    @property
    def began_at(self) -> float:
        return self.record.spec.queued_at or self.record.created_at


def critical_path(
    records: Sequence[ActionRecord], noticed_s: Mapping[str, float], known_since: Mapping[str, float]
) -> list[Step]:
    """Return the path, first step first; empty while the root has not ended.

    Args:
        records: Actions of the run: all, or those that the path may go through.
        noticed_s: How late parents notice ends, by task, in seconds.
        known_since: Parents of which only the children called since then are among the records.
    """
    root = next((r for r in records if r.spec.parent_id is None and r.ended_at is not None), None)
    if root is None:
        return []
    children: dict[str, list[ActionRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.ended_at or 0.0, r.spec.action_id)):
        if record.spec.parent_id is not None and record.ended_at is not None:
            children[record.spec.parent_id].append(record)
    attempts: dict[str, list[Span]] = defaultdict(list)
    for span in spans_of(records):
        attempts[span.action_id].append(span)

    backwards: list[Step] = []
    stack = [_Frame(root, children[root.spec.action_id], root.ended_at or 0.0)]
    while stack:
        frame = stack[-1]
        child = _last_before(frame)
        since = frame.began_at if child is None else min(child.ended_at or 0.0, frame.until)
        action_id = frame.record.spec.action_id
        known = min(known_since.get(action_id, since), frame.until)
        if child is None and since < known:
            backwards += _own(frame, known, attempts[action_id], noticed_s, None)
            backwards += _earlier(frame, since, known)
        else:
            backwards += _own(frame, since, attempts[action_id], noticed_s, child)
        if child is None:
            stack.pop()
            if stack:
                stack[-1].until = min(stack[-1].until, frame.began_at)
        else:
            stack.append(_Frame(child, children[child.spec.action_id], since))
    return backwards[::-1]


def _last_before(frame: _Frame) -> ActionRecord | None:
    """Take the child that ended last before a moment, and was called by then and not before its parent."""
    while frame.children:
        child = frame.children.pop()
        called_at = child.spec.queued_at or child.created_at
        if (child.ended_at or 0.0) <= frame.until and frame.began_at <= called_at < frame.until:
            return child
    return None


def _own(
    frame: _Frame,
    since: float,
    attempts: Sequence[Span],
    noticed_s: Mapping[str, float],
    child: ActionRecord | None,
) -> list[Step]:
    """Return what an action did itself from a moment until `frame.until`, last step first."""
    steps: list[Step] = []
    at = frame.until

    def add(phase: str, begin: float) -> None:
        nonlocal at
        if begin < at:
            spec = frame.record.spec
            steps.append(
                Step(
                    action_id=spec.action_id,
                    task=spec.task.name,
                    phase=phase,
                    started_at=begin,
                    length_s=at - begin,
                )
            )
            at = begin

    floor = since
    if child is not None:
        floor = min(at, since + noticed_s.get(child.spec.task.name, 0.0))
    for span in reversed(attempts):
        for phase, begin, end in reversed(list(span.parts)):
            if begin >= at or end <= floor:
                continue
            add("other", max(end, floor))
            add(phase, max(begin, floor))
    add("other", floor)
    add("noticed", since)
    return steps


def _earlier(frame: _Frame, since: float, until: float) -> Iterable[Step]:
    """Return what was not followed of an action's time."""
    spec = frame.record.spec
    if since < until:
        yield Step(
            action_id=spec.action_id,
            task=spec.task.name,
            phase=EARLIER,
            started_at=since,
            length_s=until - since,
        )


def by_phase(path: Sequence[Step]) -> dict[tuple[str, str], float]:
    """Return how long the path was in each task and phase; what was not followed is taken for what was."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for step in path:
        if step.phase != EARLIER:
            sums[step.task, step.phase] += step.length_s
    followed = sum(sums.values())
    whole = sum(step.length_s for step in path)
    return {key: seconds * whole / followed for key, seconds in sums.items()} if followed else {}


def followed_s(path: Sequence[Step]) -> float:
    """Return how long the part of the path is that was followed."""
    return sum(step.length_s for step in path if step.phase != EARLIER)
