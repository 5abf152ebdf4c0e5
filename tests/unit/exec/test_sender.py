"""Children go to their queue first, then into the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.core.actions import spec
from tests.unit.exec.engine import Engine, engine

from upwell._core.journal import Entry, Journal, Scheduled
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.model import ROOT_ID, ActionKey, Payload
from upwell._core.ports import PoolNotFoundError
from upwell._core.wire import Message
from upwell._exec.replay import read_journal
from upwell._exec.sender import Sender
from upwell._local.queue import MemoryQueue
from upwell.errors import NotDeployedError

PARENT = ActionKey("run", ROOT_ID)
INPUTS = Payload(text='{"n":1}', size_bytes=7)


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(tmp_path) as local:
        ports = local.platform.kernel.ports
        queue = MemoryQueue(ports.clock)  # nobody serves it
        local.platform.kernel = replace(local.platform.kernel, ports=replace(ports, queue=queue))
        yield local


async def scheduled(local: Engine) -> list[Scheduled]:
    entries: list[Entry] = await read_journal(local.store, PARENT, Journal(1))
    return [entry for entry in entries if isinstance(entry, Scheduled)]


async def send(local: Engine, count: int) -> list[str]:
    """Send children side by side, and return the ids of what is in the queue then."""
    sender = Sender(local.platform.kernel, PARENT, Journal(1))
    await asyncio.gather(*(sender.send(spec(action_id=f"child-{n}"), INPUTS) for n in range(count)))
    await sender.close()
    queue = local.platform.kernel.ports.queue
    received = [d for _ in range(count) for d in await queue.receive("default", 10, 0, 60)]
    return [delivery.message.action.action_id for delivery in received]


async def test_every_child_is_in_the_queue_and_in_the_journal_once(local: Engine) -> None:
    names = [f"child-{n}" for n in range(1000)]
    assert sorted(await send(local, 1000)) == sorted(names)
    journaled = [child.action_id for entry in await scheduled(local) for child in entry.children]
    assert sorted(journaled) == sorted(names)


async def test_a_journal_spreads_over_shards_without_gaps(local: Engine) -> None:
    await send(local, 1000)
    in_shard: dict[int, int] = {}
    for entry in await scheduled(local):
        in_shard[entry.shard] = in_shard.get(entry.shard, 0) + len(entry.children)
    assert in_shard == dict.fromkeys(range(4), JOURNAL_SHARD_ENTRIES)


async def test_children_that_come_together_share_entries(local: Engine) -> None:
    await send(local, 200)
    assert len(await scheduled(local)) <= 4


async def test_a_child_is_in_the_queue_before_the_journal_says_so(
    local: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    queue, store = local.platform.kernel.ports.queue, local.store
    send_on, append_on = queue.send, store.append

    async def noted_send(pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        order.append("send")
        await send_on(pool, messages, delay_s)

    async def noted_append(parent: ActionKey, shard: int, entries: Sequence[Entry]) -> None:
        order.append("append")
        await append_on(parent, shard, entries)

    monkeypatch.setattr(queue, "send", noted_send)
    monkeypatch.setattr(store, "append", noted_append)
    await send(local, 1)
    assert order == ["send", "append"]


async def test_a_pool_that_is_not_deployed_is_named_with_what_to_do(
    local: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(*_: object) -> None:
        raise PoolNotFoundError("default")

    monkeypatch.setattr(local.platform.kernel.ports.queue, "send", missing)
    sender = Sender(local.platform.kernel, PARENT, Journal(1))
    with pytest.raises(NotDeployedError, match=r"'default' .* is not deployed; run `upwell deploy`"):
        await sender.send(spec(), INPUTS)
    assert await scheduled(local) == []
