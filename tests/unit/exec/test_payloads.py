"""Small values stay inline, larger ones become blobs."""

from __future__ import annotations

from pathlib import Path

from upwell._core.ids import content_digest
from upwell._core.keys import cached_key, value_key
from upwell._core.model import Payload
from upwell._exec.payloads import pack, unpack
from upwell._local.blobs import FolderBlobs


async def test_a_value_of_the_limit_is_inline_and_one_byte_more_is_a_blob(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    assert await pack(blobs, "run", b"12345", inline_bytes=5) == Payload(text="12345", size_bytes=5)
    larger = await pack(blobs, "run", b"123456", inline_bytes=5)
    assert larger == Payload(blob=value_key("run", content_digest(b"123456")), size_bytes=6)
    assert await unpack(blobs, larger) == b"123456"


async def test_what_the_cache_keeps_does_not_lie_with_its_run(tmp_path: Path) -> None:
    kept = await pack(FolderBlobs(tmp_path), "run", b"123456", inline_bytes=5, cached=True)
    assert kept.blob == cached_key(content_digest(b"123456"))


async def test_sizes_are_bytes_not_characters(tmp_path: Path) -> None:
    packed = await pack(FolderBlobs(tmp_path), "run", '"äöü"'.encode(), inline_bytes=100)
    assert packed == Payload(text='"äöü"', size_bytes=8)
    assert await unpack(FolderBlobs(tmp_path), packed) == '"äöü"'.encode()
