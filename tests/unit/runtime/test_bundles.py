"""The code of runs in one process: one bundle at a time, nothing left of the one before."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from upwell._core.ids import content_digest
from upwell._core.keys import bundle_key
from upwell._core.model import ActionSpec, Payload, RunSpec, TaskSpec
from upwell._local.blobs import FolderBlobs
from upwell_runtime.bundles import BundleLoader, unpack

FLOW = """
import upwell
from shipped_steps import greeting

env = upwell.TaskEnvironment(name="shipped")

@env.task
def say() -> str:
    return greeting.WORD
"""


@pytest.fixture(autouse=True)
def _own_modules() -> Iterator[None]:
    """Let nothing of these bundles stay in the process."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("shipped_")]:
        del sys.modules[name]


def action(bundle: str) -> ActionSpec:
    return ActionSpec(
        run=RunSpec(run_id="r", bundle=bundle),
        action_id="a0",
        task=TaskSpec(name="shipped.say", module="shipped_flow", pool="default"),
        inputs=Payload(text="{}", size_bytes=2),
    )


async def shipped(blobs: FolderBlobs, word: str) -> str:
    """Put a bundle whose flow imports from a folder without `__init__.py`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("shipped_flow.py", FLOW)
        archive.writestr("shipped_steps/greeting.py", f"WORD = {word!r}\n")
    digest = content_digest(buffer.getvalue())
    await blobs.put(bundle_key(digest), buffer.getvalue())
    return digest


async def test_a_new_bundle_replaces_modules_in_folders_without_init(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    loader = BundleLoader(blobs, tmp_path / "bundles")
    for word in ("first", "second"):
        task = await loader.load(action(await shipped(blobs, word)))
        assert task.func() == word


def test_bundles_that_arrive_together_are_not_run_together(tmp_path: Path) -> None:
    loader = BundleLoader(FolderBlobs(tmp_path), tmp_path / "bundles")
    assert loader.admits(action("one"), busy=False)
    assert not loader.admits(action("two"), busy=True)
    assert loader.admits(action("one"), busy=True)
    assert loader.admits(action("two"), busy=False)
    assert not loader.admits(action("one"), busy=True)


def test_a_bundle_that_another_process_has_unpacked_leaves_no_draft(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("shipped_flow.py", FLOW)
    for _ in range(2):
        unpack(buffer.getvalue(), tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
