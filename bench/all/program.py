"""upwell's counterpart of the programs in `bench.peers`: `python -m bench.all.program fanout 1000`.

Beside the modes of all there are `sleeping` and `working`: a map of n items of a millisecond each.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import upwell
from bench.all import flows
from bench.flows import chain
from bench.peers.timing import arguments, report, state_dir
from upwell._client.backend import open_backend
from upwell._client.config import current_config

BACKEND, BATCH = "BENCH_BACKEND", "BENCH_BATCH"


def run(flow: Any, *inputs: Any) -> Any:
    return upwell.run(flow, *inputs).outputs()[0]


def fan_out(n: int) -> list[int]:
    """Fan out, and keep the parent's peak memory."""
    values, more["parent_mib"] = upwell.run(flows.fan_out, n).outputs()
    return values


def mapped(work: str, n: int) -> int:
    """Map over n items, and return how many came back right."""
    batch = os.environ.get(BATCH, "auto")
    done = upwell.run(flows.mapped, n, work, batch if batch == "auto" else int(batch))
    right, more["parent_mib"] = done.outputs()
    runs.append(done.name)
    return right


more: dict[str, Any] = {}
runs: list[str] = []


def with_actions() -> dict[str, Any]:
    """Return what was kept, and how many actions the map took; to count them takes a while."""
    return {**more, "actions": actions_of(runs[-1])}


def actions_of(run_id: str) -> int:
    """Return how many actions a run has below its root."""

    async def count() -> int:
        async with open_backend(os.environ[BACKEND], current_config()) as opened:  # type: ignore[arg-type]
            return sum([1 async for _ in opened.store.list_actions(run_id)]) - 1

    return asyncio.run(count())


def main() -> None:
    mode, n = arguments()
    upwell.init(mode=os.environ[BACKEND], state_dir=state_dir())
    first = partial(run, chain, 1)
    if mode in flows.WORK:
        report(first, partial(mapped, mode, n), n, with_actions)
        return
    whole = {"fanout": fan_out, "chain": partial(run, chain), "traces": partial(run, flows.traces)}[mode]
    report(first, partial(whole, n), list(range(n)), lambda: more)


if __name__ == "__main__":
    main()
