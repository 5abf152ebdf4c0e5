"""What the console is shown with on each backend: calls in a group, a failure, a report, a call that lasts."""

from __future__ import annotations

import asyncio

import upwell
import upwell.report

env = upwell.TaskEnvironment("stall")


@env.task(retries=1)
async def price(item: int, bad: int) -> float:
    if item == bad:
        raise ValueError(f"item {item} has no price")
    return item * 0.5


@env.task
async def lasting(wait_s: float) -> None:
    await asyncio.sleep(wait_s)


@env.task(report=True)
async def main(items: int = 4, bad: int = -1, wait_s: float = 0.0) -> float:
    """Sum up prices."""
    upwell.report.log(f"<h1>{items} items</h1>")
    await upwell.report.flush.aio()
    if wait_s:
        await lasting(wait_s)
    with upwell.group("prices"):
        return sum(await asyncio.gather(*(price(item, bad) for item in range(items))))
