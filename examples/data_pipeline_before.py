"""The data pipeline before it is tuned: an action per item. `data_pipeline.py` is the same after.

upwell run examples/data_pipeline_before.py main --items 1000
"""

import asyncio

import upwell

env = upwell.TaskEnvironment(
    name="unoptimized-pipeline",
    max_inline_io="256Mi",  # the whole dataset travels by value here; real data goes by reference
)


@env.task
async def process_item(item: dict) -> dict:
    # Very fast operation
    return {"processed": item["id"]}


@env.task
async def process_dataset(items: list[dict]) -> list[dict]:
    # One task per item
    return await asyncio.gather(*[process_item(item) for item in items])


@env.task
async def main(items: int = 200) -> int:
    results = await process_dataset([{"id": i} for i in range(items)])
    return sum(result["processed"] == i for i, result in enumerate(results))


if __name__ == "__main__":
    print(upwell.run(main).outputs())
