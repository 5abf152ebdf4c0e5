"""Whatever runs and kept results there are: nothing that a live one needs is deleted, and all else is."""

from __future__ import annotations

import asyncio
import base64
import os
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.contract.store_samples import (
    NOW,
    cache_entry,
    completed,
    ended,
    run_record,
    running,
    scheduled,
    succeeded,
)

from upwell._core.garbage import KEPT_S, BlobInfo
from upwell._core.ids import content_digest
from upwell._core.keys import bundle_key, cached_key, data_prefix, value_key
from upwell._core.model import ActionKey, Payload, RunRecord, Status
from upwell._exec.collector import Collector
from upwell._local.blobs import FolderBlobs
from upwell._local.sqlite import SqliteStore

OLD_S = 100 * 24 * 3600.0
RUNS = 4


def path_of(root: Path, run: int) -> str:
    return f"{root}/blobs/{data_prefix(f'run-{run}')}some/file.bin"


def in_json(path: str) -> str:
    return f'{{"x": {{"$upwell": "ref", "path": "{path}"}}}}'


def in_pickle(path: str) -> str:
    data = base64.b64encode(pickle.dumps({"hidden": [path]})).decode()
    return f'{{"x": {{"$upwell": "pickle", "data": "{data}"}}}}'


@dataclass(frozen=True)
class Mention:
    """Somebody names a file of a run."""

    by: int
    """Number of a run; `RUNS` is an entry of the cache."""
    where: str
    """`input`, `large value`, `output`, `journal`."""
    of: int
    write: Callable[[str], str]


MENTIONS = st.builds(
    Mention,
    by=st.integers(0, RUNS),
    where=st.sampled_from(["input", "large value", "output", "journal"]),
    of=st.integers(0, RUNS - 1),
    write=st.sampled_from([in_json, in_pickle]),
)
STATES = st.lists(st.sampled_from(["running", "ended lately", "ended long ago"]), min_size=RUNS, max_size=RUNS)


class World:
    """Runs with a file, a value and a bundle each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = SqliteStore(root / "state.db")
        self.blobs = FolderBlobs(root / "blobs")
        self.entries = 0

    async def add_run(self, number: int, state: str) -> None:
        run_id = f"run-{number}"
        bundle = content_digest(run_id.encode())
        run: RunRecord = run_record(run_id, created_at=NOW - 2 * OLD_S)
        run = replace(run, spec=replace(run.spec, bundle=bundle))
        if state != "running":
            at = NOW - (OLD_S if state == "ended long ago" else KEPT_S / 2)
            run = replace(run, status=Status.SUCCEEDED, ended_at=at)
        await self.store.save_run(run, expected=None)
        root = running("a0", run_id=run_id)
        await self.store.save(root if state == "running" else ended(root), expected=None)
        await self.blobs.put(bundle_key(bundle), b"code")
        await self.blobs.put(value_key(run_id, content_digest(b"1")), b"1")
        await self.blobs.put(f"{data_prefix(run_id)}some/file.bin", b"data")

    async def mention(self, mention: Mention) -> None:
        text = mention.write(path_of(self.root, mention.of))
        payload = Payload(text=text, size_bytes=len(text))
        if mention.by == RUNS:
            await self.keep(text, is_large=mention.where == "large value")
            return
        run_id = f"run-{mention.by}"
        if mention.where == "large value":
            await self.blobs.put(value_key(run_id, content_digest(text.encode())), text.encode())
        elif mention.where == "journal":
            parent = ActionKey(run_id, "a0")
            entries = [scheduled(NOW, "a9"), completed(NOW, "a9", succeeded(text))]
            await self.store.append(parent, 0, entries)
        else:
            record = running(f"a{mention.of + 1}{mention.where}", run_id=run_id)
            if mention.where == "input":
                record = replace(record, spec=replace(record.spec, inputs=payload))
            else:
                record = ended(record, replace(succeeded(), output=payload))
            await self.store.save(record, expected=None)

    async def keep(self, text: str, *, is_large: bool) -> None:
        self.entries += 1
        entry = cache_entry(f"key-{self.entries}", text)
        if is_large:
            blob = cached_key(content_digest(text.encode()))
            await self.blobs.put(blob, text.encode())
            entry = replace(entry, output=Payload(blob=blob, size_bytes=len(text)))
        await self.store.put_cached([entry])

    def age(self) -> None:
        """Make all blobs old."""
        for path in (self.root / "blobs").rglob("*"):
            os.utime(path, (NOW - OLD_S, NOW - OLD_S))

    async def runs_left(self) -> set[int]:
        """Return the runs whose file is there."""
        return {n for n in range(RUNS) if await self.blobs.exists(f"{data_prefix(f'run-{n}')}some/file.bin")}

    def collector(self) -> Collector:
        return Collector(self.store, self.blobs, NOW)


def needed(states: list[str], mentions: list[Mention]) -> set[int]:
    """Return the runs whose files are to be kept."""
    live = {number for number, state in enumerate(states) if state != "ended long ago"}
    kept = set(live)
    for mention in mentions:
        # The journal of a run that has succeeded has nothing that its records have not.
        is_read = mention.where != "journal" or (mention.by < RUNS and states[mention.by] == "running")
        if mention.by == RUNS or (mention.by in live and is_read):
            kept.add(mention.of)
    return kept


EVERY_WAY = [
    Mention(by=by, where=where, of=of, write=write)
    for of, (by, where, write) in enumerate(
        [(0, "journal", in_json), (0, "large value", in_pickle), (RUNS, "large value", in_json)], start=1
    )
]


@settings(max_examples=25, deadline=None)
@example(states=["running", *["ended long ago"] * 3], mentions=EVERY_WAY)
@given(states=STATES, mentions=st.lists(MENTIONS, max_size=6))
def test_what_a_live_run_or_a_kept_result_needs_stays_and_all_else_goes(
    states: list[str], mentions: list[Mention]
) -> None:
    async def check(root: Path) -> None:
        world = World(root)
        for number, state in enumerate(states):
            await world.add_run(number, state)
        for mention in mentions:
            await world.mention(mention)
        world.age()
        collector = world.collector()
        found = await collector.find()
        assert await collector.delete(found) == found
        kept = needed(states, mentions)
        assert await world.runs_left() == kept
        left = [blob async for blob in world.blobs.list("values/")]
        assert {blob.key.split("/")[1] for blob in left} == {f"run-{n}" for n in kept}
        live = {n for n, state in enumerate(states) if state != "ended long ago"}
        bundles = {bundle_key(content_digest(f"run-{n}".encode())) for n in live}
        assert {blob.key async for blob in world.blobs.list("bundles/")} == bundles
        cached = {blob.key async for blob in world.blobs.list("cached/")}
        large = {m.write(path_of(root, m.of)) for m in mentions if m.by == RUNS and m.where == "large value"}
        assert cached == {cached_key(content_digest(text.encode())) for text in large}
        world.store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))


@settings(max_examples=8, deadline=None)
@given(mention=MENTIONS, by_run=st.booleans())
def test_what_begins_while_garbage_is_collected_keeps_what_it_needs(mention: Mention, by_run: bool) -> None:
    async def check(root: Path) -> None:
        world = World(root)
        for number in range(RUNS):
            await world.add_run(number, "ended long ago")
        world.age()
        collector = world.collector()
        found = await collector.find()
        assert len(found) == 3 * RUNS
        if by_run:  # a new run is given an old file, by whatever way
            run = run_record("run-new", created_at=NOW)
            await world.store.save_run(run, expected=None)
            record = running("a1", run_id="run-new")
            record = replace(record, spec=replace(record.spec, inputs=_payload(world, mention)))
            await world.store.save(record, expected=None)
        else:
            await world.keep(mention.write(path_of(root, mention.of)), is_large=mention.where == "large value")
        deleted: list[BlobInfo] = await collector.delete(found)
        kept = await world.runs_left()
        world.store.close()
        assert mention.of in kept
        assert len(deleted) < len(found)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check(Path(folder)))


def _payload(world: World, mention: Mention) -> Payload:
    text = mention.write(path_of(world.root, mention.of))
    return Payload(text=text, size_bytes=len(text))
