"""Frames in storage: written once, as parquet, under a hash of what they hold."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from upwell._types.blocking import run_blocking
from upwell._types.frames import frame_hashes
from upwell._types.frames.frame_digest import table_digest
from upwell._types.frames.frame_kinds import UnwritableFrameError, table_of
from upwell._types.frames.frame_reference import PARQUET, FrameReference
from upwell._types.io_context import current_io_context
from upwell._types.raw_files import writing
from upwell._types.transfers.transfer import is_local, local_path_of, part_of

INLINE_BYTES = 16 * 1024
"""A parquet file up to this size is part of the value itself, which costs no request of its own."""
MAX_COLUMNS_SHOWN = 1000
"""A reference to a frame with more columns does not list them: it has to stay small."""
_ROW_GROUP_ROWS = 1 << 20
_ROW_GROUP_BYTES = 64 << 20
"""Rows are encoded and sent in groups, which is what has to fit into memory."""
HashFrame = Callable[[Any], str]


def described(schema: Any, num_rows: int) -> dict[str, Any]:
    """Return what a reference says of a table with an Arrow schema."""
    columns = {field.name: str(field.type) for field in schema}
    return {"columns": columns if len(columns) <= MAX_COLUMNS_SHOWN else None, "num_rows": num_rows}


def inlined(frame: Any, hash_frame: HashFrame | None = None) -> FrameReference:
    """Return a reference to a frame in memory: it holds the frame when that is small, else the frame is stored.

    Raises:
        UnwritableFrameError: parquet cannot hold it.
    """
    table = table_of(frame)
    digest = table_digest(table)
    hash_frame = hash_frame or frame_hashes.recall(frame)
    about = {"format": PARQUET, "hash": hash_frame(frame) if hash_frame else None, "digest": digest}
    about |= described(table.schema, table.num_rows)
    if table.nbytes <= INLINE_BYTES:
        data = parquet_bytes(table)
        if len(data) <= INLINE_BYTES:
            return FrameReference(data=base64.b64encode(data).decode(), **about)
    return FrameReference(path=_stored(table, digest, None), **about)


def write(reference: FrameReference, hash_frame: HashFrame | None = None) -> None:
    """Write the frame that a reference holds in memory, if it does, and note what it is.

    Raises:
        UnwritableFrameError: parquet cannot hold it.
    """
    frame = reference._frame
    if frame is None:
        return
    table = table_of(frame)
    digest = table_digest(table)
    reference.path = _stored(table, digest, reference.path or None)
    reference.name = reference.path.rsplit("/", 1)[-1]
    reference.format = PARQUET
    reference.digest = digest
    hash_frame = hash_frame or frame_hashes.recall(frame)
    if reference.hash is None and hash_frame is not None:
        reference.hash = hash_frame(frame)
    for name, value in described(table.schema, table.num_rows).items():
        setattr(reference, name, value)
    reference._frame = None


def parquet_bytes(table: Any) -> bytes:
    """Return an Arrow table as a parquet file."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write_parquet(table, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _stored(table: Any, digest: str, uri: str | None) -> str:
    """Write a table to a URI, or to the one that its hash names if nothing has been written there."""
    context = current_io_context()
    target = uri or context.uri_of_content(f"{digest}.{PARQUET}")
    if uri is None and (target in context.seen or run_blocking(context.transfer_for(target).stat(target))):
        return target
    if is_local(target):
        _write_file(table, target)
    else:
        with writing(target) as file:
            _write_parquet(table, file)
    context.seen.add(target)
    return target


def _write_file(table: Any, uri: str) -> None:
    """Write a file of this machine; it appears as a whole."""
    path = local_path_of(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        _write_parquet(table, str(part))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write_parquet(table: Any, target: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row_bytes = table.nbytes / max(table.num_rows, 1)
    rows = max(1, min(_ROW_GROUP_ROWS, int(_ROW_GROUP_BYTES / max(row_bytes, 1))))
    try:
        pq.write_table(table, target, row_group_size=rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as e:
        raise UnwritableFrameError(f"a frame cannot be written as parquet ({e})") from e
