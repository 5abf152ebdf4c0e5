"""`python -m bench.replays --backend sandbox --n 10000`: how often a parent of n children replays.

The parent runs where parents are suspended while they wait: on Lambda in the sandbox; on `local` and `moto` in
an engine in this process that does the same, with a queue in memory. There time is simulated, so that children
may last as long as they like.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import upwell
from bench.clock import Counted, EventClock
from bench.flows import lasting_fan_out, times
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._client.options import RunOptions
from upwell._client.submit import new_run
from upwell._core.model import ROOT_ID, ActionKey, ActionRecord
from upwell._core.ports import BlobStore, StateStore
from upwell._local.blobs import FolderBlobs
from upwell._local.log_files import FileLogs
from upwell._local.platform import LOCAL_SETTINGS, LocalPlatform
from upwell._local.sqlite import SqliteStore
from upwell.testing.flows import result_of

RUN_ID = "replays"
SETTINGS = replace(LOCAL_SETTINGS, heartbeat_s=3600.0, max_in_flight=500, silence_s=3600.0)
"""As in the sandbox; without the heartbeats and looks that a local child would cost at every skip."""


@asynccontextmanager
async def stores(backend: str, folder: Path) -> AsyncIterator[tuple[StateStore, BlobStore]]:
    """Open where records and values are kept: a folder, or moto's tables and bucket."""
    if backend == "local":
        store = SqliteStore(folder / "state.db")
        try:
            yield store, FolderBlobs(folder / "blobs")
        finally:
            store.close()
        return
    from upwell._aws.platform import ports_of
    from upwell.testing.moto_aws import moto_platform

    with moto_platform() as (clients, settings):
        aws = ports_of(clients, settings)
        yield aws.store, aws.blobs


async def in_process(backend: str, n: int, child_s: float) -> ActionRecord:
    """Run the fan-out in this process; return the parent's record."""
    clock = EventClock()
    times.sleep = clock.sleep
    with tempfile.TemporaryDirectory() as folder:
        async with stores(backend, Path(folder)) as opened:
            store, blobs = (cast(Any, Counted(adapter, clock)) for adapter in opened)
            platform = LocalPlatform(store, blobs, Path(folder), clock=clock, settings=SETTINGS, suspends=True)
            encoded = lasting_fan_out.interface.encode_inputs(lasting_fan_out.interface.bind((n, child_s), {}))
            run = await new_run(
                blobs, lasting_fan_out, encoded, RunOptions(), run_id=RUN_ID, bundle=None, now=clock.now()
            )
            passing = asyncio.create_task(clock.run())
            try:
                ended = await platform.run_to_end(run)
                result = await result_of(store, blobs, FileLogs(lambda _: []), ended, lasting_fan_out)
            finally:
                passing.cancel()
                await asyncio.gather(passing, return_exceptions=True)
                await platform.aclose()
            checked(result.unwrap(), n)
            return await recorded(store, RUN_ID)


def on_cloud(backend: str, n: int, child_s: float) -> ActionRecord:
    """Run the fan-out on the sandbox or on AWS; return the parent's record."""
    run = upwell.with_runcontext(mode=backend).run(lasting_fan_out, n, child_s)
    (values,) = run.outputs()
    checked(values, n)

    async def look() -> ActionRecord:
        async with open_backend(backend, current_config()) as opened:  # type: ignore[arg-type]  # one of the modes
            return await recorded(opened.store, run.name)

    return asyncio.run(look())


async def recorded(store: StateStore, run_id: str) -> ActionRecord:
    record = await store.get(ActionKey(run_id, ROOT_ID))
    assert record is not None  # the run has ended
    return record


def checked(values: Any, n: int) -> None:
    if values != list(range(n)):
        raise SystemExit("wrong or out of order")


def measure(backend: str, n: int, child_s: float) -> dict[str, Any]:
    """Run it once and return the figures."""
    start = time.monotonic()
    if backend in {"local", "moto"}:
        parent = asyncio.run(in_process(backend, n, child_s))
    else:
        parent = on_cloud(backend, n, child_s)
    replays = parent.suspension.count if parent.suspension is not None else 0
    assert parent.started_at is not None
    assert parent.ended_at is not None
    return {
        "backend": backend,
        "n": n,
        "child_s": child_s,
        "replays": replays,
        "ends_of_attempts": [attempt.end for attempt in parent.attempts],
        "losses": parent.losses,
        "run_s": round(parent.ended_at - parent.started_at, 1),
        "wall_s": round(time.monotonic() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("local", "moto", "sandbox", "aws"), default="local")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--child-s", type=float, default=20.0, help="a child takes up to so long (%(default)s)")
    parser.add_argument("--at-most", type=int, help="fail when there are more replays than this")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.backend, options.n, options.child_s)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>17}  {value}")
    if options.at_most is not None and figures["replays"] > options.at_most:
        raise SystemExit(f"{figures['replays']} replays; at most {options.at_most} were allowed")


if __name__ == "__main__":
    main()
