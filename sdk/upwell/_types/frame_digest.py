"""A hash of what a table holds: the same however it is cut into chunks and whatever wrote it.

The bytes of a parquet file are not: they depend on the version of the writer and on the chunks. What counts is
the schema (names, types, pandas' notes on index and dtypes) and each column's values; what memory happens to
hold where a value is missing does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_DIGEST_BYTES = 16
_THREADS = 4
_PANDAS = b"pandas"
_VERSIONS = ("pandas_version", "creator")
"""What the pandas metadata says of who wrote it."""
_PIECE_ROWS = 1 << 20
"""Rows that are brought into their canonical form at a time."""


def table_digest(table: Any) -> str:
    """Return the hash of an Arrow table's schema and values."""
    outer = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    outer.update(_described(table.schema).encode())
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="upwell-digest") as threads:  # hashing frees the GIL
        for column in threads.map(_column_digest, table.columns):
            outer.update(column)
    return outer.hexdigest()


def _described(schema: Any) -> str:
    metadata = dict(schema.metadata or {})
    if _PANDAS in metadata:
        notes = json.loads(metadata[_PANDAS])
        metadata[_PANDAS] = json.dumps(
            {key: value for key, value in notes.items() if key not in _VERSIONS}, sort_keys=True
        ).encode()
    fields = [[field.name, str(field.type)] for field in schema]
    texts = sorted((key.hex(), value.hex()) for key, value in metadata.items())
    return json.dumps([fields, texts])


def _column_digest(column: Any) -> bytes:
    """Return the hash of a column, made of one hash for each kind of buffer that holds its values."""
    import pyarrow as pa

    hashes: dict[str, Any] = {}
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
        if column.num_chunks:
            hashes["dictionary"] = _new_hash(_column_digest(pa.chunked_array([column.chunk(0).dictionary])))
        column = pa.chunked_array([chunk.indices for chunk in column.chunks], column.type.index_type)
    for chunk in column.chunks:
        for start in range(0, len(chunk), _PIECE_ROWS):
            for part, data in _buffers(chunk.slice(start, _PIECE_ROWS), "values"):
                hashes.setdefault(part, _new_hash()).update(data)
    outer = _new_hash()
    for part in sorted(hashes):
        outer.update(part.encode() + b"=" + hashes[part].digest())
    digest: bytes = outer.digest()
    return digest


def _new_hash(data: bytes = b"") -> Any:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES)


def _buffers(array: Any, part: str) -> Iterator[tuple[str, Any]]:
    """Yield the bytes of an array with a name for each buffer; those of one name are hashed as one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if array.null_count and not pa.types.is_null(array.type):
        yield f"{part}/missing", _fixed(pc.is_null(array).cast(pa.uint8()))
        array = array.drop_null()
    kind = array.type
    if not len(array):
        return
    if pa.types.is_null(kind):
        yield f"{part}/missing", b"\1" * len(array)
    elif pa.types.is_boolean(kind):
        yield part, _fixed(array.cast(pa.uint8()))
    elif pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        yield from _buffers(array.cast(pa.large_binary()), part)
    elif pa.types.is_string(kind) or pa.types.is_binary(kind):
        yield from _texts(array, 4, part)
    elif pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        yield from _texts(array, 8, part)
    elif pa.types.is_struct(kind):
        yield f"{part}/rows", b"\1" * len(array)
        for field, child in zip(kind, array.flatten(), strict=True):
            yield from _buffers(child, f"{part}/{field.name}")
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield f"{part}/lengths", _fixed(pc.list_value_length(array).cast(pa.int64()))
        yield from _buffers(array.flatten(), f"{part}/items")
    elif pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
        yield part, _fixed(array)
    else:  # maps, unions and the like, whose layouts are not worth a case of their own
        yield f"{part}/whole", pa.record_batch([array], ["value"]).serialize()


def _fixed(array: Any) -> Any:
    """Return the bytes of values of one width, none of them missing."""
    width = array.type.bit_width // 8
    return array.buffers()[1].slice(array.offset * width, len(array) * width)


def _texts(array: Any, offset_bytes: int, part: str) -> Iterator[tuple[str, Any]]:
    import pyarrow.compute as pc

    yield f"{part}/lengths", _fixed(pc.binary_length(array).cast("int64"))
    _, offsets, data = array.buffers()
    if data is None:
        return
    ends = memoryview(offsets).cast("i" if offset_bytes == 4 else "q")
    first, last = ends[array.offset], ends[array.offset + len(array)]
    yield part, data.slice(first, last - first)
