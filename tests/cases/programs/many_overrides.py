"""The same tasks under many short names at once, one of them polled until it is done."""

import asyncio

import upwell

worker_env = upwell.TaskEnvironment("many_overrides_worker", cache="disable")
main_env = upwell.TaskEnvironment("many_overrides_main", cache="disable", depends_on=[worker_env])


@worker_env.task
async def process(short_name: str, index: int) -> str:
    return f"processed: {short_name}-{index}"


@worker_env.task
async def poll(short_name: str, index: int) -> str | int:
    return f"done: {short_name}-{index}"


async def batch(index: int) -> str:
    name = f"process_batch-{index}"
    processed = await process.override(short_name=name)(name, index)
    name = f"poll_batch-{index}"
    polled = await poll.override(short_name=name)(name, index)
    while isinstance(polled, int):
        await asyncio.sleep(polled)
        polled = await poll.override(short_name=name)(name, index)
    return f"{processed} | {polled}"


@main_env.task
async def main() -> list[str]:
    return await asyncio.gather(*[batch(i) for i in range(5)])


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
