"""Many items in one action: 1,000 actions in place of a million.

upwell run examples/batching.py main --items 1000000
"""

import asyncio

import upwell

env = upwell.TaskEnvironment(
    name="batching",
    max_inline_io="256Mi",  # the whole dataset travels by value here; real data goes by reference
)


async def process_single_item(item: dict) -> dict:
    return {"processed": item["id"]}


@env.task
async def process_batch(items: list[dict]) -> list[dict]:
    """Process a batch of items in a single task."""
    results = []
    for item in items:
        result = await process_single_item(item)
        results.append(result)
    return results


@env.task
async def process_large_dataset(dataset: list[dict], batch_size: int = 1000) -> list[dict]:
    """Process 1M items with batching."""
    batches = [dataset[i : i + batch_size] for i in range(0, len(dataset), batch_size)]

    # Process batches in parallel (1000 tasks instead of 1M)
    results = await asyncio.gather(*[process_batch(batch) for batch in batches])

    # Flatten results
    return [item for batch_result in results for item in batch_result]


@env.task
async def main(items: int = 10_000, batch_size: int = 1000) -> int:
    """Make a dataset, process it in batches, and return how many items came back in order."""
    results = await process_large_dataset([{"id": i} for i in range(items)], batch_size)
    return sum(result["processed"] == i for i, result in enumerate(results))


if __name__ == "__main__":
    print(upwell.run(main, items=1_000_000).outputs())
