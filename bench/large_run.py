"""Runs of any number of actions in a folder's state: a small one is made, and its records are copied."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from upwell._core.journal import Scheduled, Sent
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.model import ActionKey, ActionRecord
from upwell._local.sqlite import SqliteStore

RUN_ID, MADE = "many", 200
PROGRAM = """
import asyncio
import upwell

env = upwell.TaskEnvironment("many")

@env.task
async def score(x: int) -> int:
    await asyncio.sleep(0.02)
    return x

@env.task
async def main(n: int) -> int:
    return sum(await asyncio.gather(*(score(i) for i in range(n))))
"""
SPREAD_S = 0.004
"""Between the begins of copies."""
AT_ONCE = 2000


def make_run(folder: Path, n: int) -> None:
    """Leave a run of n actions in a folder's state."""
    (folder / "many.py").write_text(PROGRAM)
    upwell_command(folder, "run", "many.py", "main", "--n", str(min(n, MADE)), "--name", RUN_ID).wait()
    asyncio.run(copy_actions(folder / ".upwell" / "state.db", n))


def upwell_command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("upwell")), "--backend", "local", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


async def copy_actions(database: Path, n: int) -> None:
    """Copy the root's children until the run has n actions; the run then lasts as long as they."""
    store = SqliteStore(database)
    try:
        records = [record async for record in store.list_actions(RUN_ID)]
        root = next(record for record in records if record.spec.parent_id is None)
        children = [record for record in records if record.spec.parent_id is not None]
        late = n - len(records)
        for first in range(0, late, AT_ONCE):
            numbers = range(first, min(late, first + AT_ONCE))
            copies = [copy_of(children[i % len(children)], i, len(children)) for i in numbers]
            await asyncio.gather(*(store.save(one, expected=None) for one in copies))
            await journal(store, root, copies)
        ended_at = (root.ended_at or 0.0) + max(0, late) * SPREAD_S
        await store.save(replace(root, ended_at=ended_at, version=root.version + 1), expected=root.version)
        run = await store.get_run(RUN_ID)
        assert run is not None
        await store.save_run(replace(run, ended_at=ended_at, version=run.version + 1), expected=run.version)
    finally:
        store.close()


def copy_of(record: ActionRecord, number: int, before: int) -> ActionRecord:
    """Return an action that was called, begun and ended later, after so many others of its parent."""
    shift_s = number * SPREAD_S

    def later(at: float | None) -> float | None:
        return None if at is None else at + shift_s

    attempts = tuple(
        replace(one, started_at=one.started_at + shift_s, ended_at=later(one.ended_at))
        for one in record.attempts
    )
    spec = replace(
        record.spec,
        action_id=f"copy{number:07}",
        queued_at=record.spec.queued_at + shift_s,
        shard=(before + number) // JOURNAL_SHARD_ENTRIES,
    )
    return replace(
        record,
        spec=spec,
        created_at=record.created_at + shift_s,
        started_at=later(record.started_at),
        ended_at=later(record.ended_at),
        attempts=attempts,
    )


async def journal(store: SqliteStore, root: ActionRecord, copies: list[ActionRecord]) -> None:
    """Note in the root's journal that it has called these."""
    by_shard: dict[int, list[ActionRecord]] = {}
    for copy in copies:
        by_shard.setdefault(copy.spec.shard, []).append(copy)
    for shard, some in by_shard.items():
        sent = tuple(
            Sent(action_id=one.spec.action_id, task=one.spec.task.name, pool=one.spec.task.pool) for one in some
        )
        entry = Scheduled(at=some[0].spec.queued_at, generation=root.generation, shard=shard, children=sent)
        await store.append(ActionKey(RUN_ID, root.spec.action_id), shard, [entry])


@contextmanager
def console(folder: Path, port: int = 8644) -> Iterator[str]:
    """Serve the console of a folder."""
    process = upwell_command(folder, "console", "--no-open", "--port", str(port))
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
