"""The engine as the user's code sees it: calls of tasks and traces become requests to the `Host`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from contextvars import copy_context
from typing import Any, TypeVar

from upwell import errors
from upwell._author.context import MapAnswers, MapBatch, TaskContext, current
from upwell._author.task import Task
from upwell._core.ids import Occurrences, digest
from upwell._core.model import Outcome, Payload, TaskSpec
from upwell._core.sizer import Sizing
from upwell._core.sizes import too_large
from upwell._exec.batch_calls import BatchCalls
from upwell._exec.blocked import Tasks, has_timers, watch_tasks
from upwell._exec.boundary import Answer, Call, Host, Start, TraceRecord
from upwell._exec.failure import describe, revive
from upwell._types.blocking import off_loop
from upwell._types.io_context import IoContext

T = TypeVar("T")
log = logging.getLogger("upwell.driver")


class Session:
    """Implements `_author.context.Engine` for one attempt of an action.

    Args:
        start: The attempt.
        host: The engine's half of it.
        io: How blobs are read here.
    """

    def __init__(self, start: Start, host: Host, io: IoContext) -> None:
        self._io = io
        self._start = start
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._occurrences = Occurrences()
        self._counting = threading.Lock()
        self._deferred: set[Future[object]] = set()
        self._none_deferred = asyncio.Event()
        self._blocking: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self._maps: Counter[str] = Counter()
        self._traces_left = set(start.traces)
        self._described: set[str] = set()
        self._active_at = self.now()
        self.on_call: Callable[[], None] = lambda: None
        """Called before each call of a task."""
        self.tasks = Tasks()
        watch_tasks(self._loop)

    @property
    def host(self) -> Host:
        """The engine's half of the attempt."""
        return self._host

    def idle_s(self) -> float:
        """Return for how long the task has waited for its children and done nothing else; 0 if it does."""
        now = self.now()
        if not self.tasks.wait_for_children_only() or has_timers(self._loop, self):
            self._active_at = now
        return now - self._active_at

    async def settle(self) -> None:
        """Wait for what was deferred; what failed of it is logged, and done again by a later attempt."""
        deferred = map(asyncio.wrap_future, tuple(self._deferred))
        await asyncio.gather(*deferred, return_exceptions=True)

    def stop(self) -> None:
        """Let threads of a sync task that wait for the engine go on, with `CancelledError`."""
        self._stopped = True
        for work in self._blocking:
            work.cancel()

    # --- Engine ---------------------------------------------------------------------------------------------

    def call(self, task: Task[..., Any], inputs: Mapping[str, Any]) -> Awaitable[Any]:
        """See `Engine.call`."""
        return self._here(self._call(task, dict(inputs), current.get()))

    def _here(self, work: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Return an awaitable of engine work that may be awaited on any loop.

        A sync task may start a loop of its own (`asyncio.run`); the engine's futures belong to the engine's.
        """
        if asyncio.get_running_loop() is self._loop:
            return work
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def block_on(self, work: Coroutine[Any, Any, T]) -> T:
        """See `Engine.block_on`."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            work.close()
            raise errors.SyncTaskCallInAsyncContextError(
                "a sync task (or a sync loop over a map) cannot block the event loop; "
                "use `await task.aio(...)`, `await upwell.map(...)` or `async for`"
            )
        context = copy_context()

        async def with_context() -> T:
            task = context.run(asyncio.get_running_loop().create_task, work)
            self._blocking.add(task)
            if self._stopped:
                task.cancel()
            try:
                return await task
            finally:
                self._blocking.discard(task)

        try:
            return asyncio.run_coroutine_threadsafe(with_context(), self._loop).result()
        except CancelledError as e:  # an Exception, which `except Exception` of a task would take for a failure
            raise asyncio.CancelledError(*e.args) from None

    def defer(self, work: Coroutine[Any, Any, object]) -> None:
        """See `Engine.defer`."""
        deferred = asyncio.run_coroutine_threadsafe(work, self._loop)
        with self._counting:
            self._deferred.add(deferred)
            self._none_deferred.clear()
        deferred.add_done_callback(self._done_after_all)

    def _done_after_all(self, deferred: Future[object]) -> None:
        with self._counting:
            self._deferred.discard(deferred)
            if not self._deferred:
                self._none_deferred.set()
        if not deferred.cancelled() and (error := deferred.exception()) is not None:
            log.warning("a trace could not be recorded", exc_info=error)

    def next_trace_id(self, name: str, inputs: str) -> str:
        """See `Engine.next_trace_id`."""
        with self._counting:  # sync tasks count from threads of their own
            trace_id = self._occurrences.next_id(self._caller(), f"trace {name}", inputs, None)
            self._traces_left.discard(trace_id)
        return trace_id

    def find_trace(self, trace_id: str) -> Outcome | None:
        """See `Engine.find_trace`."""
        return self._start.traces.get(trace_id)

    async def load(self, payload: Payload) -> bytes:
        """See `Engine.load`. It does not need the engine's loop, which a sync trace may be blocking."""
        if payload.blob is None:
            return (payload.text or "").encode()
        uri = f"{self._start.blob_prefix}{payload.blob}"
        blob = await self._io.transfer_for(uri).open_read(uri)
        try:
            return await blob.read()
        finally:
            await blob.close()

    async def record_trace(
        self, trace_id: str, name: str, started_at: float, result: bytes | BaseException
    ) -> None:
        """See `Engine.record_trace`."""
        error = describe(result, self._start.worker) if isinstance(result, BaseException) else None
        trace = TraceRecord(
            trace_id=trace_id, name=name, started_at=started_at, error=error, nested=current.get().in_trace
        )
        data = result if isinstance(result, bytes) else b""
        await self._here(self._host.record_trace(trace, data))

    def map_begins(self, task: str) -> None:
        """See `Engine.map_begins`."""
        with self._counting:
            self._maps[task] += 1

    def map_ends(self, task: str) -> None:
        """See `Engine.map_ends`."""
        with self._counting:
            self._maps[task] -= 1

    @property
    def ahead(self) -> tuple[str, ...]:
        """Tasks of which maps make calls ahead of their consumers, or did until they were left."""
        with self._counting:
            return tuple(task for task, count in self._maps.items() if count)

    @property
    def traces_left(self) -> tuple[str, ...]:
        """Ids of recorded traces that the task has not asked for."""
        return tuple(self._traces_left)

    def now(self) -> float:
        """See `Engine.now`."""
        return self._host.now()

    # --- a call ---------------------------------------------------------------------------------------------

    def _item(self, context: TaskContext) -> str:
        """Return the item of a batch whose code this is the context of; empty in an ordinary action."""
        action = context.task_action
        return action.name if action is not None and self._start.spec.items > 1 else ""

    def _caller(self) -> str:
        """Return whose equal calls are counted."""
        action_id, item = self._start.spec.action_id, self._item(current.get())
        return digest(action_id, item) if item else action_id

    @property
    def sizing(self) -> Sizing:
        """See `Engine.sizing`."""
        return self._start.sizing

    def begin_map(self, task: Task[..., Any], inputs: str) -> tuple[str, Mapping[int, int]]:
        """See `Engine.begin_map`."""
        group = current.get().group_data
        with self._counting:
            map_id = self._occurrences.next_id(
                self._caller(), f"map {task.name}", inputs, group.name if group else None
            )
        return map_id, self._start.batches.get(map_id, {})

    async def call_items(self, task: Task[..., Any], batch: MapBatch) -> MapAnswers:
        """See `Engine.call_items`."""
        context = current.get()
        cached = self._start.spec.run.cache_mode != "off"

        def asked(spec: TaskSpec, inputs: str) -> Call:
            return self._asked(task, spec, inputs, context)

        calls = BatchCalls(asked, self._answer, cached=cached)
        return await self._here(calls.call(task, batch))

    def _asked(self, task: Task[..., Any], spec: TaskSpec, inputs: str, context: TaskContext) -> Call:
        return Call(
            task=spec,
            document=self._document(task, spec),
            input_digest=inputs,
            group=context.group_data.name if context.group_data else None,
            custom_context=dict(context.custom_context or {}),
            ahead=self.ahead,
            item=self._item(context),
        )

    def _document(self, task: Task[..., Any], spec: TaskSpec) -> str:
        """Return what the code of a cached task is, with its first call; empty later on."""
        if spec.cache_parts is None or spec.cache_parts.code in self._described:
            return ""
        self._described.add(spec.cache_parts.code)
        return task.code_document.dump()

    async def _call(self, task: Task[..., Any], inputs: dict[str, Any], context: TaskContext) -> Any:
        interface = task.interface
        encoded = await off_loop(interface.encode_inputs, inputs, is_slow=interface.inputs_move_data)
        if len(encoded) > task.max_inline_io_bytes:
            limit = task.max_inline_io_bytes
            raise errors.InlineIOMaxBytesBreached(too_large(task.name, "inputs", len(encoded), limit))
        spec = task.spec(encoded, cache=self._start.spec.run.cache_mode != "off")
        call = self._asked(task, spec, task.input_digest(encoded), context)
        answer = await self._answer(call, encoded)
        if answer.error is not None:
            raise revive(answer.error)
        return await off_loop(interface.decode_output, answer.data, is_slow=interface.output_moves_data)

    async def _answer(self, call: Call, encoded: bytes) -> Answer:
        if self._deferred:  # the engine must know the traces before what depends on them
            await self._none_deferred.wait()
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in one
        self.tasks.awaiting.add(task)
        self._active_at = self.now()
        self.on_call()
        try:
            return await self._host.call(call, encoded)
        finally:
            self.tasks.awaiting.discard(task)
            self._active_at = self.now()
