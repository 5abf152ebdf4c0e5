from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.map import map as upwell_map
from upwell._author.trace import trace

env = TaskEnvironment("streamed")


@env.task
async def echo(x: int) -> int:
    return x


@env.task
async def add(x: int, y: int) -> int:
    return x + y


@env.task
async def fail_at_two(x: int) -> str:
    if x == 2:
        raise ValueError("Intentional error for testing")
    return f"ok {x}"


@env.task
def half(x: int) -> float:
    return x / 2


class TestStreaming:
    async def test_results_come_in_order_as_soon_as_they_can(self, engine: Any, gate: Any, gated: Any) -> None:
        arrived: asyncio.Queue[Any] = asyncio.Queue()

        async def body() -> None:
            async for x in upwell_map(gated, range(3)):
                arrived.put_nowait(x)

        running = asyncio.create_task(engine.run(body))
        await gate.until_started(3)
        gate.end(1).set()
        gate.end(0).set()
        assert [await arrived.get(), await arrived.get()] == [0, 1]
        assert not running.done()
        gate.end(2).set()
        await running
        assert arrived.get_nowait() == 2

    async def test_failures_are_values_by_default(self, engine: Any) -> None:
        async def body() -> list[Any]:
            return [x async for x in upwell_map(fail_at_two, range(4))]

        results = await engine.run(body)
        assert isinstance(results[2], errors.RuntimeUserError)
        assert results[3] == "ok 3"

    async def test_or_the_first_one_is_raised(self, engine: Any, gate: Any, gated: Any) -> None:
        seen = []

        async def body() -> None:
            async for x in upwell_map(gated, [1, 2, -3, 4], return_exceptions=False):
                seen.append(x)  # noqa: PERF401  # what was seen before the failure counts

        running = asyncio.create_task(engine.run(body))
        await gate.until_started(4)
        gate.end(1).set()
        gate.end(-3).set()
        with pytest.raises(errors.RuntimeUserError, match="negative: -3"):
            await running
        assert seen == [1]
        assert (engine.cancelled, engine.open) == (2, 0)

    async def test_leaving_the_loop_cancels_what_is_open(self, engine: Any, gate: Any, gated: Any) -> None:
        async def body() -> None:
            async for _ in upwell_map(gated, range(5)):
                break

        gate.end(0).set()
        await engine.run(body)
        await engine.until_idle()
        assert engine.cancelled == 4

    async def test_a_failing_iterable_cancels_what_is_open(self, engine: Any, gate: Any, gated: Any) -> None:
        def items() -> Iterator[int]:
            yield 1
            raise OSError("the file is gone")

        async def body() -> list[int]:
            return await upwell_map(gated, items())

        with pytest.raises(OSError, match="the file is gone"):
            await engine.run(body)
        assert engine.open == 0

    async def test_async_iterables_are_read_while_calls_run(self, engine: Any, gate: Any, gated: Any) -> None:
        feed: asyncio.Queue[int | None] = asyncio.Queue()
        arrived: asyncio.Queue[Any] = asyncio.Queue()

        async def items() -> AsyncIterator[int]:
            while (item := await feed.get()) is not None:
                yield item

        async def body() -> None:
            async for x in upwell_map(gated, items()):
                arrived.put_nowait(x)

        running = asyncio.create_task(engine.run(body))
        feed.put_nowait(1)
        await gate.until_started(1)
        gate.end(1).set()
        assert await arrived.get() == 1
        feed.put_nowait(2)
        feed.put_nowait(None)
        gate.end(2).set()
        await running
        assert arrived.get_nowait() == 2

    async def test_async_and_plain_iterables_mix(self, engine: Any) -> None:
        async def tens() -> AsyncIterator[int]:
            for x in (10, 20, 30):
                yield x

        async def body() -> list[int]:
            return await upwell_map(add, [1, 2], tens())

        assert await engine.run(body) == [11, 22]

    async def test_leaving_while_an_async_iterable_is_awaited(self, engine: Any, gate: Any, gated: Any) -> None:
        closed = asyncio.Event()

        async def items() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                closed.set()

        async def body() -> Any:
            stream = aiter(upwell_map(gated, items()))
            first = await anext(stream)
            await stream.aclose()
            return first

        gate.end(1).set()
        assert await engine.run(body) == 1
        assert closed.is_set()


class TestGroups:
    async def test_calls_are_grouped_under_the_tasks_name(self, engine: Any) -> None:
        async def body() -> None:
            await upwell_map(echo, [1])
            await upwell_map(echo, [1], group_name="batch")
            await echo(1)

        await engine.run(body)
        assert engine.groups == ["streamed.echo_map", "streamed.echo_batch", None]


class TestMisuse:
    async def test_a_map_in_a_trace_is_refused_not_returned(self, engine: Any) -> None:
        @trace
        async def step() -> None:
            async for _ in upwell_map(echo, [1]):
                pass

        with pytest.raises(errors.TraceDoesNotAllowNestedTasksError):
            await engine.run(step)

    async def test_a_sync_loop_in_async_code_is_refused(self, engine: Any) -> None:
        async def body() -> list[Any]:
            return list(upwell_map(half, [1]))

        with pytest.raises(errors.SyncTaskCallInAsyncContextError, match="async for"):
            await engine.run(body)

    @pytest.mark.parametrize(
        ("args", "message"), [((), "at least one"), ((3,), "not iterable"), (([1], None), "not iterable")]
    )
    def test_bad_iterables_are_refused_at_once(self, args: tuple[Any, ...], message: str) -> None:
        with pytest.raises(TypeError, match=message):
            upwell_map(echo, *args)

    def test_a_plain_function_is_refused(self) -> None:
        with pytest.raises(TypeError, match="not a task"):
            upwell_map(print, [1])

    @pytest.mark.parametrize("concurrency", [-1, True, 1.5])
    def test_a_bad_concurrency_is_refused(self, concurrency: Any) -> None:
        with pytest.raises(ValueError, match="concurrency"):
            upwell_map(echo, [1], concurrency=concurrency)
