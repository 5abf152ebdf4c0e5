"""How a parent learns of its children's ends: handed over, from the journal, from the records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.core.actions import FAILURE, SUCCESS, spec
from tests.unit.exec.engine import engine

from upwell._core.commands import Abort
from upwell._core.journal import Completed, Journal
from upwell._core.model import ROOT_ID, ActionKey, Status
from upwell._exec.kernel import Kernel
from upwell._exec.transition import transition
from upwell._exec.watch import Watch

PARENT = ActionKey("run", ROOT_ID)


def ended(child: str = "child", *, at: float = 1.0, generation: int = 1) -> Completed:
    return Completed(at=at, generation=generation, action_id=child, outcome=SUCCESS)


@pytest.fixture
async def kernel(tmp_path: Path) -> AsyncIterator[Kernel]:
    async with engine(tmp_path, poll_min_s=0.001, poll_max_s=0.01, silence_s=0.05) as local:
        yield local.platform.kernel


@pytest.fixture
async def watch(kernel: Kernel) -> AsyncIterator[Watch]:
    watch = Watch(kernel, PARENT, Journal(1))
    watch._journal.sent("child", 0)
    yield watch
    await watch.close()


async def test_an_outcome_is_handed_over_in_memory(kernel: Kernel, watch: Watch) -> None:
    waiting = watch.expect("child")
    kernel.hub.hand_over(PARENT, ended())
    assert waiting.done()
    assert waiting.result() == SUCCESS


async def test_an_outcome_is_read_from_the_journal(kernel: Kernel, watch: Watch) -> None:
    waiting = watch.expect("child")
    await kernel.ports.store.append(PARENT, 0, [ended()])
    assert await asyncio.wait_for(waiting, 5) == SUCCESS


async def test_what_is_known_already_is_there_at_once(kernel: Kernel, watch: Watch) -> None:
    watch._journal.apply([ended()])
    assert watch.expect("child").done()


async def test_after_a_silence_the_record_itself_is_read(kernel: Kernel, watch: Watch) -> None:
    """Its journal entry is lost with the executor that would have written it."""
    waiting = watch.expect("child")
    key = ActionKey("run", "child")
    await transition(kernel.ports.store, kernel.ports.clock, key, Abort(spec=spec(), reason="r"))
    outcome = await asyncio.wait_for(waiting, 5)
    assert outcome.status is Status.ABORTED


async def test_a_record_of_an_older_generation_is_no_news(kernel: Kernel) -> None:
    watch = Watch(kernel, PARENT, Journal(2))
    waiting = watch.expect("child")
    key = ActionKey("run", "child")
    await transition(kernel.ports.store, kernel.ports.clock, key, Abort(spec=spec(), reason="r"))
    await asyncio.sleep(0.2)  # several silences
    assert not waiting.done()
    await watch.close()


async def test_a_store_that_is_out_of_reach_for_a_while_is_not_the_tasks_business(
    kernel: Kernel, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, left = kernel.ports.store.read, 3

    async def failing(parent: ActionKey, shard: int, after: str = "") -> object:
        nonlocal left
        if left > 0:
            left -= 1
            raise OSError("the store is away")
        return await read(parent, shard, after)

    monkeypatch.setattr(kernel.ports.store, "read", failing)
    waiting = watch.expect("child")
    await kernel.ports.store.append(PARENT, 0, [ended()])
    assert await asyncio.wait_for(waiting, 5) == SUCCESS
    assert left == 0


async def test_a_second_wait_after_the_first_one_ended_is_served(kernel: Kernel, watch: Watch) -> None:
    first = watch.expect("child")
    kernel.hub.hand_over(PARENT, ended())
    await first
    watch._journal.sent("second", 0)
    second = watch.expect("second")
    await kernel.ports.store.append(PARENT, 0, [ended("second", at=2.0)])
    assert await asyncio.wait_for(second, 5) == SUCCESS


async def test_a_wait_that_was_given_up_disturbs_nobody(kernel: Kernel, watch: Watch) -> None:
    given_up, other = watch.expect("child"), watch.expect("other")
    given_up.cancel()
    kernel.hub.hand_over(PARENT, ended())
    watch.settled("child")
    kernel.hub.hand_over(PARENT, replace(ended("other"), outcome=FAILURE))
    assert other.result() == FAILURE


async def test_a_closed_watch_takes_nothing_more(kernel: Kernel, watch: Watch) -> None:
    waiting = watch.expect("child")
    await watch.close()
    kernel.hub.hand_over(PARENT, ended())
    assert not waiting.done()
