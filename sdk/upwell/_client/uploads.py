"""Inputs that refer to files on this machine, made to refer to the backend's storage."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from upwell._core.garbage import REFRESH_S
from upwell._types.frames.frame_reference import FrameReference
from upwell._types.io_context import current_io_context
from upwell._types.reference import Reference
from upwell._types.transfers.transfer import Blob, is_local, join_uri, local_path_of
from upwell.io import Directory, File

DIGEST_CHARS = 32


async def published(value: Any) -> Any:
    """Return a value in which every File and Directory is somewhere that executors can reach.

    Those that are on this machine are uploaded under a name made of their content: what was uploaded before is
    not uploaded again, and cached results are found. The rest stays as it is. Containers, dataclasses and
    models are looked through.

    Raises:
        FileNotFoundError: a reference names a file that isn't there.
    """
    if isinstance(value, FrameReference) and value.is_pending:
        return value  # it is written to that storage when it is passed
    if isinstance(value, Reference):
        return await _uploaded(value) if is_local(value.path) else value
    if isinstance(value, list | tuple | set | frozenset):
        items = [await published(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: await published(item) for key, item in value.items()}
    if isinstance(value, BaseModel):
        changes = {name: await published(getattr(value, name)) for name in type(value).model_fields}
        return value.model_copy(update=changes)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [f.name for f in dataclasses.fields(value) if f.init]
        return dataclasses.replace(value, **{name: await published(getattr(value, name)) for name in fields})
    return value


async def _uploaded(reference: Reference) -> Reference:
    context = current_io_context()
    path = local_path_of(reference.path)
    name = reference.name or path.name
    uri = join_uri(context.raw_data_prefix, await asyncio.to_thread(_digest, path), name)
    transfer = context.transfer_for(uri)
    if isinstance(reference, Directory):
        there = await transfer.list(uri)
        is_whole = len(there) == len(await context.transfer_for("").list(str(path)))
        if not is_whole or not all(map(_is_fresh, there)):
            await Directory.from_local(path, uri)
    elif not _is_fresh(await transfer.stat(uri)):
        await File.from_local(path, uri)
    return reference.model_copy(update={"path": uri, "name": name})


def _is_fresh(blob: Blob | None) -> bool:
    """Whether what was uploaded before is there, and so new that it does not expire while a run needs it."""
    return blob is not None and time.time() - blob.modified_at < REFRESH_S


def _digest(path: Path) -> str:
    """Return a hash of a file's content, or of the names and contents below a folder."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_CHARS]
    if not path.is_dir():
        raise FileNotFoundError(f"input {str(path)!r} is neither a file nor a folder")
    files = sorted(p for p in path.rglob("*") if p.is_file())
    listing = "\n".join(f"{file.relative_to(path).as_posix()} {_digest(file)}" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()[:DIGEST_CHARS]
