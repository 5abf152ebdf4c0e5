"""What is part of a cache key: inputs that count, and the version. What is not: names, retries, context."""

import random

import upwell

env = upwell.TaskEnvironment("cache_keys", cache=upwell.Cache("auto", version_override="1"))


@env.task
async def draw(x: int, note: str = "") -> float:
    return random.random()


@env.task(cache=upwell.Cache("auto", version_override="1", ignored_inputs="note"))
async def draw_ignoring(x: int, note: str = "") -> float:
    return random.random()


@env.task(cache="disable")
async def main() -> list[bool]:
    first = await draw(1)
    with upwell.custom_context(tenant="a"), upwell.group("b"):
        in_context = await draw(1)
    return [
        await draw(1) == first,
        in_context == first,
        await draw.override(short_name="other", retries=2)(1) == first,
        await draw(2) == first,
        await draw(1, "note") == first,
        await draw.override(cache=upwell.Cache("auto", version_override="2"))(1) == first,
        await draw.override(cache="disable")(1) == first,
        await draw_ignoring(1, "a") == await draw_ignoring(1, "b"),
    ]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
