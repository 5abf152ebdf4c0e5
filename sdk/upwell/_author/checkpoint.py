"""Checkpoints: what a task saves of its state for the attempt after it."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upwell._author.syncify import run_blocking
from upwell._types.io_context import current_io_context
from upwell._types.transfers.transfer import join_uri

PAYLOAD, TREE = "payload", "tree"
"""What a checkpoint's archive holds: bytes or a file, or a folder."""
Data = str | os.PathLike[str] | bytes


class Checkpoint:
    """Saves one thing (bytes, a file or a folder) that outlives the attempt: `upwell.ctx().checkpoint`.

    Plain methods are async; those that end in `_sync` block. Each attempt saves under its own number, so that
    one that was given up for dead cannot overwrite what its successor saved.

    Args:
        folder: URI of the action's checkpoints.
        attempt: Number of this attempt.

    Example:
        >>> @env.task(retries=3)  # doctest: +SKIP
        ... def count() -> int:
        ...     checkpoint = upwell.ctx().checkpoint
        ...     saved = checkpoint.load_sync()
        ...     start = int(saved.read_bytes()) if saved else 0
        ...     for i in range(start, 100):
        ...         checkpoint.save_sync(str(i).encode())
        ...     return start
    """

    def __init__(self, folder: str, attempt: int) -> None:
        self._folder = folder
        self._attempt = attempt
        self._path: Path | None = None

    @property
    def path(self) -> Path:
        """Local folder that `load` restores into."""
        if self._path is None:
            scratch = current_io_context().scratch_dir.absolute()
            scratch.mkdir(parents=True, exist_ok=True)
            self._path = Path(tempfile.mkdtemp(prefix="checkpoint-", dir=scratch))
        return self._path

    @property
    def remote_destination(self) -> str:
        """URI that `save` writes to."""
        return join_uri(self._folder, f"{self._attempt:06d}")

    async def load(self) -> Path | None:
        """Return what was saved last, by this attempt or one before it; None when nothing was.

        Bytes and files come back as the file `<path>/payload`, a folder as `path` with what was in it.
        """
        uri = await self._latest()
        if uri is None:
            return None
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / PAYLOAD
            await current_io_context().transfer_for(uri).download(uri, archive)
            return await asyncio.to_thread(_unpack, archive, self.path)

    async def save(self, data: Data) -> None:
        """Save bytes, a file or a folder, in place of what this attempt saved before.

        Raises:
            FileNotFoundError: there is no such file or folder.
        """
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / PAYLOAD
            await asyncio.to_thread(_pack, data, archive)
            uri = self.remote_destination
            await current_io_context().transfer_for(uri).upload(archive, uri)

    async def prev_exists(self) -> bool:
        """Whether there is something to load."""
        return await self._latest() is not None

    def load_sync(self) -> Path | None:
        """Do what `load` does, blocking."""
        return run_blocking(self.load())

    def save_sync(self, data: Data) -> None:
        """Do what `save` does, blocking."""
        run_blocking(self.save(data))

    async def _latest(self) -> str | None:
        found = await current_io_context().transfer_for(self._folder).list(self._folder)
        numbered = [(_number(blob.uri), blob.uri) for blob in found]
        return max(((n, uri) for n, uri in numbered if n <= self._attempt), default=(0, None))[1]


def _number(uri: str) -> int:
    return int(uri.rpartition("/")[2])


def _pack(data: Data, archive: Path) -> None:
    with tarfile.open(archive, "w") as tar:
        if isinstance(data, bytes):
            entry = tarfile.TarInfo(PAYLOAD)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
            return
        path = Path(data)
        if not path.exists():
            raise FileNotFoundError(
                f"cannot save a checkpoint of {str(path)!r}: there is no such file or folder"
            )
        tar.add(path, arcname=TREE if path.is_dir() else PAYLOAD)


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive in place of what a folder holds; return the folder, or the one file."""
    shutil.rmtree(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent) as draft, tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.4 and later have it
        tar.extractall(draft)
        tree = Path(draft) / TREE
        if tree.exists():
            tree.rename(folder)
            return folder
        folder.mkdir()
        return (Path(draft) / PAYLOAD).rename(folder / PAYLOAD)


def latest_checkpoint(
    root: str | os.PathLike[str],
    glob_pattern: str = "**/last.ckpt",
    *,
    key: Callable[[Path], Any] | None = None,
) -> Path | None:
    """Return the newest file of a restored checkpoint that matches a pattern; None when none does.

    Args:
        root: What `Checkpoint.load` returned.
        glob_pattern: Of the files to choose from, relative to `root`.
        key: What to compare them by; by default the time of their last change.
    """
    files = [path for path in Path(root).glob(glob_pattern) if path.is_file()]
    return max(files, key=key or (lambda path: path.stat().st_mtime), default=None)
