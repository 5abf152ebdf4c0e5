"""One async core, two ways to call it: `f(...)` blocks, `await f.aio(...)` does not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

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

    thread = threading.Thread(target=target, name="upwell-blocking-call", daemon=True)
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
