"""Every call is an action of its own, with a name that a later attempt of its parent comes to again."""

import asyncio

import upwell

env = upwell.TaskEnvironment("identity_of_actions")


@env.task
async def who(x: int) -> list[str]:
    action = upwell.ctx().action
    return [action.name, action.run_name]


@env.task(retries=1)
async def names() -> list[list[str]]:
    found = await asyncio.gather(*[who(1) for _ in range(3)], who(2))
    checkpoint = upwell.ctx().checkpoint
    if upwell.ctx().attempt == 1:
        await checkpoint.save(" ".join(name for name, _ in found).encode())
        raise RuntimeError("once more")
    before = (await checkpoint.load()).read_text().split()
    return [before, [name for name, _ in found]]


@env.task
async def main() -> list[bool]:
    before, after = await names()
    own = upwell.ctx().action
    return [before == after, len(set(after)) == 4, own.name == "a0", (await who(1))[1] == own.run_name]


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
