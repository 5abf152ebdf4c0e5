"""What the engine does for batches: says what is known of their items, and keeps what came of them."""

from __future__ import annotations

from dataclasses import replace

from upwell._core.batch import (
    BatchInputs,
    ItemResult,
    checkpoint_generation,
    dump_results,
    load_checkpoint,
    load_results,
)
from upwell._core.journal import Journal
from upwell._core.limits import RECORD_INLINE_BYTES
from upwell._core.model import ActionKey, ActionRecord, ActionSpec
from upwell._core.ports import BlobStore, StateStore
from upwell._exec.cached import new_entry, read_items, usable_entries
from upwell._exec.kernel import Kernel
from upwell._exec.payloads import pack, unpack
from upwell._exec.replay import read_journal
from upwell._types.input_digest import parameter_digests


async def prefill(kernel: Kernel, spec: ActionSpec, journal: Journal, inputs: bytes) -> bytes:
    """Return the inputs of a batch with what earlier attempts and the cache know of its items."""
    done = await checkpoints(kernel.ports.blobs, journal)
    batch = BatchInputs.load(inputs)
    entries = await usable_entries(kernel.ports, spec, batch.keys)
    if entries:
        done = await read_items(kernel.ports.blobs, batch, entries) | done
    return replace(batch, done=done).dump() if done else inputs


async def salvage(store: StateStore, blobs: BlobStore, key: ActionKey) -> bytes:
    """Return, of a batch that failed as a whole, the results of the items that it had finished and recorded."""
    record = await store.get(key)
    if record is None:  # it never ran
        return b""
    journal = Journal(record.generation)
    await read_journal(store, key, journal)
    done = await checkpoints(blobs, journal)
    return dump_results([done.get(place) for place in range(record.spec.items)]) if done else b""


async def keep(kernel: Kernel, record: ActionRecord, inputs: bytes, results: bytes) -> None:
    """Put the results of items into the cache."""
    batch = BatchInputs.load(inputs)
    if not batch.keys or record.spec.run.cache_mode == "off":
        return
    entries = []
    for place, result in enumerate(load_results(results)):
        if isinstance(result, str) and place not in batch.done:
            run_id, data = record.spec.run.run_id, result.encode()
            blobs = kernel.ports.blobs
            output = await pack(blobs, run_id, data, inline_bytes=RECORD_INLINE_BYTES, cached=True)
            now = kernel.ports.clock.now()
            parts = record.spec.task.cache_parts
            if parts is not None:
                parts = replace(parts, inputs=parameter_digests(batch.items[place].encode()))
            entries.append(new_entry(record.spec, batch.keys[place], output, now, parts))
    if entries:
        await kernel.ports.store.put_cached(entries)


async def checkpoints(blobs: BlobStore, journal: Journal) -> dict[int, ItemResult]:
    """Return what is recorded of items: a recovery forgets their failures, and nothing else."""
    done: dict[int, ItemResult] = {}
    for trace_id, outcome in sorted(journal.traces.items()):
        generation = checkpoint_generation(trace_id)
        if generation is None or outcome.output is None:
            continue
        for place, result in load_checkpoint(await unpack(blobs, outcome.output)).items():
            if isinstance(result, str):
                done[place] = result
            elif generation == journal.generation:
                done.setdefault(place, result)
    return done
