"""A tree of calls: a task that calls itself, and leaves that sleep."""

import asyncio
import random

import upwell

env = upwell.TaskEnvironment("recursive_fan_out", resources=upwell.Resources(cpu="350m", memory="512Mi"))


@env.task
async def leaf(path: list[int], sleep_s: float, jitter_s: float) -> dict:
    slept = sleep_s + random.uniform(-jitter_s, jitter_s)
    await asyncio.sleep(slept)
    return {"path": path, "slept": slept}


@env.task
async def node(widths: list[int], layer: int, path: list[int], sleep_s: float, jitter_s: float) -> int:
    width = widths[layer]
    if layer == len(widths) - 1:
        await asyncio.gather(*[leaf([*path, i], sleep_s, jitter_s) for i in range(width)])
        return width
    children = [node(widths, layer + 1, [*path, i], sleep_s, jitter_s) for i in range(width)]
    return width + sum(await asyncio.gather(*children))


@env.task
async def main(widths: list[int], sleep_s: float = 1.0, jitter_s: float = 0.5) -> int:
    return await node(widths, 0, [], sleep_s, jitter_s)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main, widths=[3, 3, 1], sleep_s=0.1, jitter_s=0.05)
    print(run.url)
    run.wait()
