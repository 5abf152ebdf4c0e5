"""Maps in async code: an async generator, results as they are in order, left early."""

import upwell

env = upwell.TaskEnvironment("map_in_async")


@env.task
async def double(x: int) -> int:
    if x == 3:
        raise ValueError("three")
    return 2 * x


@env.task
def halve(x: int) -> float:
    return x / 2


@env.task
async def main() -> list[str]:
    seen = []
    async for result in upwell.map.aio(double, range(5)):
        seen.append(result if isinstance(result, int) else str(result))
    async for result in upwell.map.aio(double, [1, 2, 4], return_exceptions=False):
        seen.append(result)
        break
    try:
        async for result in upwell.map.aio(double, [3, 4], return_exceptions=False):
            seen.append(result)
    except upwell.errors.RuntimeUserError as e:
        seen.append(f"raised {e}")
    async for result in upwell.map.aio(halve, [1, 2], concurrency=1):
        seen.append(result)
    return [str(value) for value in seen]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
