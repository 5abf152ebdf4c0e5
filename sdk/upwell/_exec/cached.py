"""Looks for results in the cache."""

from __future__ import annotations

from upwell._core.cache_key import is_usable
from upwell._core.model import ActionSpec, CacheEntry
from upwell._core.ports import Ports


async def look_up(ports: Ports, spec: ActionSpec) -> CacheEntry | None:
    """Return the kept result of an action; None where there is none, or none that may be used."""
    task = spec.task
    if task.cache_key is None or spec.run.cache_mode != "use" or task.cache_write_only:
        return None
    entry = (await ports.store.get_cached([task.cache_key])).get(task.cache_key)
    if entry is None or not is_usable(entry, task.cache_max_age_s, ports.clock.now()):
        return None
    return entry
