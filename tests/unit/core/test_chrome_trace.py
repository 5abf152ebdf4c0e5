"""Runs as Chrome traces: what a viewer relies on."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.profiles import T0, a_run, ran

from upwell._core.chrome_trace import chrome_trace
from upwell._core.model import Executor
from upwell._core.timeline import spans_of

lengths = st.floats(min_value=0, max_value=2)
calls = st.lists(st.tuples(lengths, lengths, lengths, st.integers(0, 2)), min_size=1, max_size=30)


def complete(document: dict[str, Any], category: str) -> list[dict[str, Any]]:
    return [e for e in document["traceEvents"] if e["ph"] == "X" and e["cat"] == category]


@settings(deadline=None, max_examples=60)
@given(calls)
def test_events_of_a_lane_do_not_overlap_and_phases_lie_inside_their_attempt(
    given_calls: list[tuple[float, float, float, int]],
) -> None:
    records = [
        ran(f"c{n}", at=at, queued=queued, run=run, executor=Executor(kind="worker", id=f"w{which}"))
        for n, (at, queued, run, which) in enumerate(given_calls)
    ]
    document = chrome_trace("run", T0, spans_of(a_run(records)[1]))
    lanes: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for event in complete(document, "attempt"):
        assert event["dur"] > 0
        lanes[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for taken in lanes.values():
        taken.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(taken))
    within: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for event in complete(document, "phase"):
        phase = (event["ts"], event["ts"] + event["dur"])
        assert any(a <= phase[0] and phase[1] <= b for a, b in lanes[event["pid"], event["tid"]])
        within[event["pid"], event["tid"]].append(phase)
    for phases in within.values():
        phases.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(phases))


def test_the_phases_add_up_to_the_attempt() -> None:
    document = chrome_trace("run", T0, spans_of(a_run([ran("c0", at=0.5, run=1.0, bundle=0.2)])[1]))
    (child,) = [e for e in complete(document, "attempt") if e["args"]["action"] == "c0"]
    phases = [e for e in complete(document, "phase") if child["ts"] <= e["ts"] < child["ts"] + child["dur"]]
    own = [e for e in phases if e["tid"] == child["tid"]]
    assert sum(e["dur"] for e in own) == pytest.approx(child["dur"], abs=5)
    assert [e["name"] for e in own] == ["claim", "bundle", "input", "run", "output", "recorded"]


def test_executors_and_lanes_have_names() -> None:
    here, there = Executor(kind="worker", id="w1"), Executor(kind="lambda", id="l1")
    records = [
        ran("c0", at=0.0, executor=here),
        ran("c1", at=0.0, executor=here),
        ran("c2", at=0.0, executor=there),
    ]
    document = chrome_trace("run", T0, spans_of(records))
    names = [(e["name"], e["args"]["name"]) for e in document["traceEvents"] if e["ph"] == "M"]
    assert names == [
        ("process_name", "worker w1"),
        ("process_name", "lambda l1"),
        ("thread_name", "lane 1"),
        ("thread_name", "lane 2"),
        ("thread_name", "lane 1"),
    ]
