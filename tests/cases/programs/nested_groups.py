"""Groups nest by replacement; each task of a gather has the group of where it was called."""

import asyncio

import upwell

env = upwell.TaskEnvironment("nested_groups")


@env.task
async def where() -> str:
    group = upwell.ctx().group_data
    return group.name if group else "none"


async def call_in(name: str) -> str:
    with upwell.group(name):
        await asyncio.sleep(0)
        return await where()


@env.task
async def main() -> list[str]:
    seen = [await where()]
    with upwell.group("outer"):
        with upwell.group("inner"):
            seen.append(await where())
        seen.append(await where())
    seen += await asyncio.gather(*[call_in(name) for name in ("a", "b", "c")])
    seen.append(await where())
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
