"""Brings the code of runs to this machine."""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

from upwell._core.keys import bundle_key
from upwell._core.model import ActionSpec
from upwell._core.ports import BlobStore
from upwell.errors import TaskNotFoundError


class Bundles:
    """Code bundles, each unpacked once (`process.pool.Code`).

    Args:
        blobs: Where bundles are.
        folder: Where to unpack them.
    """

    def __init__(self, blobs: BlobStore, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder
        self._unpacking: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def folder(self, spec: ActionSpec) -> Path:
        """Return the folder with the bundle of an action's run.

        Raises:
            TaskNotFoundError: the run has none.
        """
        bundle = spec.run.bundle
        if bundle is None:
            raise TaskNotFoundError(
                f"run {spec.run.run_id} was submitted without a code bundle; "
                "copy_style='none' works only where the executor has the code installed"
            )
        root = self._folder / bundle
        async with self._unpacking[bundle]:
            if not root.exists():
                data = await self._blobs.get(bundle_key(bundle))
                await asyncio.to_thread(unpack, data, root)
        return root


def unpack(data: bytes, root: Path) -> None:
    """Unpack a bundle, whole or not at all: another process may be at it too."""
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=root.parent))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(draft)
    try:
        draft.rename(root)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not root.exists():
            raise
