from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.map import map as upwell_map

env = TaskEnvironment("looped")


@env.task
def double(x: int) -> int:
    return 2 * x


@env.task
async def double_async(x: int) -> int:
    return 2 * x


@env.task
def fail_at_two(x: int) -> str:
    if x == 2:
        raise ValueError("Intentional error for testing")
    return f"ok {x}"


class TestInASyncTask:
    @pytest.mark.parametrize("task", [double, double_async])
    async def test_a_list_is_in_input_order(self, engine: Any, task: Any) -> None:
        assert await engine.run(lambda: list(upwell_map(task, range(50)))) == [2 * x for x in range(50)]

    async def test_failures_are_values_by_default(self, engine: Any) -> None:
        results = await engine.run(lambda: list(upwell_map(fail_at_two, range(4))))
        assert isinstance(results[2], errors.RuntimeUserError)
        assert results[3] == "ok 3"

    async def test_arithmetic_on_a_failure_raises_it(self, engine: Any) -> None:
        with pytest.raises(errors.RuntimeUserError, match="Intentional"):
            await engine.run(lambda: sum(upwell_map(fail_at_two, [2])))  # type: ignore[arg-type]  # the point

    async def test_or_the_first_failure_is_raised(self, engine: Any) -> None:
        with pytest.raises(errors.RuntimeUserError, match="Intentional") as caught:
            await engine.run(lambda: list(upwell_map(fail_at_two, range(3), return_exceptions=False)))
        assert caught.value.code == "ValueError"

    async def test_iterables_are_read_in_the_tasks_thread(self, engine: Any) -> None:
        threads = set()

        def items() -> Iterator[int]:
            for x in range(5):
                threads.add(threading.current_thread())
                yield double(x)

        assert await engine.run(lambda: list(upwell_map(double, items()))) == [0, 4, 8, 12, 16]
        assert threading.current_thread() not in threads

    async def test_a_result_comes_before_the_iterable_ends(self, engine: Any) -> None:
        def endless() -> Iterator[int]:
            x = 0
            while True:
                yield x
                x += 1

        def body() -> list[Any]:
            results: list[Any] = []
            for x in upwell_map(double, endless(), concurrency=2):
                results.append(x)
                if len(results) == 30:
                    break
            return results

        assert await engine.run(body) == [2 * x for x in range(30)]
        assert engine.most_open <= 2

    async def test_leaving_the_loop_cancels_what_is_open(self, engine: Any) -> None:
        import asyncio

        @env.task
        async def hang(x: int) -> int:
            if x:
                await asyncio.Event().wait()
            return x

        def body() -> Any:
            for x in upwell_map(hang, range(4)):
                return x
            return None

        assert await engine.run(body) == 0
        assert (engine.cancelled, engine.open) == (3, 0)

    async def test_async_iterables_work_as_well(self, engine: Any) -> None:
        async def items() -> AsyncIterator[int]:
            for x in range(3):
                yield x

        assert await engine.run(lambda: list(upwell_map(double, items()))) == [0, 2, 4]

    async def test_a_failing_iterable_ends_the_map(self, engine: Any) -> None:
        def items() -> Iterator[int]:
            yield 1
            raise OSError("the file is gone")

        with pytest.raises(OSError, match="the file is gone"):
            await engine.run(lambda: list(upwell_map(double, items())))
        assert engine.open == 0


class TestOutsideARun:
    def test_a_loop_makes_plain_calls_one_after_the_other(self) -> None:
        assert list(upwell_map(double, [1, 2])) == [2, 4]

    def test_failures_are_values_or_raised(self) -> None:
        results = list(upwell_map(fail_at_two, [1, 2]))
        assert isinstance(results[1], ValueError)
        with pytest.raises(ValueError, match="Intentional"):
            list(upwell_map(fail_at_two, [1, 2], return_exceptions=False))

    async def test_it_can_be_awaited(self) -> None:
        assert await upwell_map(double_async, [1, 2]) == [2, 4]
        assert await upwell_map(double, [1, 2]) == [2, 4]
        with pytest.raises(ValueError, match="Intentional"):
            await upwell_map(fail_at_two, [2])

    async def test_it_can_be_streamed(self) -> None:
        assert [x async for x in upwell_map(double_async, [1, 2])] == [2, 4]

    def test_a_loop_over_an_async_task_says_what_to_do(self) -> None:
        with pytest.raises(errors.UsageError, match="await"):
            list(upwell_map(double_async, [1]))


@env.task
def my_task(batch_id: str, name: str, config: str) -> str:
    return f"{name} {config} {batch_id}"


class TestPartials:
    async def test_the_free_parameter_takes_the_items(self, engine: Any) -> None:
        fixed = partial(my_task, name="daniel", config="shared_config")
        results = await engine.run(lambda: list(upwell_map(fixed, ["0", "1"], return_exceptions=False)))
        assert results == ["daniel shared_config 0", "daniel shared_config 1"]

    async def test_positional_arguments_come_first(self, engine: Any) -> None:
        fixed = partial(my_task, "7", config="c")
        assert await engine.run(lambda: list(upwell_map(fixed, ["a", "b"]))) == ["a c 7", "b c 7"]

    def test_fixing_the_parameter_that_items_go_to_is_an_error(self) -> None:
        with pytest.raises(TypeError) as caught:
            upwell_map(partial(my_task, batch_id="1", config="c"), ["a"])
        assert str(caught.value) == (
            "Parameter 'batch_id' is provided both as positional argument and keyword argument "
            "in partial function looped.my_task."
        )

    @pytest.mark.parametrize(
        "fixed", [partial(my_task), partial(my_task, "1", "2", "3"), partial(my_task, name="x")]
    )
    def test_exactly_one_parameter_is_left(self, fixed: Any) -> None:
        with pytest.raises(TypeError, match="exactly one parameter"):
            upwell_map(fixed, ["a"])

    def test_and_one_iterable_given(self) -> None:
        with pytest.raises(TypeError, match="one iterable"):
            upwell_map(partial(my_task, name="x", config="y"), ["a"], ["b"])
