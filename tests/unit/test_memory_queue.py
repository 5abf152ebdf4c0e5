"""What the queue in memory does beyond the contract of queues."""

from __future__ import annotations

import asyncio

from tests.unit.manual_clock import ManualClock, settle

from upwell._core.model import ActionSpec, Payload, RunSpec, TaskSpec
from upwell._core.ports import Delivery
from upwell._core.wire import Message
from upwell._local.queue import MemoryQueue


def message(name: str, run_id: str = "run") -> Message:
    task = TaskSpec(name="env.task", module="program", pool="p")
    payload = Payload(text="{}", size_bytes=2)
    return Message(action=ActionSpec(run=RunSpec(run_id=run_id), action_id=name, task=task, inputs=payload))


def names(deliveries: list[Delivery]) -> list[str]:
    return [delivery.message.action.action_id for delivery in deliveries]


async def test_runs_take_turns() -> None:
    queue = MemoryQueue(ManualClock())
    await queue.send("p", [message(f"large-{n}", "large") for n in range(100)])
    await queue.send("p", [message(f"small-{n}", "small") for n in range(2)])
    assert names(await queue.receive("p", 5, 0, 30)) == [
        "large-0",
        "small-0",
        "large-1",
        "small-1",
        "large-2",
    ]


async def test_a_run_keeps_its_order() -> None:
    queue = MemoryQueue(ManualClock())
    sent = [str(n) for n in range(50)]
    await queue.send("p", [message(name) for name in sent])
    assert names(await queue.receive("p", 50, 0, 30)) == sent


async def test_a_waiting_receiver_wakes_when_a_delay_passes() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    waiting = asyncio.create_task(queue.receive("p", 1, 600, 30))
    await settle()
    await queue.send("p", [message("late")], delay_s=100)
    await queue.send("p", [message("early")], delay_s=50)
    await clock.advance(49)
    assert not waiting.done()
    await clock.advance(1)
    assert names(await waiting) == ["early"]


async def test_a_waiting_receiver_wakes_when_a_visibility_ends() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    await queue.send("p", [message("a")])
    waiting = asyncio.create_task(queue.receive("p", 1, 600, 30))
    taken = await queue.receive("p", 1, 0, 20)
    await settle()
    assert names(taken) == ["a"]
    await clock.advance(20)
    [again] = await waiting
    assert again.received == 2


async def test_a_waiting_receiver_gives_up_after_its_wait() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    waiting = asyncio.create_task(queue.receive("p", 1, 20, 30))
    await settle()
    await clock.advance(20)
    assert await waiting == []
    await settle()
    assert clock.sleepers == []


async def test_receivers_that_began_at_different_times_give_up_each_at_its_own() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    long = asyncio.create_task(queue.receive("p", 1, 30, 30))
    short = asyncio.create_task(queue.receive("p", 1, 10, 30))
    await settle()
    await clock.advance(10)
    assert (short.done(), long.done()) == (True, False)
    await clock.advance(20)
    assert long.result() == []


async def test_one_alarm_serves_one_wait_after_the_other() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    for n in range(3):
        waiting = asyncio.create_task(queue.receive("p", 1, 20, 30))
        await settle()
        assert len(clock.sleepers) == 1
        await queue.send("p", [message(str(n))])
        assert names(await waiting) == [str(n)]
    late = asyncio.create_task(queue.receive("p", 1, 20, 30))
    await settle()
    await clock.advance(20)
    assert late.result() == []


async def test_a_cancelled_receiver_leaves_no_alarm() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    waiting = asyncio.create_task(queue.receive("p", 1, 20, 30))
    await settle()
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    assert clock.sleepers == []


async def test_two_receivers_get_a_message_each() -> None:
    queue = MemoryQueue(ManualClock())
    receivers = [asyncio.create_task(queue.receive("p", 1, 20, 30)) for _ in range(2)]
    await settle()
    await queue.send("p", [message("a"), message("b")])
    assert sorted(names([*await receivers[0], *await receivers[1]])) == ["a", "b"]


async def test_the_wake_up_of_a_cancelled_receiver_goes_to_another() -> None:
    queue = MemoryQueue(ManualClock())
    receivers = [asyncio.create_task(queue.receive("p", 1, 20, 30)) for _ in range(2)]
    await settle()
    await queue.send("p", [message("a")])
    receivers[0].cancel()
    assert names(await receivers[1]) == ["a"]


async def test_messages_that_come_due_while_one_is_taken_wake_the_others() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    waiting = asyncio.create_task(queue.receive("p", 1, 600, 30))
    await settle()
    await queue.send("p", [message("a"), message("b")], delay_s=10)
    clock._now += 10
    assert names(await queue.receive("p", 1, 0, 30)) == ["a"]
    assert names(await waiting) == ["b"]


async def test_a_message_that_was_shown_again_cannot_be_hidden_with_the_old_receipt() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    await queue.send("p", [message("a")])
    [late] = await queue.receive("p", 1, 0, 5)
    await clock.advance(6)
    await queue.hide(late, 30)
    assert names(await queue.receive("p", 1, 0, 5)) == ["a"]


async def test_an_old_receipt_does_not_delete_what_was_received_again() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    await queue.send("p", [message("a")])
    [late] = await queue.receive("p", 1, 0, 5)
    await clock.advance(6)
    await queue.receive("p", 1, 0, 5)
    await queue.delete([late])
    await clock.advance(6)
    [third] = await queue.receive("p", 1, 0, 5)
    assert third.received == 3


async def test_a_message_deleted_after_its_visibility_ended_is_not_received() -> None:
    clock = ManualClock()
    queue = MemoryQueue(clock)
    await queue.send("p", [message("a"), message("b")])
    first, _ = await queue.receive("p", 2, 0, 5)
    await clock.advance(6)
    await queue.delete([first])
    assert names(await queue.receive("p", 2, 0, 5)) == ["b"]


async def test_what_was_deleted_or_extended_takes_no_memory() -> None:
    queue = MemoryQueue(ManualClock())
    for n in range(2000):
        await queue.send("p", [message(str(n))])
        [delivery] = await queue.receive("p", 1, 0, 1_000_000)
        await queue.hide(delivery, 2_000_000)
        await queue.delete([delivery])
    assert len(queue._pools["p"].hidden) < 200
    assert not queue._pools["p"].held
