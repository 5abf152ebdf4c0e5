"""The code of runs on an executor's disk."""

from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path

import pytest

from upwell._core.ids import content_digest
from upwell._core.keys import bundle_key
from upwell._core.model import ActionSpec, Payload, RunSpec, TaskSpec
from upwell._local.blobs import FolderBlobs
from upwell.errors import TaskNotFoundError
from upwell_runtime.bundles import Bundles, unpack


def action(bundle: str | None) -> ActionSpec:
    return ActionSpec(
        run=RunSpec(run_id="r", bundle=bundle),
        action_id="a0",
        task=TaskSpec(name="shipped.say", module="shipped_flow", pool="default"),
        inputs=Payload(text="{}", size_bytes=2),
    )


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("shipped_flow.py", "WORD = 1\n")
    return buffer.getvalue()


async def test_a_bundle_that_is_asked_for_many_times_is_unpacked_once(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    data = zipped()
    digest = content_digest(data)
    await blobs.put(bundle_key(digest), data)
    bundles = Bundles(blobs, tmp_path / "bundles")
    folders = await asyncio.gather(*(bundles.folder(action(digest)) for _ in range(5)))
    assert {folder / "shipped_flow.py" for folder in folders} == set((tmp_path / "bundles").glob("*/*.py"))


async def test_a_run_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskNotFoundError, match="without a code bundle"):
        await Bundles(FolderBlobs(tmp_path), tmp_path).folder(action(None))


def test_a_bundle_that_another_process_has_unpacked_leaves_no_draft(tmp_path: Path) -> None:
    for _ in range(2):
        unpack(zipped(), tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
