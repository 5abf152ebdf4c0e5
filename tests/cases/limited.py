"""A limited task and a limited environment: never more at once, whichever parent calls."""

import asyncio
from pathlib import Path

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-limited")
narrow = upwell.TaskEnvironment("case-limited-narrow", max_concurrency=2)
CALLS = 4
AT_ONCE = 3


def enter(folder: str, kind: str) -> None:
    """Note that somebody came in, and how many of the kind there are then."""
    action = upwell.ctx().action
    assert action is not None
    mine = Path(folder) / f"{kind}-{action.name}"
    mine.touch()
    note(folder, f"{kind} {len(list(Path(folder).glob(f'{kind}-*')))}")


def leave(folder: str, kind: str) -> None:
    action = upwell.ctx().action
    assert action is not None
    (Path(folder) / f"{kind}-{action.name}").unlink()


@env.task(max_concurrency=AT_ONCE)
async def limited(folder: str, n: int) -> int:
    enter(folder, "task")
    await asyncio.sleep(0.05)  # so that others may come in, if they are let
    leave(folder, "task")
    return n


@narrow.task
async def first(folder: str, n: int) -> int:
    enter(folder, "env")
    await asyncio.sleep(0.05)
    leave(folder, "env")
    return n


@narrow.task(max_concurrency=1)
async def second(folder: str, n: int) -> int:
    enter(folder, "env")
    enter(folder, "second")
    await asyncio.sleep(0.05)
    leave(folder, "second")
    leave(folder, "env")
    return n


@env.task
async def parent(folder: str, n: int) -> int:
    calls = [limited(folder, CALLS * n + i) for i in range(CALLS)]
    return sum(await asyncio.gather(*calls, first(folder, n), second(folder, n)))


@env.task
async def main(folder: str) -> int:
    return sum(await asyncio.gather(*(parent(folder, n) for n in range(3))))


def check(observed: Observed) -> None:
    seen = [text.split() for text in observed.notes]
    most = {kind: max(int(n) for k, n in seen if k == kind) for kind, _ in seen}
    assert most["task"] <= AT_ONCE
    assert most["env"] <= 2
    assert most["second"] == 1
    assert [ends for ends in observed.ends(limited) if ends != ["succeeded"]] == []
    assert len(observed.of(limited)) == 3 * CALLS


SCENARIO = Scenario(main, in_folder, value=sum(range(12)) + 2 * sum(range(3)), check=check)
