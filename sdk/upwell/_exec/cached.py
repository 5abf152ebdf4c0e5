"""Looks for results in the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from upwell._core.batch import BatchInputs, ItemResult
from upwell._core.cache_key import is_usable
from upwell._core.key_parts import KeyParts
from upwell._core.model import ActionKey, ActionSpec, CacheEntry, Payload, Unusable
from upwell._core.ports import BlobNotFoundError, BlobStore, Ports
from upwell._exec.kept_files import has_its_files
from upwell._exec.payloads import unpack


async def look_up(ports: Ports, spec: ActionSpec) -> CacheEntry | Unusable | None:
    """Return the kept result of an action, or why it may not be used; None where there is none."""
    key = spec.task.cache_key
    if key is None or not looks_up(spec):
        return None
    entry = (await ports.store.get_cached([key])).get(key)
    if entry is None or is_usable(entry, spec.task.cache_max_age_s, ports.clock.now()):
        return entry
    return unusable(entry, "too old")


def looks_up(spec: ActionSpec) -> bool:
    """Whether an action's task and run use kept results at all."""
    return spec.run.cache_mode == "use" and not spec.task.cache_write_only


def unusable(entry: CacheEntry, why: str) -> Unusable:
    """Return what is to be told of an entry that is not used."""
    return Unusable(made_by=entry.made_by, made_at=entry.created_at, why=why)


async def find_whole(ports: Ports, spec: ActionSpec) -> CacheEntry | Unusable | None:
    """Return the kept result of an action whose data is all there, or why it may not be used."""
    entry = await look_up(ports, spec)
    if not isinstance(entry, CacheEntry):
        return entry
    is_whole = await read_result(ports.blobs, entry) is not None
    return entry if is_whole else unusable(entry, "gone")


async def usable_entries(ports: Ports, spec: ActionSpec, keys: Sequence[str]) -> dict[str, CacheEntry]:
    """Return the entries under some keys that an action's task and run may use."""
    if not keys or not looks_up(spec):
        return {}
    entries, now = await ports.store.get_cached(list(dict.fromkeys(keys))), ports.clock.now()
    return {key: entry for key, entry in entries.items() if is_usable(entry, spec.task.cache_max_age_s, now)}


async def read_items(
    blobs: BlobStore, batch: BatchInputs, entries: Mapping[str, CacheEntry]
) -> dict[int, ItemResult]:
    """Return the encoded results of those items of a batch that there are entries of, by place."""
    found = [(place, entries[key]) for place, key in enumerate(batch.keys) if key in entries]
    read = await asyncio.gather(*(read_result(blobs, entry) for _, entry in found))
    return {place: data.decode() for (place, _), data in zip(found, read, strict=True) if data is not None}


async def read_result(blobs: BlobStore, entry: CacheEntry) -> bytes | None:
    """Return the encoded result of an entry; None where data of it was deleted, which makes it a miss."""
    try:
        data = await unpack(blobs, entry.output)
    except BlobNotFoundError:
        return None
    return data if await has_its_files(blobs, data) else None


def new_entry(spec: ActionSpec, key: str, output: Payload, now: float, parts: KeyParts | None) -> CacheEntry:
    """Return the entry that keeps a result of an action.

    Args:
        spec: The action.
        key: Of the call that it ran, or of one of several.
        output: The result.
        now: The time, epoch seconds.
        parts: What the key was made of.
    """
    return CacheEntry(
        key=key,
        output=output,
        made_by=ActionKey(spec.run.run_id, spec.action_id),
        created_at=now,
        task=spec.task.name,
        parts=parts,
        max_age_s=spec.task.cache_max_age_s,
    )
