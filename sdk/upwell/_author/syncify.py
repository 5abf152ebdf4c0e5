"""One async core, two ways to call it: `f(...)` blocks, `await f.aio(...)` does not."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import copy_context
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from upwell._types.blocking import run_blocking as run_on_background_loop

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


def run_blocking(work: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine to its end from synchronous code.

    On a thread without a running loop it runs right here, so that breakpoints and Ctrl-C work as usual. Where a
    loop runs already (a notebook, an async framework), it runs on a thread of its own, and the caller waits.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    result: list[R] = []
    failure: list[BaseException] = []

    def target() -> None:
        try:
            result.append(asyncio.run(work))
        except BaseException as e:
            failure.append(e)

    context = copy_context()
    thread = threading.Thread(target=context.run, args=(target,), name="upwell-blocking-call", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


class Bound(Generic[P, R]):
    """A function that can be called both ways."""

    def __init__(self, func: Callable[P, Coroutine[Any, Any, R]]) -> None:
        self.aio = func
        update_wrapper(self, func)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it and wait for the result."""
        return run_blocking(self.aio(*args, **kwargs))


class Twins(Generic[P, R]):
    """A sync function, and its async twin as `.aio`."""

    def __init__(self, sync: Callable[P, R], aio: Callable[P, Coroutine[Any, Any, R]]) -> None:
        self.sync = sync
        self.aio = aio
        update_wrapper(self, sync)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the sync one."""
        return self.sync(*args, **kwargs)


def in_both(func: Callable[P, R]) -> Twins[P, R]:
    """Give a function that waits for nothing an async twin, for code that awaits it."""

    async def aio(*args: P.args, **kwargs: P.kwargs) -> R:
        return func(*args, **kwargs)

    return Twins(func, aio)


class syncify(Generic[S, P, R]):  # noqa: N801  # used as a decorator
    """Make an async method callable from synchronous code, and keep `.aio` for async code."""

    def __init__(self, func: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self._func = func
        self.__doc__ = func.__doc__

    @overload
    def __get__(self, instance: None, owner: type[S]) -> syncify[S, P, R]: ...

    @overload
    def __get__(self, instance: S, owner: type[S]) -> Bound[P, R]: ...

    def __get__(self, instance: S | None, owner: type[S]) -> syncify[S, P, R] | Bound[P, R]:
        """Bind it to an instance."""
        if instance is None:
            return self
        return Bound(partial(self._func, instance))


class syncify_class(Generic[P, R]):  # noqa: N801  # used as a decorator
    """The same for a class method, whose first argument is the class."""

    def __init__(self, func: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self._func = func
        self.__doc__ = func.__doc__

    def __get__(self, instance: object, owner: type) -> Bound[P, R]:
        """Bind it to the class."""
        return Bound(partial(self._func, owner))


class Listing(Generic[R]):
    """A list that is to be fetched: `await` it, or iterate over it with `async for`."""

    def __init__(self, fetch: Callable[[], Coroutine[Any, Any, list[R]]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, None, list[R]]:
        """Fetch it."""
        return self._fetch().__await__()

    async def __aiter__(self) -> AsyncIterator[R]:
        """Fetch it, and yield what it has."""
        for item in await self._fetch():
            yield item


class Lister(Generic[P, R]):
    """A function that lists, and can be called both ways."""

    def __init__(self, func: Callable[P, Coroutine[Any, Any, list[R]]]) -> None:
        self._func = func
        update_wrapper(self, func)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        """Call it and wait for the list."""
        return run_blocking(self._func(*args, **kwargs))

    def aio(self, *args: P.args, **kwargs: P.kwargs) -> Listing[R]:
        """Call it from async code."""
        return Listing(partial(self._func, *args, **kwargs))


class listing(Generic[S, P, R]):  # noqa: N801  # used as a decorator
    """What `syncify` is, for a method that returns a list."""

    def __init__(self, func: Callable[Concatenate[S, P], Coroutine[Any, Any, list[R]]]) -> None:
        self._func = func
        self.__doc__ = func.__doc__

    def __get__(self, instance: S, owner: type[S]) -> Lister[P, R]:
        """Bind it to an instance."""
        return Lister(partial(self._func, instance))


class listing_class(Generic[P, R]):  # noqa: N801  # used as a decorator
    """What `syncify_class` is, for a class method that returns a list."""

    def __init__(self, func: Callable[Concatenate[Any, P], Coroutine[Any, Any, list[R]]]) -> None:
        self._func = func
        self.__doc__ = func.__doc__

    def __get__(self, instance: object, owner: type) -> Lister[P, R]:
        """Bind it to the class."""
        return Lister(partial(self._func, owner))


class Both:
    """What `syncify` makes of a function, a method or a generator of the user's."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.aio = func
        update_wrapper(self, func)

    def __get__(self, instance: object, owner: type | None = None) -> Both:
        """Bind it to an instance."""
        return self if instance is None else Both(partial(self.aio, instance))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it and wait for the result; of an async generator, iterate over what it yields."""
        made = self.aio(*args, **kwargs)
        if inspect.isasyncgen(made):
            return _iterate(made)
        return run_on_background_loop(made)


def to_both(func: Callable[..., Any]) -> Both:
    """Return an async function (or an async generator function) that can be called from sync code, too.

    Raises:
        TypeError: it is not async.

    Example:
        >>> @to_both
        ... async def double(x: int) -> int:
        ...     return 2 * x
        >>> double(2)
        4
    """
    function = func.func if isinstance(func, partial) else func
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise TypeError(f"syncify: {func!r} is not an async function")
    return Both(func)


def _iterate(steps: AsyncIterator[Any]) -> Iterator[Any]:
    while True:
        try:
            yield run_on_background_loop(cast(Coroutine[Any, Any, Any], anext(steps)))
        except StopAsyncIteration:
            return
