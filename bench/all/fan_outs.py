"""Experiments about fan-outs and chains of actions that do nothing: time, memory, and the peers' times."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bench.all.contenders import Taken, in_turns, ours
from bench.all.experiment import OURS, Setting, beside
from bench.all.peers import DBOS, DBOS_QUEUE, FLYTE, FLYTE_PERSIST, Peer
from bench.all.rows import Goal, Row, at_least, at_most, significant
from bench.all.sandboxes import shared_sandbox

SIZES = (100, 1_000, 10_000, 50_000)
QUICK_SIZES = (100, 1_000)
FLAT = 1.3
DURABLE_RATIO = 10
HOP_MS = 1.0


def per_item(n: int) -> Any:
    """Return the figure of milliseconds per item."""
    return lambda sample: 1000 * sample["wall_s"] / n


def time_row(name: str, backend: str, n: int, taken: Taken, unit: str) -> Row:
    """Return the row of the time per item, and of the processor time: that hardly depends on a busy machine."""
    row = Row.of([per_item(n)(s) for s in taken.samples], name=name, backend=backend, n=n, unit=unit)
    if backend != "local":  # where the work is done by other processes
        return replace(row, more={"parent_mib": round(statistics.median(taken.values("parent_mib")), 1)})
    cpu_ms = significant(1000 * statistics.median(taken.values("cpu_s")) / n)
    return replace(
        row, more={"cpu_ms": cpu_ms, "peak_mib": round(statistics.median(taken.values("peak_mib")), 1)}
    )


def fan_out(setting: Setting, backend: str) -> Iterator[Row]:
    """Fan out at each size, and compare the time per action at the largest with that at 1,000."""
    if backend == "local":
        yield from _sizes(setting, backend, lambda n: setting.race("fanout", n)[OURS])
        return
    with shared_sandbox() as state_dir:
        in_turns({OURS: ours("fanout", 10, backend, state_dir)}, 1)  # starts its executors
        yield from _sizes(
            setting,
            backend,
            lambda n: in_turns({OURS: ours("fanout", n, backend, state_dir)}, setting.runs)[OURS],
        )


def _sizes(setting: Setting, backend: str, measured: Any) -> Iterator[Row]:
    sizes = QUICK_SIZES if setting.quick else SIZES
    medians: dict[int, float] = {}
    for n in sizes:
        taken = measured(n)
        if taken.error is not None:
            raise RuntimeError(f"n = {n}: {taken.error}")
        row = time_row("fan-out", backend, n, taken, "ms/action")
        medians[n] = row.median or 0.0
        more: dict[str, Any] = {**row.more, "actions_per_s": round(1000 / medians[n])}
        goals: tuple[Goal, ...] = ()
        if n == SIZES[-1]:
            goals = (at_most(medians[n] / medians[1_000], FLAT, "time per action / that at 1,000"),)
            more["over_1000"] = significant(medians[n] / medians[1_000])
        yield replace(row, more=more, goals=goals)


def against_peers(setting: Setting, _backend: str) -> Iterator[Row]:
    """Fan out 1,000 beside the peers."""
    n = 100 if setting.quick else 1_000
    peers = (DBOS, FLYTE, FLYTE_PERSIST)
    taken = setting.race("fanout", n, peers)
    row = time_row("fan-out, peers", "local", n, taken[OURS], "ms/action")
    row = beside(row, taken, peers, per_item(n))
    goals = [
        at_least(figure.ratio, DURABLE_RATIO if peer.durable else 1, f"{peer.name} / upwell")
        for peer, figure in zip(peers, row.peers.values(), strict=True)
        if figure.ratio is not None and peer in (DBOS, FLYTE)
    ]
    yield replace(row, goals=tuple(goals), more={**row.more, **_of_peers(taken, n)})
    yield _start_up(taken, peers)


def queued_peer(setting: Setting, _backend: str) -> Iterator[Row]:
    """Fan out beside the durable peer's queue, which takes minutes a run."""
    n, peers = 100 if setting.quick else 1_000, (DBOS_QUEUE,)
    taken = setting.race("fanout", n, peers)
    yield beside(time_row("fan-out, queue", "local", n, taken[OURS], "ms/action"), taken, peers, per_item(n))


def _of_peers(taken: dict[str, Taken], n: int) -> dict[str, Any]:
    """Return what the peers' processes used."""
    found: dict[str, Any] = {}
    for name, of in taken.items():
        if of.samples and name != OURS:
            found[f"cpu_ms {name}"] = significant(1000 * statistics.median(of.values("cpu_s")) / n)
            found[f"peak_mib {name}"] = round(statistics.median(of.values("peak_mib")), 1)
    return found


def _start_up(taken: dict[str, Taken], peers: tuple[Peer, ...]) -> Row:
    """Return the row of the seconds from the start of the process to the first result, out of the same runs."""
    row = Row.of(taken[OURS].values("first_s"), name="start to first result", backend="local", n=1, unit="s")
    row = beside(row, taken, peers, lambda sample: sample["first_s"])
    ratios = [figure.ratio for figure in row.peers.values() if figure.ratio is not None]
    return replace(row, goals=(at_least(min(ratios), 1, "fastest peer / upwell"),) if ratios else ())


def chain(setting: Setting, _backend: str) -> Iterator[Row]:
    """Call 100 actions one after the other."""
    n, peers = 100, (DBOS, FLYTE)
    taken = setting.race("chain", n, peers)
    row = beside(time_row("chain", "local", n, taken[OURS], "ms/hop"), taken, peers, per_item(n))
    yield replace(row, goals=(at_most(row.median or 0, HOP_MS, "ms a hop"),))


def traces(setting: Setting, _backend: str) -> Iterator[Row]:
    """Call 1,000 traces in one action; the durable peer's steps beside them."""
    n, peers = 100 if setting.quick else 1_000, (DBOS, FLYTE)
    taken = setting.race("traces", n, peers)
    yield beside(time_row("traces", "local", n, taken[OURS], "ms/trace"), taken, peers, per_item(n))
