"""Two hundred calls of one trace at once."""

import asyncio

import upwell

env = upwell.TaskEnvironment("trace_fan_out")


@upwell.trace
async def square(x: int) -> int:
    return x * x


@env.task
async def main(n: int) -> list[int]:
    with upwell.group("squares"):
        coroutines = [square(x) for x in range(n)]
        return await asyncio.gather(*coroutines)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, n=200)
    print(run.url)
    run.wait()
