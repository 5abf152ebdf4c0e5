"""What every `ActionQueue` does: in memory, and SQS (emulated in process).

The tests use the fixtures `queue`, `pools` (two names of its queues) and `advance` (lets so many seconds pass)
only, so that another host can run them with fixtures of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

import moto.sqs.models
import pytest
from moto import mock_aws
from moto.core.utils import unix_time, unix_time_millis

from upwell._aws.clients import Clients
from upwell._aws.queue import SqsQueue
from upwell._core.model import ActionSpec, Payload, RunSpec, TaskSpec
from upwell._core.ports import ActionQueue, Delivery
from upwell._core.settings import Settings
from upwell._core.wire import Message
from upwell._local.queue import MemoryQueue

Advance = Callable[[float], Awaitable[None]]
POOLS = ("alpha", "beta")


class ManualClock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, delay_s: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self._now + delay_s, woken))
        await woken.wait()

    async def advance(self, duration_s: float) -> None:
        self._now += duration_s
        for due_at, woken in self._sleepers:
            if due_at <= self._now:
                woken.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].is_set()]
        for _ in range(10):
            await asyncio.sleep(0)


@dataclass(frozen=True)
class Hosted:
    """A queue and how time passes for it."""

    queue: ActionQueue
    advance: Advance


@pytest.fixture(params=["memory", "sqs"])
def hosted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    if request.param == "memory":
        clock = ManualClock()
        yield Hosted(MemoryQueue(clock), clock.advance)
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        clients = Clients(region="us-east-1")
        for pool in POOLS:
            clients.sqs.create_queue(QueueName=f"upwell-test-{pool}")
        settings = Settings(
            prefix="upwell-test",
            bucket="",
            queue_url_prefix="https://sqs.us-east-1.amazonaws.com/123456789012/upwell-test-",
        )
        yield Hosted(SqsQueue(clients, settings), moto_time(monkeypatch))
        clients.close()


def moto_time(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """Return what moves the time of the emulated SQS."""
    seconds, millis = unix_time, unix_time_millis
    passed_s = 0.0
    monkeypatch.setattr(moto.sqs.models, "unix_time", lambda: seconds() + passed_s)
    monkeypatch.setattr(moto.sqs.models, "unix_time_millis", lambda: millis() + passed_s * 1000)

    async def advance(duration_s: float) -> None:
        nonlocal passed_s
        passed_s += duration_s

    return advance


@pytest.fixture
async def queue(hosted: Hosted) -> AsyncIterator[ActionQueue]:
    yield hosted.queue
    if isinstance(hosted.queue, SqsQueue):
        await hosted.queue.aclose()


@pytest.fixture
def advance(hosted: Hosted) -> Advance:
    return hosted.advance


@pytest.fixture
def pools() -> tuple[str, str]:
    return POOLS


def message(name: str, *, run_id: str = "run", text: str = "{}") -> Message:
    task = TaskSpec(name="env.task", module="program", pool="alpha")
    payload = Payload(text=text, size_bytes=len(text))
    spec = ActionSpec(run=RunSpec(run_id=run_id), action_id=name, task=task, inputs=payload)
    return Message(action=spec)


def names(deliveries: list[Delivery]) -> list[str]:
    return sorted(delivery.message.action.action_id for delivery in deliveries)


async def receive(queue: ActionQueue, pool: str, count: int = 10) -> list[Delivery]:
    """Receive what is there now, for 30 seconds."""
    return await queue.receive(pool, count, 0, 30)


async def test_a_message_arrives_as_it_was_sent(queue: ActionQueue, pools: tuple[str, str]) -> None:
    sent = replace(message("a", text='{"x": "Käse \\u0000 \\ud83e\\uddc0"}'), task_token="token")
    await queue.send(pools[0], [sent])
    [delivery] = await receive(queue, pools[0])
    assert delivery.message == sent
    assert (delivery.pool, delivery.received) == (pools[0], 1)


async def test_pools_are_apart(queue: ActionQueue, pools: tuple[str, str]) -> None:
    await queue.send(pools[0], [message("a")])
    assert await receive(queue, pools[1]) == []
    assert names(await receive(queue, pools[0])) == ["a"]


async def test_nothing_is_received_when_nothing_was_sent(queue: ActionQueue, pools: tuple[str, str]) -> None:
    await queue.send(pools[0], [])
    assert await receive(queue, pools[0]) == []


async def test_no_more_messages_come_than_were_asked_for(queue: ActionQueue, pools: tuple[str, str]) -> None:
    await queue.send(pools[0], [message(str(n)) for n in range(5)])
    assert len(await receive(queue, pools[0], 2)) == 2
    assert len(await receive(queue, pools[0], 10)) == 3


async def test_a_received_message_comes_again_when_its_visibility_ends(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    await queue.send(pools[0], [message("a")])
    [first] = await queue.receive(pools[0], 1, 0, 5)
    await advance(4)
    assert await receive(queue, pools[0]) == []
    await advance(2)
    [second] = await receive(queue, pools[0])
    assert second.message == first.message
    assert second.receipt != first.receipt
    assert second.received == 2


async def test_a_deleted_message_never_comes_again(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    await queue.send(pools[0], [message("a"), message("b")])
    deliveries = await receive(queue, pools[0])
    await queue.delete([d for d in deliveries if d.message.action.action_id == "a"])
    await advance(60)
    assert names(await receive(queue, pools[0])) == ["b"]


async def test_many_messages_of_several_pools_are_deleted_at_once(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    deliveries = []
    for pool in pools:
        await queue.send(pool, [message(f"{pool}-{n}") for n in range(12)])
        deliveries += [*await receive(queue, pool), *await receive(queue, pool)]
    assert len(deliveries) == 24
    await queue.delete(deliveries)
    await queue.delete([])
    await advance(60)
    assert [await receive(queue, pool) for pool in pools] == [[], []]


async def test_deleting_twice_is_no_error(queue: ActionQueue, pools: tuple[str, str]) -> None:
    await queue.send(pools[0], [message("a")])
    deliveries = await receive(queue, pools[0])
    await queue.delete(deliveries)
    await queue.delete(deliveries)


async def test_a_delayed_message_waits(queue: ActionQueue, pools: tuple[str, str], advance: Advance) -> None:
    await queue.send(pools[0], [message("a")], delay_s=10)
    assert await receive(queue, pools[0]) == []
    await advance(11)
    assert names(await receive(queue, pools[0])) == ["a"]


async def test_hiding_for_no_time_shows_a_message_at_once(queue: ActionQueue, pools: tuple[str, str]) -> None:
    await queue.send(pools[0], [message("a")])
    [delivery] = await receive(queue, pools[0])
    await queue.hide(delivery, 0)
    [again] = await receive(queue, pools[0])
    assert again.received == 2


async def test_hiding_counts_from_now(queue: ActionQueue, pools: tuple[str, str], advance: Advance) -> None:
    await queue.send(pools[0], [message("a")])
    [delivery] = await queue.receive(pools[0], 1, 0, 5)
    await advance(4)
    await queue.hide(delivery, 20)
    await advance(19)
    assert await receive(queue, pools[0]) == []
    await advance(2)
    assert names(await receive(queue, pools[0])) == ["a"]


async def test_a_stale_receipt_is_no_error(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    await queue.send(pools[0], [message("a")])
    [late] = await queue.receive(pools[0], 1, 0, 5)
    await advance(6)
    [newest] = await receive(queue, pools[0])
    await queue.delete([newest])
    await queue.hide(late, 30)
    await queue.hide(newest, 0)
    await queue.delete([late])
    assert await receive(queue, pools[0]) == []


async def test_large_messages_are_spread_over_several_batches(
    queue: ActionQueue, pools: tuple[str, str]
) -> None:
    text = '"' + "x" * 200_000 + '"'
    await queue.send(pools[0], [message(f"{n:02}", text=text) for n in range(25)])
    received: list[Delivery] = []
    while batch := await receive(queue, pools[0]):
        received += batch
    assert names(received) == [f"{n:02}" for n in range(25)]
    assert {delivery.message.action.inputs.text for delivery in received} == {text}


async def test_a_waiting_receiver_gets_what_is_sent_meanwhile(
    queue: ActionQueue, pools: tuple[str, str]
) -> None:
    waiting = asyncio.create_task(queue.receive(pools[0], 10, 20, 30))
    await asyncio.sleep(0)
    await queue.send(pools[0], [message("a")])
    assert names(await waiting) == ["a"]


async def test_a_cancelled_receiver_loses_nothing(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    waiting = asyncio.create_task(queue.receive(pools[0], 10, 20, 600))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await queue.send(pools[0], [message("a")])
    received = await queue.receive(pools[0], 10, 20, 30)
    assert names(received) == ["a"]


async def test_what_is_ready_or_delayed_is_waiting(
    queue: ActionQueue, pools: tuple[str, str], advance: Advance
) -> None:
    assert await queue.waiting(pools[0]) == 0
    await queue.send(pools[0], [message(name) for name in "abc"])
    await queue.send(pools[0], [message("later")], 5)
    assert await queue.waiting(pools[0]) == 4
    received = await receive(queue, pools[0], 2)
    assert await queue.waiting(pools[0]) == 2, "what somebody works on does not wait"
    await queue.delete(received[:1])
    await advance(31)
    assert await queue.waiting(pools[0]) == 3, "what was not deleted waits again"
    assert await queue.waiting(pools[1]) == 0
