"""Traces: calls inside a task whose results are recorded, so that a later attempt need not repeat them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from functools import cached_property, wraps
from typing import Any, ParamSpec, TypeVar, get_args

from upwell._author import context
from upwell._author.declaring import is_async_function
from upwell._author.source import body_digest
from upwell._author.trace_call import TraceCall
from upwell._types.blocking import off_loop
from upwell._types.interface import Interface

P = ParamSpec("P")
R = TypeVar("R")


def trace(func: Callable[P, R]) -> Callable[P, R]:
    """Record the calls of a function, sync or async or a generator of either kind, inside a task.

    A call that an earlier attempt of the task recorded as succeeded is not executed again: its result is given
    back, a generator's items are yielded again. A recorded failure is executed again, unless it was a
    `NonRecoverableError`. Calls are told apart by the function, its code, the inputs, and a count of equal
    calls. Results are what the return annotation makes of them, whether executed or given back. Exceptions pass
    unchanged. Tasks cannot be called inside.

    Outside a run it is the plain function call.

    Raises:
        TypeError: it is a task or a class.

    Example:
        >>> @trace
        ... async def fetch(url: str) -> str:
        ...     return f"content of {url}"
    """
    if isinstance(func, type) or not callable(func) or hasattr(func, "override"):
        raise TypeError(f"@trace: {func!r} is not a function; tasks are recorded by themselves")
    traced = Traced(func)
    run = traced.runner

    def call(*args: Any, **kwargs: Any) -> Any:
        engine = context.engine()
        return func(*args, **kwargs) if engine is None else run(traced, engine, args, kwargs)

    if not traced.is_async or traced.is_generator:
        return wraps(func)(call)

    @wraps(func)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    return call_async  # type: ignore[return-value]  # R is the coroutine that calling it gives


class Traced:
    """A traced function: what identifies it, and how its values are encoded."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func
        self.name: str = getattr(func, "__qualname__", type(func).__qualname__).rpartition("<locals>.")[2]
        self.interface = Interface.of(func, self.name)
        is_async_generator = inspect.isasyncgenfunction(func)
        self.is_generator = is_async_generator or inspect.isgeneratorfunction(func)
        self.is_async = is_async_generator or is_async_function(func)

    @property
    def runner(self) -> Callable[..., Any]:
        """What carries out a call of this kind of function."""
        if self.is_generator:
            return _stream if self.is_async else _iterate
        return _call_async if self.is_async else _call

    @cached_property
    def body(self) -> str:
        """Hash of its code."""
        return body_digest(self.func)

    @cached_property
    def output(self) -> Interface:
        """Encodes the result: of a generator, the list of its items."""
        if not self.is_generator:
            return self.interface
        items = get_args(self.interface.return_annotation)[:1]

        def collect() -> Any: ...

        collect.__annotations__ = {"return": list[items[0] if items else Any]}  # type: ignore[misc]
        self._collect = collect  # an interface holds its function weakly
        return Interface.of(collect, self.name)

    def encoded(self, arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> bytes:
        """Return the arguments of a call, encoded.

        Raises:
            TypeError: one has a wrong type or cannot be recorded.
            ValueError: one is missing or unknown.
        """
        args, kwargs = arguments
        return self.interface.encode_inputs(self.interface.bind(args, kwargs))

    def convert_item(self, item: Any) -> Any:
        """Return an item as it will be when it is given back."""
        return self.output.decode_output(self.output.encode_output([item]))[0]


async def _call_async(traced: Traced, engine: context.Engine, args: Any, kwargs: Any) -> Any:
    output = traced.output
    inputs = await off_loop(traced.encoded, (args, kwargs), is_slow=traced.interface.inputs_move_data)
    call = TraceCall.begin(traced, engine, inputs)
    recorded = call.recorded()
    if recorded is not None:
        data = await engine.load(recorded)
        return await off_loop(output.decode_output, data, is_slow=output.output_moves_data)
    try:
        with call.inside():
            value = await traced.func(*args, **kwargs)
        data = await off_loop(output.encode_output, value, is_slow=output.output_moves_data)
    except Exception as e:
        await call.record(e)
        raise
    await call.record(data)
    return await off_loop(output.decode_output, data, is_slow=output.output_moves_data)


def _call(traced: Traced, engine: context.Engine, args: Any, kwargs: Any) -> Any:
    call = TraceCall.begin(traced, engine, traced.encoded((args, kwargs)))
    recorded = call.recorded()
    if recorded is not None:
        return traced.output.decode_output(call.load_blocking(recorded))
    try:
        with call.inside():
            value = traced.func(*args, **kwargs)
        data = traced.output.encode_output(value)
    except Exception as e:
        call.record_blocking(e)
        raise
    call.record_blocking(data)
    return traced.output.decode_output(data)


async def _stream(traced: Traced, engine: context.Engine, args: Any, kwargs: Any) -> AsyncIterator[Any]:
    call = TraceCall.begin(traced, engine, traced.encoded((args, kwargs)))
    recorded = call.recorded()
    if recorded is not None:
        for item in traced.output.decode_output(await engine.load(recorded)):
            yield item
        return
    items = []
    try:
        async with aclosing(traced.func(*args, **kwargs)) as steps:
            while True:
                with call.inside():
                    try:
                        item = await anext(steps)
                    except StopAsyncIteration:
                        break
                items.append(traced.convert_item(item))
                yield items[-1]
        data = traced.output.encode_output(items)
    except Exception as e:
        await call.record(e)
        raise
    await call.record(data)


def _iterate(traced: Traced, engine: context.Engine, args: Any, kwargs: Any) -> Iterator[Any]:
    call = TraceCall.begin(traced, engine, traced.encoded((args, kwargs)))
    recorded = call.recorded()
    if recorded is not None:
        yield from traced.output.decode_output(call.load_blocking(recorded))
        return
    items = []
    try:
        with closing(traced.func(*args, **kwargs)) as steps:
            while True:
                with call.inside():
                    try:
                        item = next(steps)
                    except StopIteration:
                        break
                items.append(traced.convert_item(item))
                yield items[-1]
        data = traced.output.encode_output(items)
    except Exception as e:
        call.record_blocking(e)
        raise
    call.record_blocking(data)
