from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from upwell import errors
from upwell._author.context import ctx
from upwell._author.environment import TaskEnvironment
from upwell._author.trace import trace

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    calls.clear()


@trace
async def square(x: int) -> int:
    calls.append(x)
    return x * x


@trace
def cube(x: int) -> int:
    calls.append(x)
    return x**3


@trace
async def nothing() -> None:
    calls.append("nothing")


class TestOutsideARun:
    async def test_it_is_a_plain_call(self) -> None:
        assert await square(3) == 9
        assert cube(2) == 8

    def test_it_looks_like_the_function(self) -> None:
        assert asyncio.iscoroutinefunction(square)
        assert not asyncio.iscoroutinefunction(cube)
        assert cube.__name__ == "cube"


class TestReplay:
    async def test_a_recorded_success_is_not_executed_again(self, engine: Any) -> None:
        async def body() -> list[int]:
            return [await square(2), await square(3)]

        assert await engine.run(body) == [4, 9]
        await engine.next_attempt()
        assert await engine.run(body) == [4, 9]
        assert calls == [2, 3]

    async def test_none_is_a_result_as_well(self, engine: Any) -> None:
        await engine.run(nothing)
        await engine.next_attempt()
        await engine.run(nothing)
        assert calls == ["nothing"]

    async def test_equal_calls_are_told_apart_by_their_number(self, engine: Any) -> None:
        @trace
        async def next_number() -> int:
            calls.append("next")
            return len(calls)

        async def body() -> list[int]:
            return [await next_number() for _ in range(3)]

        assert await engine.run(body) == [1, 2, 3]
        await engine.next_attempt()
        assert await engine.run(body) == [1, 2, 3]

    async def test_another_input_is_another_call(self, engine: Any) -> None:
        await engine.run(square, 2)
        await engine.next_attempt()
        assert await engine.run(square, 5) == 25

    async def test_other_code_is_another_call(self, engine: Any) -> None:
        def first() -> Any:
            @trace
            async def step() -> int:
                return 1

            return step

        def second() -> Any:
            @trace
            async def step() -> int:
                return 2

            return step

        assert await engine.run(first()) == 1
        await engine.next_attempt()
        assert await engine.run(second()) == 2

    async def test_a_crash_in_the_middle_keeps_what_was_done(self, engine: Any) -> None:
        async def body(crash: bool) -> int:
            done = await square(2)
            if crash:
                raise RuntimeError("the machine is gone")
            return done + await square(3)

        with pytest.raises(RuntimeError):
            await engine.run(body, True)
        await engine.next_attempt()
        assert await engine.run(body, False) == 13
        assert calls == [2, 3]

    async def test_results_are_the_same_whether_executed_or_given_back(self, engine: Any) -> None:
        @trace
        async def measure() -> float:
            return 1

        for _ in range(2):
            assert isinstance(await engine.run(measure), float)
            await engine.next_attempt()

    async def test_many_at_once(self, engine: Any) -> None:
        async def body() -> list[int]:
            return await asyncio.gather(*(square(i) for i in range(200)))

        expected = [i * i for i in range(200)]
        assert await engine.run(body) == expected
        await engine.next_attempt()
        assert await engine.run(body) == expected
        assert len(calls) == 200


class TestSyncTraces:
    async def test_in_a_sync_task(self, engine: Any) -> None:
        for _ in range(2):
            assert await engine.run(lambda: cube(2) + cube(3)) == 35
            await engine.next_attempt()
        assert calls == [2, 3]

    @pytest.mark.parametrize("inline_bytes", [1_000, 0])
    async def test_in_an_async_task_the_record_is_written_before_the_attempt_ends(
        self, engine: Any, inline_bytes: int
    ) -> None:
        engine.inline_bytes = inline_bytes

        async def body() -> int:
            return cube(2)

        assert await engine.run(body) == 8
        await engine.next_attempt()
        assert await engine.run(body) == 8
        assert calls == [2]

    async def test_large_results_in_a_sync_task(self, engine: Any) -> None:
        engine.inline_bytes = 0
        for _ in range(2):
            assert await engine.run(lambda: cube(2)) == 8
            await engine.next_attempt()
        assert calls == [2]

    async def test_failures_are_recorded(self, engine: Any) -> None:
        @trace
        def fail() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            await engine.run(fail)
        assert engine.recorded == ["TestSyncTraces.test_failures_are_recorded.fail".rpartition(".")[2]]


class TestFailures:
    async def test_an_exception_passes_unchanged(self, engine: Any) -> None:
        error = ValueError("Invalid data provided to API")

        @trace
        async def fail() -> None:
            raise error

        with pytest.raises(ValueError, match="Invalid data") as caught:
            await engine.run(fail)
        assert caught.value is error

    async def test_a_recorded_failure_is_executed_again(self, engine: Any) -> None:
        @trace
        async def flaky() -> str:
            calls.append("flaky")
            if len(calls) == 1:
                raise ConnectionError("try again")
            return "ok"

        with pytest.raises(ConnectionError):
            await engine.run(flaky)
        await engine.next_attempt()
        assert await engine.run(flaky) == "ok"

    async def test_unless_it_cannot_be_recovered(self, engine: Any) -> None:
        @trace
        async def fatal() -> None:
            calls.append("fatal")
            raise errors.NonRecoverableError("never")

        for _ in range(2):
            with pytest.raises(errors.NonRecoverableError, match="never"):
                await engine.run(fatal)
            await engine.next_attempt()
        assert calls == ["fatal"]

    async def test_a_cancelled_call_is_not_recorded(self, engine: Any) -> None:
        started = asyncio.Event()

        @trace
        async def forever() -> None:
            started.set()
            await asyncio.Event().wait()

        running = asyncio.create_task(engine.run(forever))
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert engine.recorded == []

    async def test_a_wrong_result_is_a_failure(self, engine: Any) -> None:
        @trace
        async def wrong() -> int:
            return "three"  # type: ignore[return-value]  # that is the point

        with pytest.raises(errors.RuntimeDataValidationError):
            await engine.run(wrong)

    async def test_a_wrong_argument_is_a_type_error(self, engine: Any) -> None:
        with pytest.raises(TypeError, match="'x'"):
            await engine.run(square, "two")


class TestNesting:
    async def test_each_level_is_recorded(self, engine: Any) -> None:
        @trace
        async def climb(x: int, level: int) -> int:
            calls.append(x)
            return x if x == level else await climb(x + 1, level)

        for _ in range(2):
            assert await engine.run(climb, 0, 4) == 4
            await engine.next_attempt()
        assert calls == [0, 1, 2, 3, 4]
        assert len(engine.recorded) == 5

    async def test_calls_after_a_trace_given_back_keep_their_numbers(self, engine: Any) -> None:
        numbers = iter(range(10))

        @trace
        async def draw() -> int:
            return next(numbers)

        @trace
        async def outer() -> int:
            return await draw()

        async def body() -> list[int]:
            return [await outer(), await draw()]

        assert await engine.run(body) == [0, 1]
        await engine.next_attempt()
        assert await engine.run(body) == [0, 1]

    async def test_the_context_names_the_trace_and_the_task(self, engine: Any) -> None:
        @trace
        async def names() -> list[str]:
            action, task = ctx().action, ctx().task_action
            assert action is not None
            assert task is not None
            return [action.name, task.name, action.run_name]

        async def body() -> list[str]:
            inside = await names()
            action = ctx().action
            assert action is not None
            return [*inside, action.name]

        trace_name, *rest = await engine.run(body)
        assert rest == ["a0", "run-1", "a0"]
        assert trace_name in engine.traces


class TestMethods:
    async def test_the_object_is_one_of_the_inputs(self, engine: Any) -> None:
        async def body() -> list[str]:
            return [await Greeter("Ada").greet("hello"), await Greeter("Bob").greet("hello")]

        for _ in range(2):
            assert await engine.run(body) == ["hello Ada", "hello Bob"]
            await engine.next_attempt()
        assert len(calls) == 2


@dataclass
class Greeter:
    name: str

    @trace
    async def greet(self: Greeter, word: str) -> str:
        calls.append(word)
        return f"{word} {self.name}"


class TestDecorating:
    def test_a_task_is_refused(self) -> None:
        env = TaskEnvironment("t")

        @env.task
        def work() -> None: ...

        with pytest.raises(TypeError, match="tasks are recorded"):
            trace(work)

    @pytest.mark.parametrize("thing", [3, int])
    def test_what_is_no_function_is_refused(self, thing: Any) -> None:
        with pytest.raises(TypeError, match="not a function"):
            trace(thing)
