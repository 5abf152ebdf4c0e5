"""Children that are still open when their parent ends are aborted, whether it succeeds or fails."""

import asyncio

from scenario import Observed, Scenario

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("case-orphans")


@env.task
async def forever(x: int) -> None:
    await asyncio.sleep(60)


@env.task
async def quick() -> int:
    return 1


@env.task
async def fails() -> None:
    call = asyncio.create_task(forever(1))
    await quick()
    raise ValueError(f"left {call.done()}")


@env.task
async def main() -> str:
    call = asyncio.create_task(forever(2))
    await quick()
    try:
        await fails()
    except RuntimeUserError as e:
        return f"{e} {call.done()}"
    return ""


def check(observed: Observed) -> None:
    assert [action.status for action in observed.of(forever)] == ["ABORTED", "ABORTED"]
    for action in observed.of(forever):
        assert action.outcome is not None
        assert action.outcome.error is not None
        assert "ended" in action.outcome.error.message


SCENARIO = Scenario(main, value="left False False", check=check)
