"""What tasks print and log is kept by action, attempt and item; secrets, inputs and outputs are not in it."""

import asyncio
import logging

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-logged")


@env.task
async def talks(name: str) -> str:
    for n in range(3):
        print(name, end=" ")
        await asyncio.sleep(0.001)
        print(n)
    return f"result of {name}"


@env.task(retries=1)
def retried() -> int:
    attempt = upwell.ctx().attempt or 0
    print("try", attempt)
    if attempt == 1:
        raise RuntimeError("once more")
    return attempt


@env.task
async def item(n: int) -> int:
    print("item", n)
    return n


@env.task
async def main() -> list[str]:
    print("begins")
    names = await asyncio.gather(talks("left"), talks("right"))
    await retried.aio()
    await upwell.map(item, range(4), batch=2)
    logging.getLogger("case").warning("ends after %d", len(names))
    return names


def check(observed: Observed) -> None:
    def said(task: upwell.TaskTemplate, attempt: int | None = None) -> list[list[str]]:  # type: ignore[type-arg]  # any
        return sorted(
            [
                line.text
                for line in observed.lines
                if line.action_id == action.spec.action_id and attempt in (None, line.attempt)
            ]
            for action in observed.of(task)
        )

    assert said(main) == [["begins", "ends after 2"]]
    assert said(talks) == [[f"{name} {n}" for n in range(3)] for name in ("left", "right")]
    assert (said(retried, 1), said(retried, 2)) == ([["try 1"]], [["try 2"]])
    items = {line.item: line.text for line in observed.lines if line.item}
    assert sorted(items.values()) == [f"item {n}" for n in range(4)]
    assert [line.level for line in observed.lines if line.stream == "logging"] == ["WARNING"]
    assert not any("result of" in line.text for line in observed.lines)


SCENARIO = Scenario(main, value=["result of left", "result of right"], check=check)
