"""Sends children: to their queue first, to the journal then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from upwell._core.batch import Mark
from upwell._core.bounds import is_bounded
from upwell._core.journal import Journal, Scheduled, Sent
from upwell._core.model import ActionKey, ActionRecord, ActionSpec, Payload
from upwell._core.ports import PoolNotFoundError
from upwell._core.replay import INPUTS_CHARS
from upwell._core.wire import Message
from upwell._exec.batcher import Batcher
from upwell._exec.kernel import Kernel
from upwell.errors import NotDeployedError

FLUSH_ITEMS = 100
PARALLEL_FLUSHES = 4
WINDOW_GROWTH, WINDOWS_MAX = 2, 16


def window(record: ActionRecord, in_flight_max: int) -> int:
    """Return how many children an attempt may have in flight.

    One that was suspended with all of its window open would be again, once per window. So each such suspension
    doubles the window, up to 16 times the setting: a fan-out takes a logarithmic number of windows.

    Args:
        record: The action as claimed.
        in_flight_max: The setting.
    """
    open_children = record.suspension.open_children if record.suspension is not None else 0
    return max(in_flight_max, min(WINDOW_GROWTH * open_children, WINDOWS_MAX * in_flight_max))


@dataclass(frozen=True, slots=True)
class _Outgoing:
    spec: ActionSpec
    inputs: Payload
    input_digest: str
    batch: Mark | None = None


class Sender:
    """Sends the children of one parent in batches.

    A crash between the two writes sends a child twice; its claim makes the second message do nothing. The
    other order would leave a child that its parent waits for and that nobody was told of.
    """

    def __init__(self, kernel: Kernel, parent: ActionKey, journal: Journal, *, failures: int = 0) -> None:
        self._kernel = kernel
        self._failures = failures
        self._parent = parent
        self._journal = journal
        self._by_pool: dict[str, Batcher[_Outgoing, None]] = {}

    async def send(
        self, spec: ActionSpec, inputs: Payload, input_digest: str = "", batch: Mark | None = None
    ) -> None:
        """Send a child; returns when that is durable.

        Args:
            spec: The child.
            inputs: As they travel.
            input_digest: Their hash; its start is kept in the journal.
            batch: Which items of a map it is to run; kept in the journal.

        Raises:
            NotDeployedError: the child's environment is not deployed.
        """
        batcher = self._by_pool.get(spec.task.pool)
        if batcher is None:
            batcher = Batcher(self._flush, max_items=FLUSH_ITEMS, parallel=PARALLEL_FLUSHES)
            self._by_pool[spec.task.pool] = batcher
        await batcher.submit(_Outgoing(spec, inputs, input_digest, batch))

    async def close(self) -> None:
        """Let go of what was batched."""
        for batcher in self._by_pool.values():
            await batcher.aclose()

    async def _flush(self, batch: list[_Outgoing]) -> list[Exception | None]:
        by_shard: dict[int, list[Sent]] = {}
        messages = []
        for out in batch:
            shard = self._journal.shard_of(out.spec.action_id)
            by_shard.setdefault(shard, []).append(_sent(out))
            messages.append(Message(action=replace(out.spec, inputs=out.inputs, shard=shard)))
        pool = batch[0].spec.task.pool
        try:
            await self._kernel.ports.queue.send(pool, messages)
        except PoolNotFoundError as e:
            raise NotDeployedError(
                f"environment {pool!r} (of {batch[0].spec.task.name}) is not deployed; "
                f"run `upwell deploy` on the file that defines it"
            ) from e
        for shard, children in by_shard.items():
            now = self._kernel.ports.clock.now()
            for child in children:
                self._journal.sent(child.action_id, shard, now)
            entry = Scheduled(
                at=now,
                generation=self._journal.generation,
                shard=shard,
                children=tuple(children),
                failures=self._failures,
            )
            await self._kernel.ports.store.append(self._parent, shard, [entry])
        return [None] * len(batch)


def _sent(out: _Outgoing) -> Sent:
    task = out.spec.task
    inputs = out.input_digest[:INPUTS_CHARS]
    sent = Sent(action_id=out.spec.action_id, task=task.name, pool=task.pool, inputs=inputs, batch=out.batch)
    if not is_bounded(out.spec):
        return sent
    return replace(sent, bounds=task.bounds, queued_at=out.spec.queued_at)
