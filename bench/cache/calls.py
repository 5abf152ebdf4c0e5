"""What a cached call costs: time, requests and units, against computing it anew.

Requests are counted where they are made, over moto. Times over moto are mostly the emulator's; the local
backend shows the engine's own.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import upwell
from upwell._author.task import Task
from upwell._aws.meter import Meter, MeterReading, Reading
from upwell._client.options import RunOptions
from upwell._core.model import ActionKey, CacheEntry, Payload
from upwell.testing.flows import FlowResult, LocalFlows
from upwell.testing.moto_flows import MotoFlows, moto_flows

env = upwell.TaskEnvironment("bench-cache")
REQUESTS_PER_HIT_MAX = 0.05
WARM_UP = 20
"""Calls of a run that is not counted."""
COMPUTED_MAX = 300
"""Calls that are computed over moto, which takes 25 ms for a single one."""
KIB = 1024

Figures = dict[str, Any]


@env.task(cache="auto")
async def square(x: int) -> int:
    return x * x


@env.task
async def gathered(n: int) -> int:
    """Call a cached task n times at once."""
    return sum(await asyncio.gather(*(square(x) for x in range(n))))


@env.task
async def mapped(n: int) -> int:
    """Call a cached task for n items of a map, which sizes its batches."""
    results = upwell.map.aio(square, range(n), return_exceptions=False, batch="auto")
    return sum([each async for each in results])


FLOWS: dict[str, Task[[int], Any]] = {"gather": gathered, "map": mapped}


def measure(n: int) -> list[Figures]:
    """Return what n calls cost by `gather` and `map`, computed and from the cache, on local and over moto."""
    return [*_on_local(n), *_on_moto(n)]


def _on_local(n: int) -> list[Figures]:
    rows = []
    for name, flow in FLOWS.items():
        with tempfile.TemporaryDirectory() as folder:
            run = partial(_run, LocalFlows(folder), flow)
            run(WARM_UP)
            rows += [_timed("local", name, how, n, run) for how in ("computed", "hit")]
    return rows


def _on_moto(n: int) -> list[Figures]:
    """Meter runs over moto: those that compute, then, with a result for every call, those that hit."""
    rows, counted = [], MeterReading()
    meter, few = Meter(counted.count), min(n, COMPUTED_MAX)
    with moto_flows() as flows:
        for flow in FLOWS.values():
            _run(flows, flow, WARM_UP)
        clients = flows.clients
        for client in (clients.dynamodb, clients.sqs, clients.s3, clients.stepfunctions):
            meter.watch(client)
        for how, calls in (("computed", few), ("hit", n)):
            if how == "hit":
                asyncio.run(_fill(flows, n))
            for name, flow in FLOWS.items():
                counted.take()
                options = RunOptions(overwrite_cache=how == "computed")
                row = _timed("moto", name, how, calls, partial(_run, flows, flow, options=options))
                rows.append(row | _counted(counted.take().without_idle(), calls))
    return rows


async def _fill(flows: MotoFlows, n: int) -> None:
    """Keep a result for each of n calls, as if they had been computed."""
    store, maker, now = flows.store, ActionKey("earlier", "a0"), time.time()
    entries = []
    for x in range(n):
        task, text = square.spec(square.interface.encode_inputs({"x": x})), f'{{"value":{x * x}}}'
        assert task.cache_key is not None
        entries.append(
            CacheEntry(
                key=task.cache_key,
                output=Payload(text=text, size_bytes=len(text)),
                made_by=maker,
                created_at=now,
                task=square.name,
                parts=task.cache_parts,
            )
        )
    await store.put_cached(entries)


def _run(flows: Any, flow: Task[..., Any], n: int, options: RunOptions | None = None) -> FlowResult:
    result: FlowResult = asyncio.run(flows.arun_with(options or RunOptions(), flow, n))
    assert result.unwrap() == sum(x * x for x in range(n))
    return result


def _timed(backend: str, flow: str, how: str, n: int, run: Callable[[int], FlowResult]) -> Figures:
    started = time.perf_counter()
    result = run(n)
    took_s = time.perf_counter() - started
    hits = [action for action in result.actions if action.cached_from is not None]
    found = sum(max(1, hit.spec.items) for hit in hits)
    assert found == (n if how == "hit" else found), f"{found} of {n} calls were found in the cache"
    print(f"{backend} {flow} {how}: {n} calls in {took_s:.1f} s", file=sys.stderr, flush=True)
    return {
        "backend": backend,
        "flow": flow,
        "calls": how,
        "n": n,
        "ms_per_call": round(1000 * took_s / n, 3),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB),
    }


def _counted(reading: Reading, n: int) -> Figures:
    usage = reading.usage
    return {
        "requests_per_call": round(usage.requests / n, 4),
        "write_units_per_call": round(usage.write_units / n, 3),
        "read_units_per_call": round(usage.read_units / n, 3),
        "by_operation": {name: round(count / n, 4) for name, count in reading.counts.most_common()},
    }
