"""Brings the code of a run into this process."""

from __future__ import annotations

import asyncio
import importlib
import io
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from upwell._author.registry import forget, resolve
from upwell._author.task import Task
from upwell._core.keys import bundle_key
from upwell._core.model import ActionSpec
from upwell._core.ports import BlobStore
from upwell.errors import TaskNotFoundError


class BundleLoader:
    """Loads tasks from code bundles. One bundle is active at a time; loading another one replaces its modules.

    Actions that are under way keep the modules they hold. A module that they import only later would come from
    the new bundle, which is why a worker does not take an action of another bundle while it runs some
    (`admits`).

    Args:
        blobs: Where bundles are.
        folder: Where to unpack them.
    """

    def __init__(self, blobs: BlobStore, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder
        self._lock = asyncio.Lock()
        self._wanted: str | None = None
        self.active: str | None = None

    def admits(self, spec: ActionSpec, *, busy: bool) -> bool:
        """Whether an action can be run now; not while actions of another bundle are under way.

        What is admitted first says which bundle it will be, long before that bundle is loaded.
        """
        if not busy:
            self._wanted = spec.run.bundle
        return self._wanted == spec.run.bundle

    async def load(self, spec: ActionSpec) -> Task[..., Any]:
        """Return the task of an action.

        Raises:
            TaskNotFoundError: its bundle has no such module or task.
        """
        bundle = spec.run.bundle
        if bundle is None:
            raise TaskNotFoundError(
                f"run {spec.run.run_id} was submitted without a code bundle; "
                "copy_style='none' works only where the executor has the code installed"
            )
        async with self._lock:
            if bundle != self.active:
                root = await self._unpacked(bundle)
                self._activate(bundle, root)
        return await asyncio.to_thread(resolve, spec.task.module, spec.task.name)

    async def _unpacked(self, bundle: str) -> Path:
        root = self._folder / bundle
        if not root.exists():
            data = await self._blobs.get(bundle_key(bundle))
            await asyncio.to_thread(unpack, data, root)
        return root

    def _activate(self, bundle: str, root: Path) -> None:
        parent = str(self._folder)
        for name, module in list(sys.modules.items()):
            if any(place.startswith(parent) for place in _places(module)):
                del sys.modules[name]
                forget(name)
        sys.path[:] = [str(root), *(p for p in sys.path if not p.startswith(parent))]
        importlib.invalidate_caches()
        self.active = bundle


def _places(module: object) -> list[str]:
    """Return where a module lies; a folder without `__init__.py` has no file, and still holds its modules."""
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        return [file]
    try:
        return [place for place in getattr(module, "__path__", ()) if isinstance(place, str)]
    except Exception:  # a module that computes its attributes may refuse to
        return []


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
