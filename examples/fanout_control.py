"""A million items as at most 10,000 actions of 100 items each.

upwell run examples/fanout_control.py main --items 1000000
"""

import upwell

env = upwell.TaskEnvironment(
    name="fanout-control",
    max_inline_io="256Mi",  # the whole dataset travels by value here; real data goes by reference
)


@env.task
async def process_batch(batch: list[dict]) -> list[dict]:
    return [{"processed": item["id"]} for item in batch]


@env.task
async def process_million_items(items: list[dict]) -> list[dict]:
    """Process the items with controlled fanout."""
    # Target 10k tasks, each processing 100 items
    batch_size = 100
    max_fanout = 10000

    batches = [items[i : i + batch_size] for i in range(0, len(items), batch_size)]
    if len(batches) > max_fanout:
        raise ValueError(f"{len(items)} items make {len(batches)} batches, more than {max_fanout}")

    # Use upwell.map for parallel execution
    results = await upwell.map(process_batch, batches)

    return [item for batch in results for item in batch]


@env.task
async def main(items: int = 10_000) -> int:
    """Make the items, process them, and return how many came back in order."""
    results = await process_million_items([{"id": i} for i in range(items)])
    return sum(result["processed"] == i for i, result in enumerate(results))


if __name__ == "__main__":
    print(upwell.run(main, items=1_000_000).outputs())
