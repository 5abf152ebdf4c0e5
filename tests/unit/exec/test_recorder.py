"""How traces reach the journal: together, behind the task, never later than what depends on them."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.exec.engine import RUN_ID, Engine, engine

import upwell
from upwell import errors
from upwell._core.journal import Entry, Hits, Journal, Traced, Traces
from upwell._core.limits import TRACE_GROUP_BYTES, TRACE_GROUP_ITEMS
from upwell._core.model import ROOT_ID, ActionKey, ActionRecord, ActionSpec, Payload, RunSpec, Status, TaskSpec
from upwell._core.wire import dump_entry
from upwell._exec import recorder as recorder_module
from upwell._exec.boundary import TraceRecord
from upwell._exec.recorder import AT_RISK_S, Recorder
from upwell._exec.replay import read_journal

N = 1000
KEY = ActionKey(RUN_ID, ROOT_ID)
env = upwell.TaskEnvironment("recorder")
executed: list[object] = []


@upwell.trace
async def square(n: int) -> int:
    executed.append(n)
    return n * n


@upwell.trace
def cube(n: int) -> int:
    return n**3


@upwell.trace
async def text(n: int, length: int) -> str:
    return str(n).zfill(length)


@env.task
async def one_by_one(n: int) -> int:
    return sum([await square(number) for number in range(n)])


@env.task
async def together(n: int) -> int:
    return sum(await asyncio.gather(*(square(number) for number in range(n))))


@env.task
async def from_a_loop(n: int) -> int:
    return sum(cube(number) for number in range(n))


@env.task
async def tripled(n: int) -> int:
    return 3 * n


@env.task
async def then_a_child() -> int:
    return await tripled(await square(2))


@env.task
async def deferred_then_a_child() -> int:
    return await tripled(cube(2))


@env.task(cache=upwell.Cache("auto", version_override="1"))
async def kept(n: int) -> int:
    return n + 1


@env.task
async def then_a_hit() -> int:
    await kept(4)
    await square(1)  # the next one is in a burst
    return await kept(await square(2))


@env.task
async def long_texts(n: int, length: int) -> int:
    return len(await asyncio.gather(*(text(number, length) for number in range(n))))


class Appends:
    """What a store is asked to append; it may be made to wait, or to fail once."""

    def __init__(self, store: Any) -> None:
        self.entries: list[Entry] = []
        self.begun = asyncio.Event()
        self.failures: list[Exception] = []
        self.open = asyncio.Event()
        self.open.set()
        self._append = store.append
        store.append = self._counted

    async def _counted(self, parent: ActionKey, shard: int, entries: list[Entry]) -> None:
        self.begun.set()
        await self.open.wait()
        if self.failures:
            raise self.failures.pop()
        self.entries += entries
        await self._append(parent, shard, entries)


def record() -> ActionRecord:
    run = RunSpec(run_id=RUN_ID)
    task = TaskSpec(name="recorder.t", pool="recorder", module="m")
    spec = ActionSpec(run=run, action_id=ROOT_ID, task=task, inputs=Payload(text="{}", size_bytes=2))
    return ActionRecord(spec=spec, status=Status.RUNNING, version=1, generation=1, created_at=0.0)


@pytest.fixture(autouse=True)
def bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, too, traces in a row come in a burst."""
    monkeypatch.setattr(recorder_module, "BURST_S", 3600.0)


async def recorder_of(on: Engine) -> Recorder:
    """Return a recorder that has just recorded a trace."""
    recorder = Recorder(on.platform.kernel, record(), Journal(1))
    await recorder.record(trace(on, 1000), b"1")
    return recorder


def trace(on: Engine, number: int, took_s: float = 0.0) -> TraceRecord:
    started_at = on.platform.kernel.ports.clock.now() - took_s
    return TraceRecord(trace_id=f"t{number}", name="f", started_at=started_at, error=None)


async def take(recorder: Recorder, on: Engine, count: int) -> None:
    for number in range(count):
        await recorder.record(trace(on, number), b"1")


@pytest.mark.parametrize("task", [one_by_one, together, from_a_loop])
async def test_a_thousand_traces_are_tens_of_appends(tmp_path: Path, task: Any) -> None:
    async with engine(tmp_path) as here:
        appends = Appends(here.store)
        (await here.run(task, N)).unwrap()
        assert len(appends.entries) <= N / 20
        journal = Journal(1)
        await read_journal(here.store, KEY, journal)
    assert len(journal.traces) == N


async def test_a_group_is_no_larger_than_an_item_may_be(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        appends = Appends(here.store)
        (await here.run(long_texts, 100, 8000)).unwrap()
        sizes = [len(dump_entry(entry)) for entry in appends.entries]
        journal = Journal(1)
        await read_journal(here.store, KEY, journal)
    assert len(journal.traces) == 100
    assert len(sizes) < 10
    assert max(sizes) < TRACE_GROUP_BYTES + 1000


async def test_a_cheap_trace_does_not_wait_for_its_write_but_its_child_does(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        appends.open.clear()
        await recorder.record(trace(here, 1), b"1")
        written = asyncio.create_task(recorder.written())
        done, _ = await asyncio.wait({written}, timeout=0.05)
        assert (done, appends.entries) == (set(), [])
        appends.open.set()
        await written
        assert [entry.trace_id for entry in appends.entries if isinstance(entry, Traced)] == ["t1"]
        await recorder.close()


@pytest.mark.parametrize("task", [then_a_child, deferred_then_a_child])
async def test_no_child_is_sent_while_a_trace_before_it_is_not_written(tmp_path: Path, task: Any) -> None:
    async with engine(tmp_path) as here:
        appends, sent = Appends(here.store), asyncio.Event()
        appends.open.clear()
        queue: Any = here.platform.kernel.ports.queue
        send = queue.send

        async def watched(pool: str, messages: list[Any]) -> None:
            if messages[0].action.parent_id is not None:
                sent.set()
            await send(pool, messages)

        queue.send = watched
        run, sending = asyncio.create_task(here.run(task)), asyncio.create_task(sent.wait())
        await appends.begun.wait()
        done, _ = await asyncio.wait({sending}, timeout=0.1)
        appends.open.set()
        assert (await run).unwrap() in (12, 24)
        assert not done
        assert sent.is_set()
        sending.cancel()


async def test_no_hit_is_noted_while_a_trace_before_it_is_not_written(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        order: list[type[Entry]] = []
        noted, append = asyncio.Event(), here.store.append

        async def watched(parent: ActionKey, shard: int, entries: list[Entry]) -> None:
            if isinstance(entries[0], Hits):
                noted.set()
            elif isinstance(entries[0], Traced):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(noted.wait(), 0.1)
            await append(parent, shard, entries)
            order.append(type(entries[0]))

        here.store.append = watched
        assert (await here.run(then_a_hit)).unwrap() == 5
        assert order[-2:] == [Traced, Hits]


async def test_a_trace_that_comes_alone_is_written_before_its_call_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as here:
        appends, recorder = Appends(here.store), Recorder(here.platform.kernel, record(), Journal(1))
        await recorder.record(trace(here, 1), b"1")
        assert len(appends.entries) == 1  # the first
        monkeypatch.setattr(recorder_module, "BURST_S", 0.0)
        await recorder.record(trace(here, 2), b"1")
        assert len(appends.entries) == 2
        await recorder.close()


async def test_a_trace_that_took_long_waits_for_its_write(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        await recorder.record(trace(here, 1, took_s=AT_RISK_S), b"1")
        assert len(appends.entries) == 1
        await recorder.close()


async def test_many_short_traces_are_not_left_unwritten(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        await take(recorder, here, TRACE_GROUP_ITEMS - 1)
        assert appends.entries == []
        await recorder.record(trace(here, TRACE_GROUP_ITEMS), b"1")
        [group] = appends.entries
        assert isinstance(group, Traces)
        assert len(group.traces) == TRACE_GROUP_ITEMS
        await recorder.close()


async def test_what_comes_during_a_write_is_in_the_next_one(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        appends.open.clear()
        await recorder.record(trace(here, 0), b"1")
        await appends.begun.wait()
        await take(recorder, here, 50)
        appends.open.set()
        await recorder.close()
        assert [type(entry) for entry in appends.entries] == [Traced, Traces]


async def test_a_call_that_is_cancelled_while_it_waits_takes_nothing_back(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        appends.open.clear()
        waiting = asyncio.create_task(recorder.record(trace(here, 0, took_s=1.0), b"1"))
        await appends.begun.wait()
        waiting.cancel()
        await asyncio.wait({waiting})
        appends.open.set()
        await recorder.close()
        assert len(appends.entries) == 1


async def test_after_a_failed_write_nothing_more_is_recorded(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        recorder = await recorder_of(here)
        appends = Appends(here.store)
        appends.failures.append(ConnectionError("no store"))
        await recorder.record(trace(here, 1), b"1")
        with pytest.raises(ConnectionError):
            await recorder.written()
        with pytest.raises(ConnectionError):
            await recorder.record(trace(here, 2), b"1")
        with pytest.raises(ConnectionError):
            await recorder.close()
        assert appends.entries == []


async def test_an_attempt_whose_traces_were_not_written_does_not_count(tmp_path: Path) -> None:
    async with engine(tmp_path) as here:
        appends = Appends(here.store)
        appends.failures.append(errors.UnavailableError("no store"))
        executed.clear()
        assert (await here.run(one_by_one, 3)).unwrap() == 5
        assert executed == [0, 0, 1, 2]
        action = await here.action_of(one_by_one)
        assert (action.failures, action.attempt) == (0, 2)
