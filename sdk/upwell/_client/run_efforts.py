"""What the actions of a run took: folded by the way, or added up from the records of a small run."""

from __future__ import annotations

import time
from collections.abc import Mapping

from upwell._client.backend import Backend
from upwell._core.aggregates import Aggregates, nonzero
from upwell._core.cost import efforts_of
from upwell._core.efforts import Efforts
from upwell._core.limits import SMALL_RUN
from upwell._core.model import ActionKey, RunRecord
from upwell._core.ports import StateStore
from upwell._core.profile import RunProfile, late_s, profile_of
from upwell._exec.path_walk import PathWalk


async def run_efforts(backend: Backend, run: RunRecord) -> Efforts:
    """Return what the actions of a run took.

    A large run is not read: what was folded of it is on AWS some seconds behind. One that an older version has
    worked on is read: not all that it took was folded.
    """
    store, run_id = backend.store, run.spec.run_id
    counted = _total((await store.view(run_id)).counts)
    if counted > SMALL_RUN:
        found = await _folded(store, run_id, counted)
        if 0 < _total(nonzero(found.counts)) <= found.efforts.actions:
            return found.efforts
    return efforts_of([record async for record in store.list_actions(run_id)])


async def _folded(store: StateStore, run_id: str, counted: int) -> Aggregates:
    """Return aggregates once they have what was counted, or do not change any more."""
    known = -1
    while True:
        found = await store.aggregates(run_id)
        folded = _total(nonzero(found.counts))
        if folded >= counted or folded <= known:
            return found
        known = folded


def _total(counts: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(by_status.values()) for by_status in counts.values())


async def run_profile(backend: Backend, run: RunRecord) -> RunProfile:
    """Return where the time of a run went; of a large run, the actions on its critical path are read."""
    efforts = await run_efforts(backend, run)
    root = ActionKey(run.spec.run_id, run.root.action_id)
    path = await PathWalk(backend.store).follow(root, late_s(efforts))
    return profile_of(run, efforts, path, time.time())
