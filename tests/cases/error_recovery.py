"""A parent that catches failures goes on: another try with other settings, or a value instead."""

import asyncio

from scenario import Observed, Scenario

import upwell
from upwell import errors

env = upwell.TaskEnvironment("case-error-recovery")


@env.task
async def always_fails() -> int:
    raise ValueError("always")


@env.task
async def needs_room():  # type: ignore[no-untyped-def]  # a task without annotated output
    if upwell.ctx().custom_context == {"room": "much"}:
        return 100
    raise MemoryError("not enough room")


@env.task
async def sleeps() -> int:
    await asyncio.sleep(0.05)
    return 42


@env.task
async def main() -> list[int]:
    seen = []
    try:
        await always_fails()
    except errors.RuntimeUserError as e:
        seen.append(len(e.code))
    try:
        await needs_room()
    except errors.OOMError:
        with upwell.custom_context(room="much"):
            seen.append(await needs_room.override(short_name="again")())
    seen.append(await sleeps())
    return seen


def check(observed: Observed) -> None:
    assert sorted(action.status for action in observed.of(needs_room)) == ["FAILED", "SUCCEEDED"]


SCENARIO = Scenario(main, value=[len("ValueError"), 100, 42], check=check)
