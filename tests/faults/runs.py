"""Starts and recovers runs of the program, and looks at what became of them."""

from __future__ import annotations

import time

from tests.faults import program
from tests.faults.ports import FaultyPlatform

from upwell._client.options import RunOptions
from upwell._client.submit import new_run, next_generation
from upwell._core.journal import Journal
from upwell._core.model import ROOT_ID, ActionKey, RunRecord, Status
from upwell._exec.payloads import unpack
from upwell._exec.replay import read_journal
from upwell._local.sqlite import SqliteStore

RUN_ID = "run"


async def start(platform: FaultyPlatform) -> RunRecord | None:
    """Run the program; None if the process dies."""
    encoded = program.main.interface.encode_inputs({})
    options, now = RunOptions(), time.time()
    blobs = platform.kernel.ports.blobs
    run = await new_run(blobs, program.main, encoded, options, run_id=RUN_ID, bundle=None, now=now)
    return await platform.run_until_dead(run)


async def recover(platform: FaultyPlatform, store: SqliteStore) -> RunRecord | None:
    """Go on with the run, as a new process does."""
    earlier = await store.get_run(RUN_ID)
    assert earlier is not None
    if earlier.status is Status.SUCCEEDED:
        return earlier
    return await platform.run_until_dead(next_generation(earlier, time.time()))


async def done(store: SqliteStore) -> set[str]:
    """Return the ids of everything that counts as done: succeeded actions, recorded traces."""
    journal = Journal(1)
    await read_journal(store, ActionKey(RUN_ID, ROOT_ID), journal)
    actions = {a.spec.action_id async for a in store.list_actions(RUN_ID) if a.status is Status.SUCCEEDED}
    return actions | journal.traces.keys()


async def check_result(run: RunRecord | None, platform: FaultyPlatform) -> None:
    """See that the run succeeded with the right result."""
    assert run is not None, "the process died"
    assert run.outcome is not None
    assert run.status is Status.SUCCEEDED, run.outcome.error
    assert run.outcome.output is not None
    data = await unpack(platform.kernel.ports.blobs, run.outcome.output)
    assert program.main.interface.decode_output(data) == program.RESULT
