"""What the actions of a run took: folded by the way, or added up from the records of a small run."""

from __future__ import annotations

import time

from upwell._client.backend import Backend
from upwell._core.aggregates import nonzero
from upwell._core.cost import efforts_of
from upwell._core.efforts import Efforts
from upwell._core.limits import SMALL_RUN
from upwell._core.model import ActionKey, RunRecord
from upwell._core.profile import RunProfile, late_s, profile_of
from upwell._exec.path_walk import PathWalk


async def run_efforts(backend: Backend, run: RunRecord) -> Efforts:
    """Return what the actions of a run took.

    A large run is not read: what was folded of it is on AWS some seconds behind. One that an older version has
    worked on is read: not all that it took was folded.
    """
    store, run_id = backend.store, run.spec.run_id
    counts = (await store.view(run_id)).counts
    if sum(sum(by_status.values()) for by_status in counts.values()) > SMALL_RUN:
        found = await store.aggregates(run_id)
        folded = sum(sum(by_status.values()) for by_status in nonzero(found.counts).values())
        if folded and found.efforts.actions >= folded:
            return found.efforts
    return efforts_of([record async for record in store.list_actions(run_id)])


async def run_profile(backend: Backend, run: RunRecord) -> RunProfile:
    """Return where the time of a run went; of a large run, the actions on its critical path are read."""
    efforts = await run_efforts(backend, run)
    root = ActionKey(run.spec.run_id, run.root.action_id)
    path = await PathWalk(backend.store).follow(root, late_s(efforts))
    return profile_of(run, efforts, path, time.time())
