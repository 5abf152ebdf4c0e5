"""A parent that is tried again does not repeat the children and traces that succeeded."""

import os
import random
import tempfile

import upwell

env = upwell.TaskEnvironment("replayed_children")


@env.task
async def draw(name: str) -> float:
    return random.random()


@upwell.trace
async def traced_draw() -> float:
    return random.random()


@env.task(retries=2)
async def draws(folder: str) -> list[bool]:
    drawn = [await draw("a"), await draw("a"), await draw("b"), await traced_draw(), await traced_draw()]
    path = os.path.join(folder, "drawn")
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.write(" ".join(map(repr, drawn)))
        raise RuntimeError("once more")
    with open(path) as f:
        before = [float(word) for word in f.read().split()]
    return [len(set(drawn)) == 5, drawn == before]


@env.task
async def main() -> list[bool]:
    return await draws(tempfile.mkdtemp())


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
