"""Outputs of a run: one, several, named, none."""

from typing import NamedTuple, Optional

import upwell

env = upwell.TaskEnvironment("several_outputs")


class Split(NamedTuple):
    train: list[int]
    test: list[int]


@env.task
async def split(n: int) -> Split:
    return Split(train=list(range(n)), test=[n])


@env.task
async def pair() -> tuple[int, str]:
    return 1, "one"


@env.task
async def nothing() -> None:
    pass


@env.task
async def maybe(give: bool) -> Optional[tuple[int, int]]:
    return (1, 2) if give else None


@env.task
async def main() -> tuple[list[int], int, str, Optional[str]]:
    train, test = await split(3)
    number, text = await pair()
    assert await nothing() is None
    assert await maybe(True) == (1, 2)
    assert await maybe(False) is None
    return train + test, number, text, None


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
