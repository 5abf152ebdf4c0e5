"""DBOS Transact with SQLite, as it comes: a child is a workflow started on the event loop, a trace is a step.

With `BENCH_VARIANT=queue` a child is a workflow on a queue that is polled every 50 ms.
"""

from __future__ import annotations

import asyncio
import logging
import os

from dbos import DBOS
from timing import arguments, report, state_dir

QUEUED = os.environ.get("BENCH_VARIANT") == "queue"
POLL_S = 0.05

DBOS(
    config={
        "name": "bench",
        "system_database_url": f"sqlite:///{state_dir() / 'dbos.sqlite'}",
        "log_level": "ERROR",
        "application_version": "1",
        "executor_id": "bench",
    }
)
logging.getLogger("dbos").setLevel(logging.ERROR)


@DBOS.workflow()
async def echo(x: int) -> int:
    return x


@DBOS.workflow()
def echo_queued(x: int) -> int:
    return x


@DBOS.step()
async def light(x: int) -> int:
    return x


@DBOS.workflow()
async def fan_out(n: int) -> list[int]:
    async def one(x: int) -> int:
        handle = await DBOS.start_workflow_async(echo, x)
        return await handle.get_result()

    return await asyncio.gather(*(one(x) for x in range(n)))


@DBOS.workflow()
def fan_out_queued(n: int) -> list[int]:
    handles = [DBOS.enqueue_workflow("bench", echo_queued, x) for x in range(n)]
    return [handle.get_result(polling_interval_sec=POLL_S) for handle in handles]


@DBOS.workflow()
async def chain(n: int) -> list[int]:
    return [await echo(x) for x in range(n)]


@DBOS.workflow()
async def traces(n: int) -> list[int]:
    return await asyncio.gather(*(light(x) for x in range(n)))


def main() -> None:
    mode, n = arguments()
    DBOS.launch()
    if QUEUED:
        DBOS.register_queue("bench", polling_interval_sec=POLL_S)
    if QUEUED and mode == "fanout":
        report(lambda: fan_out_queued(1), lambda: fan_out_queued(n), list(range(n)))
    else:
        flow = {"fanout": fan_out, "chain": chain, "traces": traces}[mode]
        report(lambda: asyncio.run(chain(1)), lambda: asyncio.run(flow(n)), list(range(n)))
    DBOS.destroy()


if __name__ == "__main__":
    main()
