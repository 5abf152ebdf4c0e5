"""Fans a task out over iterables."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Literal, Self, TypeVar, overload

from upwell._author.map_batches import check_batch
from upwell._author.map_call import MapCall
from upwell._author.map_source import AnyIterable, is_async_iterable
from upwell._author.map_target import MapTarget
from upwell._author.unset import UNSET, Unset

T = TypeVar("T")


class Map:
    """The type of `upwell.map`."""

    @overload
    def __call__(
        self,
        func: Callable[..., Coroutine[Any, Any, T]],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
    ) -> MapCall[T, T | Exception]: ...
    @overload
    def __call__(
        self,
        func: Callable[..., Coroutine[Any, Any, T]],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
        return_exceptions: Literal[False],
    ) -> MapCall[T, T]: ...
    @overload
    def __call__(
        self,
        func: Callable[..., Coroutine[Any, Any, T]],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
        return_exceptions: bool,
    ) -> MapCall[T | Exception, T | Exception]: ...
    @overload
    def __call__(
        self,
        func: Callable[..., T],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
    ) -> MapCall[T, T | Exception]: ...
    @overload
    def __call__(
        self,
        func: Callable[..., T],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
        return_exceptions: Literal[False],
    ) -> MapCall[T, T]: ...
    @overload
    def __call__(
        self,
        func: Callable[..., T],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
        return_exceptions: bool,
    ) -> MapCall[T | Exception, T | Exception]: ...

    def __call__(
        self,
        func: Callable[..., Any],
        *iterables: AnyIterable,
        group_name: str | None = None,
        concurrency: int = 0,
        batch: int | Literal["auto"] = "auto",
        return_exceptions: bool | Unset = UNSET,
    ) -> MapCall[Any, Any]:
        """Call a task for each tuple of items of the zipped iterables, concurrently; results in input order.

        Nothing starts before the map is awaited or iterated over. `await` gives a list, and raises the first
        failure unless `return_exceptions=True`. `for` (in sync tasks) and `async for` give results as they
        come, failures among them as exceptions, unless `return_exceptions=False`. A failure that is raised
        cancels the rest, as does leaving a loop early. Outside a run, the calls are made one after the other.

        Args:
            func: A task, or `functools.partial` of one that leaves exactly one parameter.
            *iterables: Iterables, async ones too; read no further than calls can start.
            group_name: Name of the group of the calls, after the task's name; `map` by default.
            concurrency: Items that run at once; 0 is as many as the engine takes.
            batch: Items that travel in one action. `auto` finds out: with what the first of them take, so that
                the action costs little beside them; slow ones get an action each. An item keeps its own result,
                cache key, retries and time limit. Tasks with `max_concurrency`, `Cache(serialize=True)`,
                `max_queued` or `deadline` have one action for each item.
            return_exceptions: Whether failures are results. A `RunawayRunError` is always raised.

        Raises:
            TypeError: `func` cannot be mapped, or something is not iterable.
            ValueError: `concurrency` or `batch` is not such a number.

        Example:
            >>> results = await upwell.map(process_batch, batches)  # doctest: +SKIP
        """
        if not iterables:
            raise TypeError("map: give at least one iterable after the task")
        for iterable in iterables:
            if not is_async_iterable(iterable) and not isinstance(iterable, Iterable):
                raise TypeError(
                    f"map: {iterable!r} is not iterable; give a list, a generator or an async iterable"
                )
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 0:
            raise ValueError(f"map: concurrency={concurrency!r} is not a number of calls; give 0 or more")
        target = MapTarget.of(func, len(iterables))
        return MapCall(
            target,
            iterables,
            group=f"{target.task.name}_{group_name or 'map'}",
            concurrency=concurrency,
            return_exceptions=return_exceptions,
            batch=check_batch(batch),
        )

    @property
    def aio(self) -> Self:
        """The same; kept for programs that say `map.aio(...)`."""
        return self


map = Map()  # noqa: A001  # the programming model's name; users write `upwell.map`
