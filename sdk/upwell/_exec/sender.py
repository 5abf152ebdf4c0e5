"""Sends children: to their queue first, to the journal then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from upwell._core.journal import Journal, Scheduled, Sent
from upwell._core.model import ActionKey, ActionSpec, Payload
from upwell._core.ports import PoolNotFoundError
from upwell._core.wire import Message
from upwell._exec.batcher import Batcher
from upwell._exec.kernel import Kernel
from upwell.errors import NotDeployedError

FLUSH_ITEMS = 100
PARALLEL_FLUSHES = 4


@dataclass(frozen=True, slots=True)
class _Outgoing:
    spec: ActionSpec
    inputs: Payload


class Sender:
    """Sends the children of one parent in batches.

    A crash between the two writes sends a child twice; its claim makes the second message do nothing. The
    other order would leave a child that its parent waits for and that nobody was told of.
    """

    def __init__(self, kernel: Kernel, parent: ActionKey, journal: Journal) -> None:
        self._kernel = kernel
        self._parent = parent
        self._journal = journal
        self._by_pool: dict[str, Batcher[_Outgoing, None]] = {}

    async def send(self, spec: ActionSpec, inputs: Payload) -> None:
        """Send a child; returns when that is durable.

        Raises:
            NotDeployedError: the child's environment is not deployed.
        """
        batcher = self._by_pool.get(spec.task.pool)
        if batcher is None:
            batcher = Batcher(self._flush, max_items=FLUSH_ITEMS, parallel=PARALLEL_FLUSHES)
            self._by_pool[spec.task.pool] = batcher
        await batcher.submit(_Outgoing(spec, inputs))

    async def close(self) -> None:
        """Let go of what was batched."""
        for batcher in self._by_pool.values():
            await batcher.aclose()

    async def _flush(self, batch: list[_Outgoing]) -> list[Exception | None]:
        by_shard: dict[int, list[ActionSpec]] = {}
        for out in batch:
            shard = self._journal.next_shard()
            by_shard.setdefault(shard, []).append(replace(out.spec, inputs=out.inputs, shard=shard))
        pool = batch[0].spec.task.pool
        messages = [Message(action=spec) for specs in by_shard.values() for spec in specs]
        try:
            await self._kernel.ports.queue.send(pool, messages)
        except PoolNotFoundError as e:
            raise NotDeployedError(
                f"environment {pool!r} (of {batch[0].spec.task.name}) is not deployed; "
                f"run `upwell deploy` on the file that defines it"
            ) from e
        for shard, specs in by_shard.items():
            for spec in specs:
                self._journal.sent(spec.action_id, shard)
            entry = Scheduled(
                at=self._kernel.ports.clock.now(),
                generation=self._journal.generation,
                shard=shard,
                children=tuple(Sent(action_id=s.action_id, task=s.task.name, pool=s.task.pool) for s in specs),
            )
            await self._kernel.ports.store.append(self._parent, shard, [entry])
        return [None] * len(batch)
