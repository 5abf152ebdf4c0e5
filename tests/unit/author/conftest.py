"""An engine in memory: the port that tasks, traces and maps talk to, without stores or queues."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextvars import copy_context
from typing import Any

import pytest

from upwell import errors
from upwell._author.context import ActionID, MapAnswers, MapBatch, TaskContext, current
from upwell._author.environment import TaskEnvironment
from upwell._author.task import Task
from upwell._core.ids import Occurrences
from upwell._core.model import ErrorInfo, Outcome, Payload, Status
from upwell._core.sizer import Sizing


class MemoryEngine:
    """Runs children at once, in this process. Traces survive `next_attempt`, as they survive a crash."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._occurrences = Occurrences()
        self._deferred: list[asyncio.Future[object]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.groups: list[str | None] = []
        self.ahead: list[str] = []
        self.batches: list[int] = []
        """Items of the actions that maps made."""
        self.item_s = 60.0
        """What an item takes by this engine's clock: so long that maps make no batches."""
        self.open = 0
        self.most_open = 0
        self.cancelled = 0
        self.traces: dict[str, Outcome] = {}
        self.recorded: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self.inline_bytes = 1_000
        self._now = 1000.0
        self._changed = asyncio.Condition()

    def context(self) -> TaskContext:
        action = ActionID("a0", "run-1")
        return TaskContext(
            action=action, task_action=action, attempt=1, custom_context={"run": "1"}, mode="local", engine=self
        )

    # --- what tests do with it

    async def run(self, func: Callable[..., Any], *args: Any) -> Any:
        """Run a function as a task's: async ones on the loop, others in a thread."""
        context = copy_context()
        context.run(current.set, self.context())
        if inspect.iscoroutinefunction(func):
            return await context.run(asyncio.create_task, func(*args))
        return await self._loop.run_in_executor(None, lambda: context.run(func, *args))

    async def next_attempt(self) -> None:
        await self.finish_deferred()
        self._occurrences = Occurrences()

    async def finish_deferred(self) -> None:
        while self._deferred:
            await self._deferred.pop()

    async def until_idle(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.open == 0)

    # --- Engine

    def call(self, task: Task[..., Any], inputs: Mapping[str, Any]) -> Awaitable[Any]:
        group = current.get().group_data
        self.groups.append(group.name if group else None)
        return self._child(task, dict(inputs))

    async def _child(self, task: Task[..., Any], inputs: dict[str, Any]) -> Any:
        kwargs = task.interface.decode_inputs(task.interface.encode_inputs(inputs))
        self.calls.append((task.name, kwargs))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            value = await self.run(task.func) if not kwargs else await self._run_child(task, kwargs)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        except errors.BaseRuntimeError:
            raise
        except Exception as e:
            raise errors.RuntimeUserError(type(e).__name__, str(e)) from None
        finally:
            self.open -= 1
            async with self._changed:
                self._changed.notify_all()
        return task.interface.decode_output(task.interface.encode_output(value))

    async def _run_child(self, task: Task[..., Any], kwargs: dict[str, Any]) -> Any:
        async def work() -> Any:
            return await task.func(**kwargs)

        def work_in_thread() -> Any:
            return task.func(**kwargs)

        return await self.run(work if task.is_async else work_in_thread)

    @property
    def sizing(self) -> Sizing:
        return Sizing(slots=4)

    def begin_map(self, task: Task[..., Any], inputs: str) -> tuple[str, Mapping[int, int]]:
        return self._occurrences.next_id("a0", f"map {task.name}", inputs, None), {}

    async def call_items(self, task: Task[..., Any], batch: MapBatch) -> MapAnswers:
        """Run items one after the other."""
        self.batches.append(len(batch.inputs))
        results: list[Any] = []
        for encoded in batch.inputs:
            try:
                results.append(await self.call(task, task.interface.decode_inputs(encoded)))
            except errors.BaseRuntimeError as e:
                results.append(e)
        self._now += self.item_s * len(results)
        return MapAnswers(results=results, ran_s=self.item_s * len(results), size_bytes=0)

    def block_on(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        work.close()
        raise errors.SyncTaskCallInAsyncContextError("on the loop")

    def defer(self, work: Coroutine[Any, Any, object]) -> None:
        self._deferred.append(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop)))

    def map_begins(self, task: str) -> None:
        self.ahead.append(task)

    def map_ends(self, task: str) -> None:
        self.ahead.remove(task)

    def next_trace_id(self, name: str, digest: str) -> str:
        return self._occurrences.next_id("a0", name, digest, None)

    def find_trace(self, trace_id: str) -> Outcome | None:
        return self.traces.get(trace_id)

    async def load(self, payload: Payload) -> bytes:
        await asyncio.sleep(0)
        return self.blobs[payload.blob] if payload.blob else (payload.text or "").encode()

    async def record_trace(
        self, trace_id: str, name: str, started_at: float, result: bytes | BaseException
    ) -> None:
        await asyncio.sleep(0)
        self.recorded.append(name)
        if isinstance(result, BaseException):
            recoverable = not isinstance(result, errors.NonRecoverableError)
            error = ErrorInfo(code=type(result).__name__, message=str(result), recoverable=recoverable)
            self.traces[trace_id] = Outcome(status=Status.FAILED, error=error)
        elif len(result) > self.inline_bytes:
            self.blobs[trace_id] = result
            output = Payload(blob=trace_id, size_bytes=len(result))
            self.traces[trace_id] = Outcome(status=Status.SUCCEEDED, output=output)
        else:
            output = Payload(text=result.decode(), size_bytes=len(result))
            self.traces[trace_id] = Outcome(status=Status.SUCCEEDED, output=output)

    def now(self) -> float:
        self._now += 1
        return self._now


@pytest.fixture
async def engine() -> AsyncIterator[MemoryEngine]:
    """An engine; at the end no asyncio task may be left over."""
    made = MemoryEngine()
    yield made
    await made.finish_deferred()
    left_over = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left_over


class Gate:
    """Calls wait in it until they are let go."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self._ends: dict[int, asyncio.Event] = {}
        self._changed = asyncio.Condition()

    def end(self, x: int) -> asyncio.Event:
        return self._ends.setdefault(x, asyncio.Event())

    async def enter(self, x: int) -> None:
        self.started.append(x)
        async with self._changed:
            self._changed.notify_all()
        await self.end(x).wait()

    async def until_started(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.started) >= count)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def gated(gate: Gate) -> Any:
    """A task that waits in the gate, and fails for negative numbers."""
    env = TaskEnvironment("gated")

    @env.task
    async def wait_in_gate(x: int) -> int:
        await gate.enter(x)
        if x < 0:
            raise ValueError(f"negative: {x}")
        return x

    return wait_in_gate
