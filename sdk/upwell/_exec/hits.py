"""Calls that the cache answers: found in batches, journaled in groups, and never sent."""

from __future__ import annotations

from dataclasses import dataclass

from upwell._core.batch import BatchInputs, dump_results
from upwell._core.journal import FromCache, Hits, Journal
from upwell._core.limits import CACHE_HIT_INPUT_BYTES, RECORD_INLINE_BYTES, TRACE_GROUP_BYTES, TRACE_GROUP_ITEMS
from upwell._core.model import ActionKey, ActionSpec, CacheEntry, Outcome, Payload, Status, Unusable
from upwell._exec.batcher import Batcher
from upwell._exec.cached import look_up, read_items, read_result, unusable, usable_entries
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack
from upwell._exec.recorder import Recorder

ENVELOPE_BYTES = 400
"""Of one hit in the journal, besides its values: ids and names."""
PARALLEL_GROUPS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What the cache has of a call.

    Attributes:
        outcome: Of the child; it is in the parent's journal.
        data: The encoded output.
    """

    outcome: Outcome
    data: bytes


class CacheHits:
    """Looks into the cache for one parent, and writes into its journal what was found.

    A hit takes no record, no message and no claim. Looking takes a hundredth of a request each where many calls
    are made at once, and so does writing. What was found is in the journal before the call returns, and after
    the traces that it may depend on, so that a replay gets the same result, whatever becomes of the entry.

    Args:
        kernel: The surroundings.
        parent: Whose calls they are.
        journal: Of the parent.
        recorder: Of the parent's traces.
    """

    def __init__(self, kernel: Kernel, parent: ActionKey, journal: Journal, recorder: Recorder) -> None:
        self._kernel = kernel
        self._parent = parent
        self._journal = journal
        self._recorder = recorder
        self._groups: Batcher[FromCache, None] | None = None

    async def find(self, child: ActionSpec, inputs: bytes) -> Found | Unusable | None:
        """Look for the result of a call; of a batch, for those of all its items.

        Args:
            child: The call.
            inputs: Its encoded inputs.

        Returns:
            The result; or what the cache has and may not be used; None where there is nothing.
        """
        if child.action_id in self._journal.open:  # an earlier attempt has sent it: it may be at work
            return None
        if child.items > 1:
            return await self._find_batch(child, inputs)
        entry = await look_up(self._kernel.ports, child)
        if not isinstance(entry, CacheEntry):
            return entry
        data = await read_result(self._kernel.ports.blobs, entry)
        if data is None:
            return unusable(entry, "gone")
        return Found(await self._note(child, inputs, entry, entry.output), data)

    async def close(self) -> None:
        """Let go of what was batched."""
        if self._groups is not None:
            await self._groups.aclose()

    async def _find_batch(self, child: ActionSpec, inputs: bytes) -> Found | None:
        if child.task.cache_parts is None:
            return None
        ports, batch = self._kernel.ports, BatchInputs.load(inputs)
        entries = await usable_entries(ports, child, batch.keys)
        if not batch.keys or not entries.keys() >= set(batch.keys):
            return None  # what is kept of it, its executor finds
        results = await read_items(ports.blobs, batch, entries)
        if len(results) < len(batch.keys):
            return None
        data = dump_results([results[place] for place in range(len(results))])
        output = await pack(ports.blobs, child.run.run_id, data, inline_bytes=RECORD_INLINE_BYTES)
        return Found(await self._note(child, inputs, entries[batch.keys[0]], output), data)

    async def _note(self, child: ActionSpec, inputs: bytes, entry: CacheEntry, output: Payload) -> Outcome:
        hit = FromCache(
            action_id=child.action_id,
            task=child.task.name,
            pool=child.task.pool,
            output=output,
            made_by=entry.made_by,
            made_at=entry.created_at,
            inputs=_small(inputs),
            group=child.group,
            items=child.items,
        )
        if self._groups is None:
            self._groups = Batcher(
                self._flush,
                max_items=TRACE_GROUP_ITEMS,
                max_bytes=TRACE_GROUP_BYTES,
                size_of=_size_bytes,
                parallel=PARALLEL_GROUPS,
            )
        await self._recorder.written()
        await self._groups.submit(hit)
        return Outcome(status=Status.SUCCEEDED, output=output)

    async def _flush(self, hits: list[FromCache]) -> list[None]:
        now, generation = self._kernel.ports.clock.now(), self._journal.generation
        entry = Hits(at=now, generation=generation, children=tuple(hits))
        await self._kernel.ports.store.append(self._parent, self._journal.next_shard(), [entry])
        self._journal.apply([entry])
        return [None] * len(hits)


def _small(inputs: bytes) -> Payload | None:
    if len(inputs) > CACHE_HIT_INPUT_BYTES:
        return None
    return Payload(text=inputs.decode(), size_bytes=len(inputs))


def _size_bytes(hit: FromCache) -> int:
    texts = (hit.output.text, hit.inputs.text if hit.inputs is not None else None)
    return ENVELOPE_BYTES + sum(len(text.encode()) for text in texts if text is not None)
