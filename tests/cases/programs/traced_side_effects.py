"""Traces with side effects: some have inputs, some outputs, some neither."""

from typing import Optional

import upwell

env = upwell.TaskEnvironment("traced_side_effects", resources=upwell.Resources(cpu=1, memory="1Gi"))


@upwell.trace
async def square(x: int) -> int:
    return x * x


@upwell.trace
async def show(index: int, value: int):
    print(f"step {index}: {value}")


@upwell.trace
async def answer() -> int:
    return 42


@upwell.trace
async def nothing():
    print("nothing in, nothing out")


@upwell.trace
async def no_text() -> Optional[str]:
    return None


@upwell.trace
async def echo(text: Optional[str]) -> Optional[str]:
    return text


@upwell.trace
async def no() -> bool:
    return False


@env.task
async def main(n: int = 3) -> int:
    total = 0
    for i in range(n):
        value = await square(i)
        await show(i, value)
        total += value
    print("answer:", await answer())
    print("nothing:", await nothing())
    print("no text:", await no_text())
    print("echo:", await echo("hello"), await echo(None))
    print("no:", await no())
    return total


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.with_runcontext().run(main, n=5)
    print(run.url)
    run.wait()
