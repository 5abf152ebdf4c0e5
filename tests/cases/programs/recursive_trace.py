"""A trace that calls itself, from a task that is defined after its caller."""

import upwell

env = upwell.TaskEnvironment("recursive_trace")


@upwell.trace
async def climb(x: int, level: int) -> int:
    if x == level:
        return x
    return await climb(x + 1, level)


@env.task
async def main(max_level: int) -> int:
    return await start(max_level + 1)


@env.task
async def start(level: int) -> int:
    return await climb(0, level)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, max_level=3)
    print(run.url)
    run.wait()
