"""Tasks of a reusable environment share module globals, and keep a context of their own."""

import asyncio

import upwell

env = upwell.TaskEnvironment(
    "warm_process",
    reusable=upwell.ReusePolicy(replicas=1, concurrency=10, idle_ttl=60),
)
_client = None


async def client() -> dict:
    global _client
    if _client is None:
        _client = {"calls": 0}
    return _client


@env.task
async def use(x: int) -> str:
    shared = await client()
    shared["calls"] += 1
    await asyncio.sleep(0.01)
    return upwell.ctx().action.name


@env.task
async def calls() -> int:
    return (await client())["calls"]


@env.task
async def main() -> list[bool]:
    names = await asyncio.gather(*[use(i) for i in range(20)])
    return [len(set(names)) == 20, await calls() >= 20]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
