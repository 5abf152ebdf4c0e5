"""Bundles that are fetched back: whole, and what was uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from upwell._client.bundle import download_bundle, make_bundle, upload_bundle
from upwell._core.keys import bundle_key
from upwell._local.blobs import FolderBlobs
from upwell.errors import UsageError


async def test_a_bundle_is_unpacked_as_it_was_made(tmp_path: Path) -> None:
    source = tmp_path / "source" / "package"
    source.mkdir(parents=True)
    (source / "flow.py").write_text("x = 1\n")
    blobs = FolderBlobs(tmp_path / "blobs")
    bundle = make_bundle(source.parent, [source / "flow.py"])
    await upload_bundle(blobs, bundle)
    assert await download_bundle(blobs, bundle.digest, tmp_path / "code") == ["package/flow.py"]
    assert (tmp_path / "code" / "package" / "flow.py").read_text() == "x = 1\n"


async def test_a_bundle_that_was_changed_or_deleted_is_not_used(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    with pytest.raises(UsageError, match="was deleted"):
        await download_bundle(blobs, "0" * 64, tmp_path / "code")
    await blobs.put(bundle_key("0" * 64), b"something else")
    with pytest.raises(UsageError, match="somebody has changed it"):
        await download_bundle(blobs, "0" * 64, tmp_path / "code")
    assert not (tmp_path / "code").exists()
