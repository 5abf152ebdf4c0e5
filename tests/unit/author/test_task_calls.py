from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.trace import trace
from upwell.errors import PickledValueWarning

env = TaskEnvironment("calls")


@env.task
async def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


@env.task
def triple(x: int, times: int = 3) -> int:
    return times * x


@env.task
def thread_name() -> str:
    return threading.current_thread().name


class TestOutsideARun:
    async def test_an_async_task_is_its_coroutine_function(self) -> None:
        assert await double(4) == 8

    def test_a_sync_task_is_its_function(self) -> None:
        assert triple(4) == 12

    async def test_aio_awaits_both_kinds(self) -> None:
        assert (await double.aio(1), await triple.aio(1, times=5)) == (2, 5)

    async def test_aio_of_a_sync_task_does_not_block_the_loop(self) -> None:
        assert await thread_name.aio() != threading.current_thread().name

    def test_values_are_not_converted(self) -> None:
        unchecked: Any = triple
        assert unchecked("ab") == "ababab"


class TestInsideARun:
    async def test_an_async_task_becomes_a_child(self, engine: Any) -> None:
        async def parent() -> int:
            return await double(4)

        assert await engine.run(parent) == 8
        assert engine.calls == [("calls.double", {"x": 4})]

    async def test_a_sync_task_called_from_a_sync_task_blocks_until_it_is_done(self, engine: Any) -> None:
        assert await engine.run(lambda: triple(2) + triple(3)) == 15
        assert [inputs for _, inputs in engine.calls] == [{"x": 2, "times": 3}, {"x": 3, "times": 3}]

    async def test_a_sync_task_is_awaited_by_aio(self, engine: Any) -> None:
        async def parent() -> list[int]:
            return await asyncio.gather(*(triple.aio(i) for i in range(3)))

        assert await engine.run(parent) == [0, 3, 6]

    async def test_a_sync_task_called_from_async_code_is_refused_by_name(self, engine: Any) -> None:
        async def parent() -> int:
            return triple(1)

        with pytest.raises(errors.SyncTaskCallInAsyncContextError, match=r"triple\.aio"):
            await engine.run(parent)

    async def test_forward_makes_no_child(self, engine: Any) -> None:
        async def parent() -> int:
            return await double.forward(2) + triple.forward(1)

        assert await engine.run(parent) == 7
        assert engine.calls == []

    async def test_missing_arguments_are_a_value_error(self, engine: Any) -> None:
        async def parent() -> None:
            await double()  # type: ignore[call-arg]  # that is the point

        with pytest.raises(ValueError, match="x"):
            await engine.run(parent)

    async def test_wrong_types_are_a_type_error(self, engine: Any) -> None:
        async def parent() -> None:
            await double("three")  # type: ignore[arg-type]  # that is the point

        with pytest.raises(TypeError, match="'x'"):
            await engine.run(parent)

    async def test_tasks_cannot_be_called_in_traces(self, engine: Any) -> None:
        @trace
        async def step() -> int:
            return await double(1)

        @trace
        def sync_step() -> int:
            return triple(1)

        for traced in (step, sync_step):
            with pytest.raises(errors.TraceDoesNotAllowNestedTasksError, match="forward"):
                await engine.run(traced)

    async def test_forward_works_in_traces(self, engine: Any) -> None:
        @trace
        async def step() -> int:
            return await double.forward(21)

        assert await engine.run(step) == 42


class TestLookingLikeTheFunction:
    def test_name_doc_and_signature_are_the_functions(self) -> None:
        assert (double.__name__, double.__doc__) == ("double", "Twice as much.")
        assert list(inspect.signature(triple).parameters) == ["x", "times"]

    def test_its_own_name_starts_with_the_environment(self) -> None:
        assert (double.name, double.short_name, double.module) == ("calls.double", "double", __name__)

    def test_it_knows_its_environment(self) -> None:
        assert double.env is env
        assert double.parent_env() is env
        assert set(env.tasks) == {"calls.double", "calls.triple", "calls.thread_name"}

    async def test_it_is_a_value_for_callable_parameters(self, engine: Any) -> None:
        @env.task
        async def apply(func: Any, x: int) -> int:
            result: int = await func(x)
            return result

        async def plus_one(x: int) -> int:
            return x + 1

        async def parent() -> list[int]:
            return [await apply(double, 3), await apply.override(short_name="plain")(plus_one, 3)]

        with pytest.warns(PickledValueWarning, match="'func'"):
            assert await engine.run(parent) == [6, 4]
