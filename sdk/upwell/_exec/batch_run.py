"""Runs the items of a batch: each is called as if it were an action of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Any

from upwell import errors
from upwell._author.context import ActionID, current
from upwell._author.task import Task
from upwell._core.batch import CHECKPOINT, BatchInputs, ItemResult, checkpoint_id, dump_checkpoint, dump_results
from upwell._core.model import ErrorInfo, Status
from upwell._core.retry import retry_delay_s
from upwell._core.sizes import too_large
from upwell._exec.boundary import Ended, Host, Start, TraceRecord
from upwell._exec.failure import describe
from upwell._exec.threads import TaskThread
from upwell._exec.user_calls import exited, guarded, is_ours, over
from upwell._types.blocking import off_loop

SAVE_S = 1.5
"""Finished items are recorded in groups: a crash repeats so much work of a batch, not more."""


class BatchRun:
    """One attempt of a batch.

    Args:
        start: The attempt.
        inputs: Of the batch.
        host: The engine's half.
        context: Each item runs in a copy of it, with a name of its own.
    """

    def __init__(self, start: Start, inputs: bytes, host: Host, context: Context) -> None:
        self._start = start
        self._host = host
        self._context = context
        self._batch = BatchInputs.load(inputs)
        self._limit_s = start.spec.task.bounds.max_runtime_s
        self._results: dict[int, ItemResult] = dict(self._batch.done)
        self._again: dict[int, ErrorInfo] = {}
        self._left = iter([place for place in range(len(self._batch.items)) if place not in self._results])
        self._unsaved: deque[tuple[int, ItemResult]] = deque()
        self._saved_at = host.now()
        self._saver: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._saves_each = start.alone
        self._stopped = False
        self.threads: list[TaskThread[Any]] = []
        """Of sync items; one that was given up may go on."""

    def save_each(self) -> None:
        """From now on record each item when it is done: one of them calls a task, and may wait for long."""
        if not self._saves_each:
            self._saves_each = True
            self._save()

    async def run(self, task: Task[..., Any]) -> Ended:
        """Run the items that are left, and say what came of all."""
        at_once = self._batch.at_once if task.is_async and not self._start.alone else 1
        try:
            if not task.is_async and self._limit_s is None:
                await self._in_thread(task)
            else:
                await self._at_once(task, at_once)
        finally:
            self._stopped = True
        await self._saved()
        return await self._ended()

    async def _ended(self) -> Ended:
        if self._again:
            await self._saved(all_of_them=True)
            return Ended(status=Status.FAILED, error=next(iter(self._again.values())))
        data = dump_results([self._results.get(place) for place in range(len(self._batch.items))])
        failed = [result for result in self._results.values() if isinstance(result, ErrorInfo)]
        if not failed:
            return Ended(status=Status.SUCCEEDED, data=data)
        await self._saved(all_of_them=True)  # a recovery runs those that failed, and no others
        text = f"{len(failed)} of {len(self._batch.items)} items failed, one of them with: {failed[0].message}"
        error = replace(failed[0], message=text, recoverable=False)
        return Ended(status=Status.FAILED, error=error, data=data)

    # --- items ----------------------------------------------------------------------------------------------

    async def _at_once(self, task: Task[..., Any], count: int) -> None:
        workers = [self._loop.create_task(self._one_by_one(task)) for _ in range(count)]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise

    async def _one_by_one(self, task: Task[..., Any]) -> None:
        for place in self._left:
            await self._one(task, place)

    async def _one(self, task: Task[..., Any], place: int) -> None:
        context = self._context_of(place)
        try:
            async with asyncio.timeout(self._limit_s) as bound:
                if task.is_async:
                    is_slow = task.interface.inputs_move_data
                    arguments = partial(self._arguments, task)
                    args, kwargs = await off_loop(arguments, place, is_slow=is_slow)
                    call = guarded(task.func, args, kwargs)
                    value = await over(self._loop.create_task(call, context=context))
                else:
                    thread = TaskThread(lambda: self._call(task, place, context), name=task.name)
                    self.threads.append(thread)
                    value = await thread.run()
            is_slow = task.interface.output_moves_data
            encoded = await off_loop(partial(self._encoded, task), value, is_slow=is_slow)
            self._done(place, encoded)
        except TimeoutError as e:
            self._failed(place, self._too_long(task) if bound.expired() else e)
        except BaseException as e:
            if isinstance(e, asyncio.CancelledError) and is_ours():
                raise
            self._failed(place, e)

    async def _in_thread(self, task: Task[..., Any]) -> None:
        def work() -> None:
            for place in self._left:
                try:
                    self._done(place, self._encoded(task, self._call(task, place, self._context_of(place))))
                except BaseException as e:
                    if self._stopped:
                        raise
                    self._failed(place, e)
                if self._stopped:
                    return

        context = self._context.copy()  # says where frames are
        thread: TaskThread[None] = TaskThread(lambda: context.run(work), name=task.name)
        self.threads.append(thread)
        await thread.run()

    def _call(self, task: Task[..., Any], place: int, context: Context) -> Any:
        args, kwargs = context.run(self._arguments, task, place)
        return context.run(task.func, *args, **kwargs)

    def _arguments(self, task: Task[..., Any], place: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return task.interface.arguments(task.interface.decode_inputs(self._batch.items[place].encode()))

    def _encoded(self, task: Task[..., Any], value: Any) -> str:
        encoded = task.interface.encode_output(value)
        limit = self._start.spec.task.max_inline_io_bytes
        if len(encoded) > limit:
            raise errors.InlineIOMaxBytesBreached(too_large(task.name, "outputs", len(encoded), limit))
        return encoded.decode()

    def _context_of(self, place: int) -> Context:
        context = self._context.copy()
        action = ActionID(self._batch.item_id(place), self._start.spec.run.run_id)
        context.run(current.set, replace(context[current], action=action, task_action=action))
        return context

    # --- what came of them ----------------------------------------------------------------------------------

    def _failed(self, place: int, error: BaseException) -> None:
        """Note a failure, in whatever thread.

        Raises:
            KeyboardInterrupt: it was one.
            UnavailableError: a service is out of reach; the batch is to be tried again.
        """
        if isinstance(error, KeyboardInterrupt | errors.UnavailableError):
            raise error
        described = describe(exited(error) if isinstance(error, SystemExit) else error, self._start.worker)
        if retry_delay_s(self._start.spec.task.retry, self._start.failures + 1, described) is None:
            self._done(place, described)
        else:
            self._again[place] = described

    def _done(self, place: int, result: ItemResult) -> None:
        self._results[place] = result
        self._unsaved.append((place, result))
        if self._saves_each or self._host.now() - self._saved_at > SAVE_S:
            self._saved_at = self._host.now()
            self._loop.call_soon_threadsafe(self._save)

    def _save(self) -> None:
        if self._saver is None or self._saver.done():
            self._saver = self._loop.create_task(self._record(), context=self._context)

    async def _saved(self, *, all_of_them: bool = False) -> None:
        """Wait until what is being recorded is."""
        if self._saver is not None:
            await self._saver
        if all_of_them:
            await self._record()

    async def _record(self) -> None:
        while self._unsaved:
            group = dict(self._unsaved.popleft() for _ in range(len(self._unsaved)))
            trace = TraceRecord(
                trace_id=checkpoint_id(self._start.spec.run.generation, self._start.attempt, min(group)),
                name=CHECKPOINT,
                started_at=self._saved_at,
                error=None,
            )
            await self._host.record_trace(trace, dump_checkpoint(group))

    def _too_long(self, task: Task[..., Any]) -> errors.MaxRuntimeExceededError:
        return errors.MaxRuntimeExceededError(
            f"{task.name} ran longer than max_runtime of {self._limit_s or 0:g} s"
        )
