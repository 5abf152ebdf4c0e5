"""One task over many items with `upwell.map`.

upwell run examples/parallel_map.py main --n 100
"""

import upwell

env = upwell.TaskEnvironment(name="parallel-map")


@env.task
async def process_item(item: dict) -> dict:
    return {"processed": item}


@env.task
async def parallel_processing(items: list[dict]) -> list[dict]:
    """Process items in parallel using map."""
    results = await upwell.map(process_item, items)
    return results


@env.task
async def main(n: int = 100) -> int:
    return len(await parallel_processing([{"id": i} for i in range(n)]))


if __name__ == "__main__":
    print(upwell.run(main).outputs())
