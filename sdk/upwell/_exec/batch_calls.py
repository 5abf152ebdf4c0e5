"""Calls several items of a map with one action, and takes its answer apart again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from upwell._author.context import MapAnswers, MapBatch
from upwell._author.task import Task
from upwell._core.batch import AGAIN, SPLITS, BatchInputs, ItemResult, load_results
from upwell._core.ids import digest
from upwell._core.model import ErrorInfo, TaskSpec
from upwell._exec.boundary import Answer, Call
from upwell._exec.failure import revive
from upwell._types.blocking import off_loop

Ask = Callable[[Call, bytes], Awaitable[Answer]]


class BatchCalls:
    """Makes the calls of maps in one attempt.

    Args:
        base: A call with all that is the same for every call made now.
        ask: Runs a child.
        cached: Whether the run uses the cache.
    """

    def __init__(self, base: Callable[[TaskSpec, str], Call], ask: Ask, *, cached: bool) -> None:
        self._base = base
        self._ask = ask
        self._cached = cached

    async def call(self, task: Task[..., Any], batch: MapBatch) -> MapAnswers:
        """Return what came of each item: its value, or its failure."""
        raw, ran_s, size_bytes = await self._results(task, batch)
        is_slow = task.interface.output_moves_data
        return MapAnswers(
            results=[
                await off_loop(lambda result: _value(task, result), each, is_slow=is_slow) for each in raw
            ],
            ran_s=ran_s,
            size_bytes=size_bytes + sum(map(len, batch.inputs)),
        )

    async def _results(self, task: Task[..., Any], batch: MapBatch) -> tuple[list[ItemResult], float, int]:
        if len(batch.inputs) == 1:
            answer = await self._single(task, batch)
            return [answer.error or answer.data.decode()], answer.ran_s, len(answer.data)
        answer = await self._several(task, batch)
        results: list[ItemResult | None] = [None] * len(batch.inputs)
        if answer.data:
            results = load_results(answer.data)
        if answer.error is not None and answer.error.code == AGAIN:
            results = [result if isinstance(result, str) else None for result in results]
        if answer.error is not None:
            await self._complete(task, batch, results, answer.error)
        return [result for result in results if result is not None], answer.ran_s, len(answer.data)

    async def _single(self, task: Task[..., Any], batch: MapBatch) -> Answer:
        (encoded,) = batch.inputs
        call = self._base(task.spec(encoded, cache=self._cached), task.input_digest(encoded))
        return await self._ask(replace(call, items=1, batch=batch.mark), encoded)

    async def _several(self, task: Task[..., Any], batch: MapBatch) -> Answer:
        digests = [task.input_digest(encoded) for encoded in batch.inputs]
        inputs = BatchInputs(
            map_id=batch.map_id,
            indices=batch.indices,
            items=[encoded.decode() for encoded in batch.inputs],
            keys=[task.cache_key(each) for each in digests] if self._cached and task.cache.is_enabled else (),
            at_once=batch.at_once,
        )
        first = str(batch.indices[0])
        call = self._base(task.batch_spec(), digest(batch.map_id, first, *digests))
        return await self._ask(replace(call, items=len(digests), batch=batch.mark), inputs.dump())

    async def _complete(
        self, task: Task[..., Any], batch: MapBatch, results: list[ItemResult | None], error: ErrorInfo
    ) -> None:
        """Fill in the items of which the batch did not say what came of them, because it failed as a whole."""
        left = [place for place, result in enumerate(results) if result is None]
        parts = _parts(left, error)
        answers = await asyncio.gather(*(self._results(task, _part(batch, places)) for places in parts))
        for places, (part_results, _, _) in zip(parts, answers, strict=True):
            for place, result in zip(places, part_results, strict=True):
                results[place] = result
        for place in left:
            if results[place] is None:
                results[place] = error


def _parts(left: Sequence[int], error: ErrorInfo) -> list[Sequence[int]]:
    """Return how to send again those that are left.

    Items that were finished before the process died are known, so that the first of the others is the likeliest
    to blame: it is sent alone, and the rest in halves.
    """
    if error.code == AGAIN:
        return [left]
    if error.code not in SPLITS:
        return []
    middle = 1 + len(left) // 2
    return [part for part in (left[:1], left[1:middle], left[middle:]) if part]


def _part(batch: MapBatch, places: Sequence[int]) -> MapBatch:
    return replace(
        batch,
        indices=[batch.indices[place] for place in places],
        inputs=[batch.inputs[place] for place in places],
        mark=None,
    )


def _value(task: Task[..., Any], result: ItemResult) -> Any:
    if isinstance(result, ErrorInfo):
        return revive(result)
    try:
        return task.interface.decode_output(result.encode())
    except Exception as e:
        return e
