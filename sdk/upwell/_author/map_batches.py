"""Divides the items of a map into calls: one for each, or batches of a size that is given or found out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from upwell._author import context
from upwell._core.batch import Mark
from upwell._core.sizer import BYTES_MAX, PROBE_S, Sizer
from upwell._core.sizes import too_large
from upwell.errors import InlineIOMaxBytesBreached

if TYPE_CHECKING:
    from upwell._author.map_source import Items
    from upwell._author.map_target import MapTarget
    from upwell._author.task import Task
    from upwell._author.window import Window

Batch = int | Literal["auto"]
AT_ONCE = 8
"""Items of an async task that one batch runs at once, unless the map has a `concurrency`."""
LOOKAHEAD = 4
"""A stream runs ahead of its consumer by at most this many times its concurrency."""


def check_batch(batch: object) -> Batch:
    """Return a value for `batch=`.

    Raises:
        ValueError: it is none.
    """
    if batch == "auto" or (isinstance(batch, int) and not isinstance(batch, bool) and batch >= 1):
        return batch
    raise ValueError(
        f"map: batch={batch!r} is not a number of items; give 'auto', or the items of an action, 1 or more"
    )


def can_batch(task: Task[..., Any]) -> bool:
    """Whether items may share an action: not where something is counted, timed or reported by the action."""
    bounds = task.bounds
    is_timed = bounds.max_queued_s is not None or bounds.deadline_s is not None
    return not (task.is_limited or task.cache.serialize or is_timed or task.options.report)


class Feeder:
    """Takes items as they are read, and starts calls for them.

    Args:
        target: What is called.
        engine: Runs the calls.
        window: Keeps them.
        group: Group of the calls.
        batch: Items of a call.
        concurrency: Items that may run at once; 0 is any number.
        total: Items that there are, if that is known.
    """

    def __init__(
        self,
        target: MapTarget,
        engine: context.Engine,
        window: Window[Any],
        *,
        group: str,
        batch: Batch,
        concurrency: int,
        total: int | None,
    ) -> None:
        self._target, self._engine, self._window, self._group = target, engine, window, group
        self._fixed = batch if isinstance(batch, int) else None
        self._is_plain = batch == 1 or not can_batch(target.task)
        reuse = target.task.env.reuse_policy
        self._sizer = Sizer(engine.sizing, concurrency, pool_slots=reuse.slots if reuse else 0)
        self._at_once = AT_ONCE if target.task.is_async and not concurrency else 1
        self._total = total
        self._first = 0
        self._pending: list[bytes | Exception] = []
        self._pending_bytes = 0
        self._map_id = ""
        self._recorded: dict[int, int] = {}
        self._boundaries: list[int] = []
        self._began_at = engine.now()

    # --- what the source asks -------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many more items may be read now."""
        calls = self._free_calls()
        return calls if self._is_plain else max(0, calls * self._size()[0] - len(self._pending))

    @property
    def is_empty(self) -> bool:
        """Whether all that was taken is in calls."""
        return not self._pending

    @property
    def pause_s(self) -> float | None:
        """After how long there may be more room, though no call has ended; None is never."""
        is_probing = not (self._is_plain or self._fixed or self._sizer.is_measured)
        return PROBE_S if is_probing and self._window.room else None

    def push(self, items: Items) -> None:
        """Take the next items, and start a call if that makes one full."""
        if self._is_plain:
            with context.group(self._group):
                self._window.start(self._target.child(items))
            return
        self._pending.append(self._encoded(items))
        if not self._map_id:
            self._begin()
        self.start_full()

    def start_full(self) -> None:
        """Start the calls for which there are items enough, if there is room for them."""
        while self._pending and self._free_calls():
            size, is_recorded = self._size()
            is_heavy = self._pending_bytes >= BYTES_MAX and not (is_recorded or self._fixed)
            if len(self._pending) < size and not is_heavy:
                return
            self._start(size)

    def nothing_to_read(self, *, at_end: bool) -> None:
        """Start a call that is not full: there are no more items, or none now and nothing under way."""
        self.start_full()
        while self._pending and self._free_calls():
            size, is_recorded = self._size()
            if not at_end and (self._window.under_way or self._fixed or is_recorded):
                return
            self._start(size)

    def _start(self, size: int) -> None:
        first, inputs, self._pending = self._first, self._pending[:size], self._pending[size:]
        self._first += len(inputs)
        self._pending_bytes = sum(len(data) for data in self._pending if isinstance(data, bytes))
        with context.group(self._group):
            self._window.start_many(self._call(first, inputs), len(inputs))

    def _free_calls(self) -> int:
        """Return how many calls may start now."""
        free, most = self._window.room, None if self._is_plain else self._in_flight()
        if most is None or not free:
            return free
        if self._window.is_stream:
            free = min(free, LOOKAHEAD * most - self._window.untaken)
        return max(0, min(free, most - self._window.under_way))

    # --- sizes ----------------------------------------------------------------------------------------------

    def _in_flight(self) -> int | None:
        return None if self._fixed else self._sizer.in_flight(self._engine.now() - self._began_at)

    def _size(self) -> tuple[int, bool]:
        """Return the items of the next call, and whether an earlier attempt made the same call."""
        recorded = self._recorded.get(self._first)
        if recorded is not None:
            return recorded, True
        left = None if self._total is None else max(1, self._total - self._first)
        size = self._fixed or self._sizer.size(left)
        following = bisect_right(self._boundaries, self._first)
        if following < len(self._boundaries):
            size = min(size, self._boundaries[following] - self._first)
        return size, False

    def _begin(self) -> None:
        """Find out how earlier attempts divided the map: the actions they made are to be found again."""
        first = self._pending[0]
        digest = "" if isinstance(first, Exception) else self._target.task.input_digest(first)
        with context.group(self._group):
            self._map_id, recorded = self._engine.begin_map(self._target.task, digest)
        self._recorded = dict(recorded)
        self._boundaries = sorted(self._recorded)

    # --- a call ---------------------------------------------------------------------------------------------

    def _encoded(self, items: Items) -> bytes | Exception:
        """Return encoded inputs, or why they are none: that is what the item comes to."""
        task = self._target.task
        try:
            bound = task.interface.bind((*self._target.args, *items), self._target.kwargs)
            encoded = task.interface.encode_inputs(bound)
            if len(encoded) > task.max_inline_io_bytes:
                text = too_large(task.name, "inputs", len(encoded), task.max_inline_io_bytes)
                raise InlineIOMaxBytesBreached(text)
        except Exception as e:
            return e
        self._pending_bytes += len(encoded)
        return encoded

    async def _call(self, first: int, inputs: Sequence[bytes | Exception]) -> list[Any]:
        results: list[Any] = list(inputs)
        sent = [place for place, data in enumerate(inputs) if isinstance(data, bytes)]
        if not sent:
            return results
        batch = context.MapBatch(
            map_id=self._map_id,
            indices=[first + place for place in sent],
            inputs=[data for data in inputs if isinstance(data, bytes)],
            at_once=self._at_once,
            mark=Mark(map_id=self._map_id, first=first, count=len(inputs)),
        )
        called_at = self._engine.now()
        try:
            answers = await self._engine.call_items(self._target.task, batch)
        except Exception as e:
            return [e if isinstance(data, bytes) else data for data in inputs]
        self._sizer.measured(
            items=len(sent),
            work_s=answers.ran_s,
            total_s=self._engine.now() - called_at,
            size_bytes=answers.size_bytes,
        )
        for place, result in zip(sent, answers.results, strict=True):
            results[place] = result
        return results
