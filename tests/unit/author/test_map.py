from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.map import map as upwell_map
from upwell._author.map_batches import LOOKAHEAD
from upwell._author.map_call import CONCURRENCY_MAX

env = TaskEnvironment("mapped")


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


class TestAwaiting:
    async def test_it_gives_a_list_in_input_order(self, engine: Any, gate: Any, gated: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map(gated, [1, 2, 3])

        running = asyncio.create_task(engine.run(body))
        await gate.until_started(3)
        for x in (3, 1, 2):
            gate.end(x).set()
        assert await running == [1, 2, 3]

    async def test_several_iterables_are_zipped_to_the_shortest(self, engine: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map(add, [1, 2, 3], iter([10, 20]))

        assert await engine.run(body) == [11, 22]

    async def test_an_empty_iterable_gives_an_empty_list(self, engine: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map(echo, [])

        assert await engine.run(body) == []

    async def test_sync_tasks_are_mapped_too(self, engine: Any) -> None:
        async def body() -> list[float]:
            return await upwell_map(half, range(4))

        assert await engine.run(body) == [0.0, 0.5, 1.0, 1.5]

    async def test_the_first_failure_is_raised_and_the_rest_cancelled(
        self, engine: Any, gate: Any, gated: Any
    ) -> None:
        async def body() -> list[int]:
            return await upwell_map(gated, [1, -2, 3])

        running = asyncio.create_task(engine.run(body))
        await gate.until_started(3)
        gate.end(-2).set()
        with pytest.raises(errors.RuntimeUserError, match="negative") as caught:
            await running
        assert caught.value.code == "ValueError"
        assert (engine.cancelled, engine.open) == (2, 0)

    async def test_failures_can_be_results(self, engine: Any) -> None:
        async def body() -> list[Any]:
            return await upwell_map(fail_at_two, range(4), return_exceptions=True)

        results = await engine.run(body)
        assert [str(r) for r in results] == ["ok 0", "ok 1", "Intentional error for testing", "ok 3"]
        assert isinstance(results[2], errors.RuntimeUserError)

    async def test_aio_is_the_same(self, engine: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map.aio(echo, [1])

        assert await engine.run(body) == [1]

    async def test_cancelling_cancels_what_is_open(self, engine: Any, gate: Any, gated: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map(gated, range(5))

        running = asyncio.create_task(engine.run(body))
        await gate.until_started(5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (engine.cancelled, engine.open) == (5, 0)

    async def test_a_slow_call_does_not_hold_up_the_others(self, engine: Any, gate: Any, gated: Any) -> None:
        async def body() -> list[int]:
            return await upwell_map(gated, range(100), concurrency=2)

        running = asyncio.create_task(engine.run(body))
        for x in range(1, 100):
            gate.end(x).set()
        await gate.until_started(100)
        gate.end(0).set()
        assert await running == list(range(100))


class TestLaziness:
    async def test_nothing_starts_before_it_is_used(self, engine: Any) -> None:
        def items() -> Iterator[int]:
            raise AssertionError("read")
            yield 0

        async def body() -> None:
            upwell_map(echo, items())

        await engine.run(body)
        assert engine.calls == []

    @pytest.mark.parametrize("concurrency", [1, 3])
    async def test_concurrency_bounds_calls_and_reading(self, engine: Any, concurrency: int) -> None:
        read: list[int] = []
        ahead = []

        def items() -> Iterator[int]:
            for i in range(50):
                read.append(i)
                yield i

        async def body() -> None:
            done = 0
            async for _ in upwell_map(echo, items(), concurrency=concurrency):
                ahead.append(len(read) - done)
                done += 1

        await engine.run(body)
        assert engine.most_open <= concurrency
        assert max(ahead) <= LOOKAHEAD * concurrency + 1

    async def test_without_concurrency_there_is_a_bound_as_well(self, engine: Any) -> None:
        total = 3 * CONCURRENCY_MAX

        async def body() -> list[int]:
            return await upwell_map(echo, range(total))

        assert await engine.run(body) == list(range(total))
        assert engine.most_open <= CONCURRENCY_MAX

    async def test_an_endless_iterable_can_be_streamed(self, engine: Any) -> None:
        def endless() -> Iterator[int]:
            i = 0
            while True:
                yield i
                i += 1

        async def body() -> list[Any]:
            results: list[Any] = []
            stream = aiter(upwell_map(echo, endless(), concurrency=4))
            async for x in stream:
                results.append(x)
                if x == 20:
                    break
            await stream.aclose()
            return results

        assert await engine.run(body) == list(range(21))
