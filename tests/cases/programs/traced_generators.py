"""Traces of every kind of function, outside of a task and inside."""

import asyncio

import upwell
from upwell.errors import TraceDoesNotAllowNestedTasksError

env = upwell.TaskEnvironment("traced_generators")


@upwell.trace
def add(x: int, y: int = 1) -> int:
    return x + y


@upwell.trace
def count(n: int):
    yield from range(n)


@upwell.trace
async def tokens(text: str):
    for word in text.split():
        await asyncio.sleep(0)
        yield word


@env.task
async def child(x: int) -> int:
    return x


@upwell.trace
async def calls_a_task() -> int:
    return await child(1)


@upwell.trace
async def calls_its_function() -> int:
    return await child.forward(2)


@env.task
async def main() -> list[str]:
    seen = [str(add(1)), str(list(count(3))), str([token async for token in tokens("a b c")])]
    try:
        await calls_a_task()
    except TraceDoesNotAllowNestedTasksError as e:
        seen.append(e.code)
    seen.append(str(await calls_its_function()))
    return seen


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
