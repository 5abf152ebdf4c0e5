"""Cancelling a call aborts the child, and what the child had started."""

import asyncio
from pathlib import Path

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-cancelled-children")


@env.task
async def grandchild(folder: str) -> None:
    (Path(folder) / "started").touch()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        note(folder, "grandchild cancelled")
        raise


@env.task
async def child(folder: str) -> None:
    try:
        await grandchild(folder)
    except asyncio.CancelledError:
        note(folder, "child cancelled")
        raise


@env.task
async def until_started(folder: str) -> bool:
    while not (Path(folder) / "started").exists():  # noqa: ASYNC110  # another process may make it
        await asyncio.sleep(0.01)
    return True


@env.task
async def fails_when_started(folder: str) -> None:
    await until_started(folder)
    raise ValueError("the first failure")


@env.task
async def main(folder: str) -> list[str]:
    seen = []
    call = asyncio.create_task(child(folder))
    await until_started(folder)
    try:
        await asyncio.wait_for(call, 0.05)
    except TimeoutError:
        seen.append("timed out")
    (Path(folder) / "started").unlink()
    try:
        await asyncio.gather(asyncio.wait_for(child(folder), 60), fails_when_started(folder))
    except upwell.errors.RuntimeUserError as e:
        seen.append(str(e))
    return seen


def check(observed: Observed) -> None:
    assert [action.status for action in observed.of(child)] == ["ABORTED", "ABORTED"]
    if observed.backend != "sandbox":  # there the executors notice with their next heartbeat
        assert [action.status for action in observed.of(grandchild)] == ["ABORTED", "ABORTED"]
        assert sorted(observed.notes)[:2] == ["child cancelled", "child cancelled"]


SCENARIO = Scenario(main, in_folder, value=["timed out", "the first failure"], check=check)
