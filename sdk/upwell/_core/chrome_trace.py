"""A run as a Chrome trace: what Perfetto (ui.perfetto.dev) and chrome://tracing open.

A process of the trace is an executor, and a thread of it a lane: attempts that overlap are in different lanes.
The phases of an attempt are nested in it. Times are microseconds since the run was submitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._core.timeline import Span

SLACK_US = 1
"""An event ends before the next in its lane begins; a microsecond is what the format tells."""


def chrome_trace(run_id: str, began_at: float, spans: Sequence[Span]) -> dict[str, Any]:
    """Return the trace as a JSON object.

    Args:
        run_id: Of the run.
        began_at: When it was submitted, epoch seconds.
        spans: Its attempts.
    """
    pids: dict[tuple[str, str], int] = {}
    lanes: dict[int, list[int]] = {}
    events: list[dict[str, Any]] = []
    for span in sorted(spans, key=lambda s: (s.started_at, s.action_id)):
        executor = (span.executor.kind, span.executor.id)
        pid = pids.setdefault(executor, len(pids) + 1)
        begin, end = _us(span.started_at - began_at), _us(span.ended_at - began_at)
        end = max(end, begin + SLACK_US)
        tid = _lane(lanes.setdefault(pid, []), begin, end)
        events.append(_event(span.task, "attempt", begin, end, pid, tid, _about(span)))
        events += _nested(span, began_at, (begin, end), pid, tid)
    names = [_name("process_name", pid, 0, f"{kind} {name}") for (kind, name), pid in pids.items()]
    names += [
        _name("thread_name", pid, tid, f"lane {tid}")
        for pid, of in lanes.items()
        for tid in range(1, len(of) + 1)
    ]
    return {"traceEvents": names + events, "displayTimeUnit": "ms", "otherData": {"run": run_id}}


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


def _lane(ends: list[int], begin: int, end: int) -> int:
    """Return the number of a lane that is free, from 1, and take it."""
    for index, until in enumerate(ends):
        if until <= begin:
            ends[index] = end
            return index + 1
    ends.append(end)
    return len(ends)


def _nested(span: Span, began_at: float, within: tuple[int, int], pid: int, tid: int) -> list[dict[str, Any]]:
    """Return the phases since the claim; what was before did not hold the executor."""
    at, end = within
    events = []
    for name, since, until in span.parts:
        if name in {"slot", "queued", "start"}:
            continue
        begin = min(max(at, _us(since - began_at)), end)
        at = min(max(begin, _us(until - began_at)), end)
        if at > begin:
            events.append(_event(name, "phase", begin, at, pid, tid, {}))
    return events


def _about(span: Span) -> dict[str, Any]:
    return {
        "action": span.action_id,
        "parent": span.parent_id,
        "attempt": span.attempt,
        "end": span.end,
        "queued_ms": round((span.phases.queued_s - span.slot_wait_s) * 1e3, 3),
        "slot_ms": round(span.slot_wait_s * 1e3, 3),
        "start_ms": round(span.phases.start_s * 1e3, 3),
        "own_ms": round(span.own_s * 1e3, 3),
    }


def _event(
    name: str, category: str, begin: int, end: int, pid: int, tid: int, about: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "cat": category,
        "ph": "X",
        "ts": begin,
        "dur": end - begin,
        "pid": pid,
        "tid": tid,
        "args": about,
    }


def _name(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": {"name": name}}
