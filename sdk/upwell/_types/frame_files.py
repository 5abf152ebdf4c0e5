"""Frames as parquet files: written once under the hash of what they hold, and read back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upwell._types.blocking import run_blocking
from upwell._types.frame_digest import table_digest
from upwell._types.frame_kinds import UnwritableFrameError, kind_of, table_of
from upwell._types.frame_reference import PARQUET, FrameReference
from upwell._types.io_context import current_io_context
from upwell._types.transfer import is_local, local_path_of

INLINE_BYTES = 16 * 1024
"""A parquet file up to this size is part of the value itself, which costs no request of its own."""
MAX_COLUMNS_SHOWN = 1000
"""A reference to a frame with more columns does not list them: it has to stay small."""
_ROW_GROUP_ROWS = 1 << 20
_ROW_GROUP_BYTES = 128 << 20

HashFrame = Callable[[Any], str]


def described(table: Any) -> dict[str, Any]:
    """Return what a reference says of a table."""
    columns = {field.name: str(field.type) for field in table.schema}
    return {
        "columns": columns if len(columns) <= MAX_COLUMNS_SHOWN else None,
        "num_rows": table.num_rows,
    }


def inlined(frame: Any, hash_frame: HashFrame | None = None) -> FrameReference:
    """Return a reference to a frame in memory: it holds the frame when that is small, else the frame is stored.

    Raises:
        UnwritableFrameError: parquet cannot hold it.
    """
    table = table_of(frame)
    digest = table_digest(table)
    known = {"format": PARQUET, "hash": hash_frame(frame) if hash_frame else digest, **described(table)}
    if table.nbytes <= INLINE_BYTES:
        data = _parquet_bytes(table)
        if len(data) <= INLINE_BYTES:
            return FrameReference(data=base64.b64encode(data).decode(), **known)
    return FrameReference(path=_stored(table, digest, None), **known)


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
    reference.format = PARQUET
    reference.hash = reference.hash or (hash_frame(frame) if hash_frame else digest)
    reference.name = reference.path.rsplit("/", 1)[-1]
    for name, value in described(table).items():
        setattr(reference, name, value)
    reference._frame = None


def read(reference: FrameReference, cls: type) -> Any:
    """Return the frame that a reference names, as an instance of a class of frames.

    Raises:
        FileNotFoundError: there is no such file.
    """
    kind = kind_of(cls)
    assert kind is not None  # the caller found out before
    return kind.of_table(read_table(reference))


def read_table(reference: FrameReference) -> Any:
    """Return the Arrow table of the frame that a reference names."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if reference.data is not None:
        return pq.read_table(pa.BufferReader(base64.b64decode(reference.data)))
    path, is_copy = _on_this_machine(reference.path)
    try:
        return pq.read_table(path, memory_map=True)
    finally:
        if is_copy:
            path.unlink(missing_ok=True)


def _on_this_machine(uri: str) -> tuple[Path, bool]:
    """Return where a file is on this machine, and whether that is a copy made for this purpose."""
    context = current_io_context()
    transfer = context.transfer_for(uri)
    if is_local(uri):
        if not run_blocking(transfer.exists(uri)):
            raise FileNotFoundError(f"no frame at {uri!r}; was it written, and on this machine?")
        return local_path_of(uri), False
    path = context.fresh_path("frame.parquet")
    run_blocking(transfer.download(uri, path))
    return path, True


def _stored(table: Any, digest: str, uri: str | None) -> str:
    """Write a table to a URI, or to the one that its hash names if nothing has been written there."""
    context = current_io_context()
    target = uri or context.uri_of_content(f"{digest}.{PARQUET}")
    transfer = context.transfer_for(target)
    if uri is None and run_blocking(transfer.exists(target)):
        return target
    path = context.fresh_path("frame.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_parquet(table, str(path))
        run_blocking(transfer.upload(path, target))
    finally:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    return target


def _parquet_bytes(table: Any) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write_parquet(table, sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _write_parquet(table: Any, target: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row_bytes = table.nbytes / max(table.num_rows, 1)
    rows = max(1, min(_ROW_GROUP_ROWS, int(_ROW_GROUP_BYTES / max(row_bytes, 1))))
    try:
        pq.write_table(table, target, row_group_size=rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as e:
        raise UnwritableFrameError(f"a frame cannot be written as parquet ({e})") from e
