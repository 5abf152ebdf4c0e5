"""Warm workers with concurrency: a model is loaded once per worker and shared by the actions that run there.

upwell run examples/reusable_containers.py main --n 50
"""

import asyncio
from datetime import timedelta

from async_lru import alru_cache

import upwell

env = upwell.TaskEnvironment(
    name="high-throughput",
    reuse_policy=upwell.ReusePolicy(
        replicas=(2, 10),  # scales from 2 to 10 workers
        concurrency=5,  # 5 actions per worker: at most 50 at once
        scaledown_ttl=timedelta(minutes=10),
        idle_ttl=timedelta(hours=1),
    ),
)


@alru_cache
async def load_model() -> dict[str, int]:
    """Stand for something that takes long to load; it survives between the actions of a worker."""
    await asyncio.sleep(0.1)
    return {"offset": 100}


@env.task
async def process_item(item: dict) -> dict:
    model = await load_model()
    return {"processed": item["id"] + model["offset"]}


@env.task
async def main(n: int = 50) -> list[dict]:
    return await asyncio.gather(*[process_item({"id": i}) for i in range(n)])


if __name__ == "__main__":
    print(upwell.run(main, n=50).outputs())
