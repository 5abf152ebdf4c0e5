"""Values on their way: small ones inline, larger ones as blobs."""

from __future__ import annotations

from upwell._core.ids import content_digest
from upwell._core.keys import cached_key, value_key
from upwell._core.model import Payload
from upwell._core.ports import BlobStore


async def pack(
    blobs: BlobStore, run_id: str, data: bytes, *, inline_bytes: int, cached: bool = False
) -> Payload:
    """Return a payload for encoded data; above `inline_bytes` it is put into the blob store.

    Args:
        blobs: Where large values go.
        run_id: The run that the value belongs to.
        data: UTF-8 JSON text.
        inline_bytes: The largest size to keep inline.
        cached: Whether the value must outlive its run.
    """
    if len(data) <= inline_bytes:
        return Payload(text=data.decode(), size_bytes=len(data))
    digest = content_digest(data)
    key = cached_key(digest) if cached else value_key(run_id, digest)
    await blobs.put(key, data)
    return Payload(blob=key, size_bytes=len(data))


async def unpack(blobs: BlobStore, payload: Payload) -> bytes:
    """Return the encoded data of a payload."""
    if payload.blob is not None:
        return await blobs.get(payload.blob)
    return (payload.text or "").encode()
