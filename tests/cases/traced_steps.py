"""Traces of every kind in one task: no child actions, results as the plain functions give them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Optional

from scenario import Observed, Scenario

import upwell
from upwell.errors import TraceDoesNotAllowNestedTasksError

env = upwell.TaskEnvironment("case-traced-steps")


@upwell.trace
async def square(x: int) -> int:
    return x * x


@upwell.trace
async def show(a: int, b: int) -> None:
    print(a, b)


@upwell.trace
async def nothing() -> None:
    pass


@upwell.trace
async def echo(text: Optional[str]) -> Optional[str]:  # noqa: UP045  # as users write it
    return text


@upwell.trace
async def no() -> bool:
    return False


@upwell.trace
def in_thread(x: int) -> int:
    return -x


@upwell.trace
def count_down(n: int) -> Iterator[int]:
    yield from range(n, 0, -1)


@upwell.trace
async def letters(n: int) -> AsyncIterator[str]:
    for i in range(n):
        yield chr(97 + i)


@upwell.trace
async def climb(x: int, level: int) -> int:
    return x if x == level else await climb(x + 1, level)


@upwell.trace
async def ask(payload: dict[str, str]) -> dict[str, str]:
    if payload == {"invalid": "data"}:
        raise ValueError("Invalid data provided to API")
    return payload


@upwell.trace
async def where() -> list[str]:
    context = upwell.ctx()
    assert context.action is not None
    assert context.task_action is not None
    return [context.action.name, context.task_action.name]


@env.task
async def child() -> int:
    return 1


@upwell.trace
async def calls_a_task() -> int:
    return await child()


@upwell.trace
async def forwards() -> int:
    return await child.forward()


@env.task
def sync_steps() -> list[int]:
    return [in_thread(3), *count_down(3)]


@env.task
async def main(n: int) -> dict[str, Any]:
    total = 0
    for i in range(n):
        total += await square(i)
        await show(i, total)
    await nothing()
    with upwell.group("traces"):
        squares = await asyncio.gather(*[square(i) for i in range(20)])
    try:
        answer = await ask({"invalid": "data"})
    except Exception as e:
        answer = {"status": type(e).__name__, "message": str(e)}
    try:
        await calls_a_task()
    except TraceDoesNotAllowNestedTasksError as e:
        refused = e.code
    names = await where()
    return {
        "total": total,
        "squares": sum(squares),
        "echo": [await echo(None), await echo("x")],
        "no": await no(),
        "on the loop": [in_thread(1), *count_down(2)],
        "letters": [letter async for letter in letters(3)],
        "climbed": await climb(0, 3),
        "answer": answer,
        "refused": refused,
        "forwarded": await forwards(),
        "own id": names[0] != names[1] == "a0",
        "sync": await sync_steps.aio(),
    }


def check(observed: Observed) -> None:
    assert {action.spec.task.name for action in observed.actions} == {main.name, sync_steps.name}


SCENARIO = Scenario(
    main,
    {"n": 5},
    value={
        "total": 30,
        "squares": 2470,
        "echo": [None, "x"],
        "no": False,
        "on the loop": [-1, 2, 1],
        "letters": ["a", "b", "c"],
        "climbed": 3,
        "answer": {"status": "ValueError", "message": "Invalid data provided to API"},
        "refused": "TraceDoesNotAllowNestedTasksError",
        "forwarded": 1,
        "own id": True,
        "sync": [-3, 3, 2, 1],
    },
    check=check,
)
