"""The Flyte 2 SDK's local mode: in memory; with `BENCH_VARIANT=persist` it records its runs in SQLite."""

from __future__ import annotations

import asyncio
import os

from timing import arguments, report, state_dir

os.environ["HOME"] = str(state_dir())  # its database lives below

import flyte

env = flyte.TaskEnvironment(name="bench")


@env.task
async def echo(x: int) -> int:
    return x


@flyte.trace
async def light(x: int) -> int:
    return x


@env.task
async def fan_out(n: int) -> list[int]:
    return await asyncio.gather(*(echo(x) for x in range(n)))


@env.task
async def chain(n: int) -> list[int]:
    return [await echo(x) for x in range(n)]


@env.task
async def traces(n: int) -> list[int]:
    return await asyncio.gather(*(light(x) for x in range(n)))


def run(flow, n: int) -> list[int]:
    return flyte.with_runcontext(mode="local", run_base_dir=str(state_dir())).run(flow, n=n).outputs()[0]


def main() -> None:
    mode, n = arguments()
    flyte.init(local_persistence=os.environ.get("BENCH_VARIANT") == "persist")
    flow = {"fanout": fan_out, "chain": chain, "traces": traces}[mode]
    report(lambda: run(chain, 1), lambda: run(flow, n), list(range(n)))


main()
