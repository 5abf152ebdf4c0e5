"""Whether the files that a kept result names are still there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from upwell._core.keys import DATA
from upwell._core.ports import BlobStore

LOOKS_AT_ONCE = 32


async def has_its_files(blobs: BlobStore, result: bytes) -> bool:
    """Say whether the files and folders of runs that an encoded result names exist.

    They expire, and cache entries need not. Paths elsewhere are the program's own business. A result that names
    no such files, as most do, costs nothing.
    """
    prefix = blobs.uri(DATA)
    if DATA.encode() not in result:
        return True
    paths = {path for path in _strings(from_json(result)) if path.startswith(prefix)}
    keys = [DATA + path.removeprefix(prefix).rstrip("/") for path in sorted(paths)]
    for some in (keys[n : n + LOOKS_AT_ONCE] for n in range(0, len(keys), LOOKS_AT_ONCE)):
        if not all(await asyncio.gather(*(_is_there(blobs, key) for key in some))):
            return False
    return True


async def _is_there(blobs: BlobStore, key: str) -> bool:
    if await blobs.exists(key):
        return True
    async for _ in blobs.list(f"{key}/"):
        return True
    return False


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
