from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from upwell._author.environment import TaskEnvironment
from upwell._author.trace import trace

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    calls.clear()


@trace
def count(n: int) -> Iterator[int]:
    for i in range(n):
        calls.append(i)
        yield i


@trace
async def stream(n: int) -> AsyncIterator[int]:
    for i in range(n):
        calls.append(i)
        yield i


class TestGenerators:
    async def test_outside_a_run_they_are_plain_generators(self) -> None:
        assert list(count(2)) == [0, 1]
        assert [x async for x in stream(2)] == [0, 1]

    async def test_an_async_generator_yields_its_recorded_items_again(self, engine: Any) -> None:
        async def body() -> list[int]:
            return [x async for x in stream(3)]

        for _ in range(2):
            assert await engine.run(body) == [0, 1, 2]
            await engine.next_attempt()
        assert calls == [0, 1, 2]

    async def test_a_sync_generator_too(self, engine: Any) -> None:
        for _ in range(2):
            assert await engine.run(lambda: list(count(3))) == [0, 1, 2]
            await engine.next_attempt()
        assert calls == [0, 1, 2]

    async def test_and_in_an_async_task(self, engine: Any) -> None:
        async def body() -> list[int]:
            return list(count(3))

        for _ in range(2):
            assert await engine.run(body) == [0, 1, 2]
            await engine.next_attempt()
        assert calls == [0, 1, 2]

    async def test_items_come_as_they_are_made(self, engine: Any) -> None:
        async def body() -> None:
            async for x in stream(3):
                assert calls == list(range(x + 1))

        await engine.run(body)

    async def test_items_have_their_types(self, engine: Any) -> None:
        @dataclass
        class Point:
            x: int

        @trace
        def points() -> Generator[Point, None, None]:
            yield Point(1)
            yield Point(2)

        for _ in range(2):
            assert await engine.run(lambda: list(points())) == [Point(1), Point(2)]
            await engine.next_attempt()

    async def test_the_context_is_the_traces_only_inside(self, engine: Any) -> None:
        env = TaskEnvironment("gen")

        @env.task
        async def child(x: int) -> int:
            return x + 1

        async def body() -> list[int]:
            return [await child(x) async for x in stream(2)]

        assert await engine.run(body) == [1, 2]

    async def test_a_generator_that_is_left_is_closed_and_not_recorded(self, engine: Any) -> None:
        closed = []

        @trace
        def endless() -> Iterator[int]:
            try:
                while True:
                    yield 1
            finally:
                closed.append(True)

        def body() -> int:
            for x in endless():
                return x
            return 0

        assert await engine.run(body) == 1
        assert (closed, engine.recorded) == ([True], [])

    async def test_a_failure_half_way_is_executed_again(self, engine: Any) -> None:
        @trace
        async def flaky() -> AsyncIterator[int]:
            yield 1
            calls.append("try")
            if len(calls) == 1:
                raise ConnectionError("half way")
            yield 2

        async def body() -> list[int]:
            return [x async for x in flaky()]

        with pytest.raises(ConnectionError):
            await engine.run(body)
        await engine.next_attempt()
        assert await engine.run(body) == [1, 2]
