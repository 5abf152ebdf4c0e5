"""Small helpers for paths in object storage and on this machine; `upwell.io` has files and directories.

Example:
    >>> join("s3://bucket/", "a", "b.txt")
    's3://bucket/a/b.txt'
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from upwell._types.blocking import run_blocking
from upwell._types.transfers.transfer import join_uri
from upwell.io import Directory, File

__all__ = ["ABFS", "GCS", "S3", "Storage", "exists", "exists_sync", "get", "join", "open", "put"]


class Storage:
    """Access to a store, for `init(storage=...)`. It has no meaning here: the deployment knows its own."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    @classmethod
    def auto(cls, **settings: Any) -> Self:
        """Make it of what the environment says."""
        return cls(**settings)

    @classmethod
    def for_sandbox(cls, **settings: Any) -> Self:
        """Make it for a sandbox."""
        return cls(**settings)


class S3(Storage):
    """Access to S3 or what speaks like it."""


class GCS(Storage):
    """Access to Google's storage."""


class ABFS(Storage):
    """Access to Azure's storage."""


def join(*paths: str) -> str:
    """Return the path of something below a folder."""
    return join_uri(*paths)


async def get(from_path: str, to_path: str | os.PathLike[str] | None = None, recursive: bool = False) -> str:
    """Copy a file, or with `recursive` a folder, to this machine, and return the path of the copy."""
    source = Directory(path=from_path) if recursive else File(path=from_path)
    return str(await source.download(to_path))


async def put(from_path: str, to_path: str | None = None, recursive: bool = False) -> str:
    """Copy a file, or with `recursive` a folder, from this machine, and return the path of the copy."""
    if recursive:
        return (await Directory.from_local(from_path, to_path)).path
    return (await File.from_local(from_path, to_path)).path


async def exists(path: str) -> bool:
    """Say whether there is a file, or a folder with files, at a path."""
    return await File(path=path).exists() or await Directory(path=path).exists()


def exists_sync(path: str) -> bool:
    """Do what `exists` does, blocking."""
    return run_blocking(exists(path))


@asynccontextmanager
async def open(path: str, mode: str = "rb") -> AsyncIterator[Any]:  # noqa: A001  # its name
    """Open a file as `File.open` does."""
    async with File(path=path).open(mode) as file:
        yield file
