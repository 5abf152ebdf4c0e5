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


def mapped(work: str, n: int) -> int:
    """Map over n items, print how many actions that took, and return how many came back right."""
    batch = os.environ.get(BATCH, "auto")
    done = upwell.run(flows.mapped, n, work, batch if batch == "auto" else int(batch))
    counts["actions"] = partial(actions_of, done.name)
    return done.outputs()[0]


counts: dict[str, Any] = {}


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
        report(first, partial(mapped, mode, n), n, lambda: {name: count() for name, count in counts.items()})
        return
    flow = {"fanout": flows.fan_out, "chain": chain, "traces": flows.traces}[mode]
    report(first, partial(run, flow, n), list(range(n)))


if __name__ == "__main__":
    main()
