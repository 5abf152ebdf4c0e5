"""A hash of what a table holds: the same however it is cut into chunks and whatever wrote it.

The bytes of a parquet file are not: they depend on the version of the writer and on the chunks. What counts is
the schema (names, types, pandas' notes on index and dtypes) and each column's values; what memory happens to
hold where a value is missing does not.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

DIGEST_CHARS = 32
_THREADS = 4
_THREADS_FROM_BYTES = 8 << 20
"""Less is hashed sooner than threads start."""
_PANDAS = b"pandas"
_VERSIONS = ("pandas_version", "creator")
"""What the pandas metadata says of who wrote it."""
_PIECE_ROWS = 1 << 20
"""Rows that are brought into their canonical form at a time."""


def table_digest(table: Any) -> str:
    """Return the hash of an Arrow table's schema and values."""
    outer = _new_hash()
    outer.update(f"{table.num_rows} {_described(table.schema)}".encode())
    if table.nbytes < _THREADS_FROM_BYTES:
        outer.update(b"".join(map(_column_digest, table.columns)))
    else:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="upwell-digest") as threads:  # it frees the GIL
            outer.update(b"".join(threads.map(_column_digest, table.columns)))
    digest: str = outer.hexdigest()[:DIGEST_CHARS]
    return digest


def _described(schema: Any) -> str:
    metadata = dict(schema.metadata or {})
    if _PANDAS in metadata:
        notes = json.loads(metadata[_PANDAS])
        metadata[_PANDAS] = json.dumps(
            {key: value for key, value in notes.items() if key not in _VERSIONS}, sort_keys=True
        ).encode()
    fields = [[field.name, _type_name(field.type)] for field in schema]
    texts = sorted((key.hex(), value.hex()) for key, value in metadata.items())
    return json.dumps([fields, texts])


def _type_name(kind: Any) -> str:
    """Return the name of a type, without that of a list's items, which parquet changes."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{'list' if pa.types.is_list(kind) else 'large_list'}<{_type_name(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_type_name(field.type)}' for field in kind)}>"
    return str(kind)


def _column_digest(column: Any) -> bytes:
    import pyarrow as pa

    hashes = _Hashes()
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
        if column.num_chunks:
            hashes.add(column.chunk(0).dictionary, "dictionary")
        column = pa.chunked_array([chunk.indices for chunk in column.chunks], column.type.index_type)
    for chunk in column.chunks:
        for start in range(0, len(chunk), _PIECE_ROWS):
            hashes.add(chunk.slice(start, _PIECE_ROWS), "values")
    return hashes.digest()


class _Hashes:
    """The hashes of the buffers that a column's values are made of: each goes on from chunk to chunk."""

    def __init__(self) -> None:
        self._hashes: dict[str, Any] = {}
        self._rows: Counter[str] = Counter()

    def digest(self) -> bytes:
        """Return the hash of all of them."""
        outer = _new_hash()
        for part in sorted(self._hashes):
            outer.update(part.encode() + b"=" + self._hashes[part].digest())
        digest: bytes = outer.digest()
        return digest

    def add(self, array: Any, part: str) -> None:
        """Take up the next values of a part of the column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
            array = array.cast(pa.large_binary())
        first_row = self._rows[part]
        self._rows[part] += len(array)
        if pa.types.is_null(array.type):
            return
        if array.null_count:
            missing = pc.indices_nonzero(pc.is_null(array))
            self._update(f"{part}/missing", _fixed(pc.add(missing, pa.scalar(first_row, pa.uint64()))))
            array = array.drop_null()
        if len(array):
            self._add_values(array, part)

    def _add_values(self, array: Any, part: str) -> None:
        """Take up values of which none is missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = array.type
        if pa.types.is_boolean(kind):
            self._update(part, _fixed(array.cast(pa.uint8())))
        elif pa.types.is_string(kind) or pa.types.is_binary(kind):
            self._add_texts(array, "i", part)
        elif pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
            self._add_texts(array, "q", part)
        elif pa.types.is_struct(kind):
            for field, child in zip(kind, array.flatten(), strict=True):
                self.add(child, f"{part}/{field.name}")
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            self._update(f"{part}/lengths", _fixed(pc.list_value_length(array).cast(pa.int64())))
            self.add(array.flatten(), f"{part}/items")
        elif pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
            self._update(part, _fixed(array))
        else:  # maps, unions and the like, whose layouts are not worth a case of their own
            self._update(f"{part}/whole", pa.record_batch([array], ["value"]).serialize())

    def _add_texts(self, array: Any, offset_format: str, part: str) -> None:
        import pyarrow.compute as pc

        self._update(f"{part}/lengths", _fixed(pc.binary_length(array).cast("int64")))
        _, offsets, data = array.buffers()
        if data is not None:
            ends = memoryview(offsets).cast("B").cast(offset_format)  # type: ignore[call-overload]  # i or q
            first, last = ends[array.offset], ends[array.offset + len(array)]
            self._update(part, data.slice(first, last - first))

    def _update(self, part: str, data: Any) -> None:
        self._hashes.setdefault(part, _new_hash()).update(data)


def _new_hash() -> Any:
    return hashlib.sha256(usedforsecurity=False)  # processors have instructions for it


def _fixed(array: Any) -> Any:
    """Return the bytes of values of one width, of which none is missing."""
    width = array.type.bit_width // 8
    return array.buffers()[1].slice(array.offset * width, len(array) * width)
