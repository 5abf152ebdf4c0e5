"""Cancelling a call aborts the child; so does a time limit around it, and the failure of a sibling."""

import asyncio

import upwell

env = upwell.TaskEnvironment("cancelled_child")


@env.task
async def slow(name: str) -> str:
    await asyncio.sleep(60)
    return name


@env.task
async def fails() -> None:
    raise ValueError("no")


@env.task
async def quick() -> str:
    return "quick"


@env.task
async def main() -> list[str]:
    seen = []
    call = asyncio.create_task(slow("cancelled"))
    await asyncio.sleep(0.2)
    call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        seen.append("cancelled")
    try:
        async with asyncio.timeout(0.2):
            await slow("limited")
    except TimeoutError:
        seen.append("limited")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(slow("sibling"))
            group.create_task(fails())
    except* upwell.errors.RuntimeUserError as e:
        seen.append(e.exceptions[0].code)
    calls = [asyncio.create_task(slow("loser")), asyncio.create_task(quick())]
    done, pending = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    seen += [await call for call in done]
    for call in pending:
        call.cancel()
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
