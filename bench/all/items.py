"""Experiments about maps of many items of a millisecond each: batches of measured and of hand-picked sizes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bench.all.contenders import in_turns, ours
from bench.all.experiment import Setting
from bench.all.flows import ITEM_S
from bench.all.rows import PeerFigure, Row, at_most, significant
from bench.all.sandboxes import shared_sandbox

MILLION = {"local": 1_000_000, "sandbox": 100_000}
QUICK = 5_000
WORKING = 20_000
"""Items that use the processor, for each batch size: 20 s of work, which one process cannot do in less."""
AUTO = "auto"
SIZES = (10, 100, 1_000, 10_000)
OVERHEAD = 0.10
OF_THE_BEST = 1.15


def million(setting: Setting, backend: str) -> Iterator[Row]:
    """Map over very many items that wait for a millisecond."""
    n = QUICK if setting.quick else MILLION[backend]
    if backend == "local":
        yield _waiting(setting, backend, n, None)
        return
    with shared_sandbox() as state_dir:
        in_turns({AUTO: ours("sleeping", 100, backend, state_dir)}, 1)  # starts its executors
        yield _waiting(setting, backend, n, state_dir)


def _waiting(setting: Setting, backend: str, n: int, state_dir: Any) -> Row:
    taken = in_turns({AUTO: ours("sleeping", n, backend, state_dir)}, setting.runs)[AUTO]
    if taken.error is not None:
        raise RuntimeError(taken.error)
    row = Row.of([n / s for s in taken.values("wall_s")], name="map auto", backend=backend, n=n, unit="items/s")
    more = {"actions": round(statistics.median(taken.values("actions")))}
    memory = "peak_mib" if backend == "local" else "parent_mib"
    more[memory] = round(statistics.median(taken.values(memory)))
    return replace(row, more=more)


def sizes(setting: Setting, _backend: str) -> Iterator[Row]:
    """Map over items that use the processor for a millisecond, with each size of batches in turns."""
    n = 1_000 if setting.quick else WORKING
    contenders = {AUTO: ours("working", n, batch=AUTO)}
    contenders |= {str(size): ours("working", n, batch=str(size)) for size in SIZES if size <= n}
    taken = in_turns(contenders, setting.runs)
    if (error := taken[AUTO].error) is not None:
        raise RuntimeError(error)
    ms = {name: [1000 * s / n for s in of.values("wall_s")] for name, of in taken.items() if of.error is None}
    row = Row.of(ms[AUTO], name="map auto, working", backend="local", n=n, unit="ms/item")
    medians = {name: statistics.median(values) for name, values in ms.items()}
    for name in medians.keys() - {AUTO}:
        ratio = significant(medians[name] / medians[AUTO])
        row.peers[f"batch={name}"] = PeerFigure(
            version="upwell",
            median=significant(medians[name]),
            ratio=ratio,
            min=min(ms[name]),
            max=max(ms[name]),
        )
    best = min(value for name, value in medians.items() if name != AUTO)
    share = 1 - 1000 * ITEM_S / medians[AUTO]
    goals = (
        at_most(share, OVERHEAD, "share that is not the items' own work"),
        at_most(medians[AUTO] / best, OF_THE_BEST, "time / that of the best batch size"),
    )
    more = {
        "actions": round(statistics.median(taken[AUTO].values("actions"))),
        "peak_mib": round(statistics.median(taken[AUTO].values("peak_mib"))),
    }
    yield replace(row, goals=goals, more=more)
