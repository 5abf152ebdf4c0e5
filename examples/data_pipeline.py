"""The data pipeline after it was tuned: warm workers, concurrency, batches.

upwell run examples/data_pipeline.py main --items 1000000
"""

from datetime import timedelta

import upwell

# Use reusable containers
env = upwell.TaskEnvironment(
    name="optimized-pipeline",
    max_inline_io="256Mi",  # the whole dataset travels by value here; real data goes by reference
    reuse_policy=upwell.ReusePolicy(
        replicas=(5, 20),
        concurrency=10,
        scaledown_ttl=timedelta(minutes=10),
        idle_ttl=timedelta(hours=1),
    ),
)


@env.task
async def process_batch(items: list[dict]) -> list[dict]:
    # Process batch of items
    return [{"processed": item["id"]} for item in items]


@env.task
async def process_dataset(items: list[dict], batch_size: int = 1000) -> list[dict]:
    # Create 1000 tasks (batch size 1000)
    batches = [items[i : i + batch_size] for i in range(0, len(items), batch_size)]

    results = await upwell.map(process_batch, batches)
    return [item for batch in results for item in batch]


@env.task
async def main(items: int = 10_000, batch_size: int = 1000) -> int:
    """Make the items, process them, and return how many came back in order."""
    results = await process_dataset([{"id": i} for i in range(items)], batch_size)
    return sum(result["processed"] == i for i, result in enumerate(results))


if __name__ == "__main__":
    print(upwell.run(main, items=1_000_000).outputs())
