"""Frames out of storage: whole, or only the columns, row groups and rows that are wanted."""

from __future__ import annotations

import base64
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from upwell._types.blocking import run_blocking
from upwell._types.frames.frame_files import described
from upwell._types.frames.frame_kinds import check_arrow, kind_of, table_of
from upwell._types.frames.frame_reference import PARQUET, FrameReference
from upwell._types.io_context import current_io_context
from upwell._types.raw_files import reading
from upwell._types.transfers.transfer import is_local, local_path_of

CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What to read of a frame.

    Attributes:
        columns: Names, in the order wanted; None for all.
        filters: Rows to keep, as `pyarrow.parquet.read_table` takes them; None for all.
        row_groups: Numbers of the file's row groups; None for all.
    """

    columns: tuple[str, ...] | None = None
    filters: Any = None
    row_groups: tuple[int, ...] | None = None

    @property
    def is_all(self) -> bool:
        """Whether everything is wanted."""
        return self.columns is None and self.filters is None and self.row_groups is None


ALL = Selection()


def read(reference: FrameReference, cls: type, selection: Selection = ALL) -> Any:
    """Return the frame that a reference names, as an instance of a class of frames.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError, ValueError: it has not what is selected.
    """
    kind = kind_of(cls)
    assert kind is not None  # the caller found out before
    if kind.of_file is not None and selection.is_all and reference.path and _format_of(reference) == PARQUET:
        (uri,) = _uris(reference, selection)
        return kind.of_file(str(_on_this_machine(uri)))
    return kind.of_table(read_table(reference, selection, with_index=kind.has_index))


def read_table(reference: FrameReference, selection: Selection = ALL, *, with_index: bool = False) -> Any:
    """Return the Arrow table of the frame that a reference names.

    Args:
        reference: To the frame.
        selection: What to read of it.
        with_index: Whether the columns of a pandas index are read beside those that are selected.
    """
    check_arrow()
    import pyarrow as pa

    if reference._frame is not None:
        table = table_of(reference._frame)
        columns = _columns(table.schema, selection, with_index=with_index)
        return _selected(table, replace(selection, columns=columns))
    tables, format_ = [], _format_of(reference)
    for uri in _uris(reference, selection):
        with _opened(reference, uri, selection) as source:
            if format_ == CSV:
                tables.append(_selected(_read_csv(source), selection))
            else:
                tables.append(_read_parquet(source, selection, with_index=with_index))
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")


def read_selected(reference: FrameReference, columns: Iterable[str] | None) -> Any:
    """Return the Arrow table of some of a frame's columns, with a pandas index."""
    selection = Selection(columns=None if columns is None else tuple(columns))
    return read_table(reference, selection, with_index=True)


def iterate(
    reference: FrameReference, cls: type, selection: Selection, batch_rows: int
) -> Generator[Any, None, None]:
    """Yield the frame that a reference names in parts of at most so many rows, reading as it goes."""
    check_arrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = kind_of(cls)
    assert kind is not None  # the caller found out before
    if reference._frame is not None or _format_of(reference) == CSV:
        table = read_table(reference, selection)
        for start in range(0, table.num_rows, batch_rows):
            yield kind.of_table(table.slice(start, batch_rows))
        return
    for uri in _uris(reference, selection):
        with _in_place(reference, uri) as source:
            file = pq.ParquetFile(source, pre_buffer=True)
            columns = _columns(file.schema_arrow, selection, with_index=kind.has_index)
            wanted = Selection(columns=columns, filters=selection.filters)
            groups, needed = _row_groups(file, selection), _needed(wanted)
            numbers = range(file.num_row_groups) if groups is None else groups
            for group in numbers:  # what is fetched ahead is one
                for batch in file.iter_batches(batch_rows, row_groups=[group], columns=needed):
                    part = _selected(_restored(pa.Table.from_batches([batch]), file), wanted)
                    if part.num_rows:
                        yield kind.of_table(part)


def inspect(reference: FrameReference) -> dict[str, Any]:
    """Return `columns` and `num_rows` of a frame; of parquet, only the end of the file is read."""
    check_arrow()
    import pyarrow.parquet as pq

    if reference._frame is not None or _format_of(reference) == CSV:
        table = read_table(reference)
        return described(table.schema, table.num_rows)
    num_rows, schema = 0, None
    for uri in _uris(reference, ALL):
        with _in_place(reference, uri) as source:
            file = pq.ParquetFile(source)
            num_rows, schema = num_rows + file.metadata.num_rows, _schema_written(file)
    return described(schema, num_rows)


# ---- where the bytes are ---------------------------------------------------------------------------------


def _format_of(reference: FrameReference) -> str:
    known = reference.format.lower() or (CSV if reference.path.lower().endswith(".csv") else PARQUET)
    if known not in (PARQUET, CSV):
        raise ValueError(
            f"a frame of format {reference.format!r} cannot be read; there are {PARQUET!r} and {CSV!r}"
        )
    return known


def _uris(reference: FrameReference, selection: Selection) -> list[str]:
    """Return the files of a frame: one, or those of a folder."""
    if reference.data is not None:
        return [""]
    path = reference.path
    if not path:
        raise ValueError("a DataFrame without a uri names no frame; make it with DataFrame.wrap_df(frame)")
    if "." in path.rsplit("/", 1)[-1]:
        return [path]
    found = run_blocking(current_io_context().transfer_for(path).list(path))
    files = [blob.uri for blob in found if blob.uri.endswith(f".{_format_of(reference)}")]
    if len(files) > 1 and selection.row_groups is not None:
        raise ValueError(f"{path!r} is a folder of {len(files)} files; row_groups are those of one file")
    return files or [path]


@contextmanager
def _opened(reference: FrameReference, uri: str, selection: Selection) -> Iterator[Any]:
    """Open a file to read what is selected: all of a remote one is fetched first, in parallel parts."""
    if not uri or is_local(uri) or not selection.is_all:
        with _in_place(reference, uri) as source:
            yield source
        return
    path = _on_this_machine(uri)
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)
        path.parent.rmdir()


@contextmanager
def _in_place(reference: FrameReference, uri: str) -> Iterator[Any]:
    """Open a file where it is; of a remote one, only what is asked for is fetched."""
    import pyarrow as pa

    if reference.data is not None:
        yield pa.BufferReader(base64.b64decode(reference.data))
    elif is_local(uri):
        yield str(_on_this_machine(uri))
    else:
        with reading(uri) as file:
            yield file


def _on_this_machine(uri: str) -> Path:
    """Return where a file is on this machine, or where a copy of it is that was made for this purpose."""
    context = current_io_context()
    if is_local(uri):
        path = local_path_of(uri)
        if not path.is_file():
            raise FileNotFoundError(f"no frame at {uri!r}; was it written, and on this machine?")
    else:
        path = context.fresh_path("frame")
        run_blocking(context.transfer_for(uri).download(uri, path))
    context.seen.add(uri)
    return path


# ---- what is read of them --------------------------------------------------------------------------------


def _read_parquet(source: Any, selection: Selection, *, with_index: bool) -> Any:
    import pyarrow.parquet as pq

    is_path = isinstance(source, str)
    file = pq.ParquetFile(source, memory_map=is_path, pre_buffer=not is_path)
    columns = _columns(file.schema_arrow, selection, with_index=with_index)
    groups = _row_groups(file, selection)
    if selection.filters is not None and groups is None:  # row groups are left out by their statistics
        chosen = None if columns is None else list(columns)
        table = pq.read_table(source, columns=chosen, filters=selection.filters, memory_map=is_path)
        return _restored(table, file)
    wanted = Selection(columns=columns, filters=selection.filters)
    needed = _needed(wanted)
    table = file.read(needed) if groups is None else file.read_row_groups(groups, needed)
    return _selected(_restored(table, file), wanted)


def _read_csv(source: Any) -> Any:
    import pyarrow.csv

    return pyarrow.csv.read_csv(source)


def _columns(schema: Any, selection: Selection, *, with_index: bool) -> tuple[str, ...] | None:
    """Return the columns to read, with those of a pandas index; None for all."""
    if selection.columns is None:
        return None
    _check_columns(selection.columns, schema.names)
    index = (schema.pandas_metadata or {}).get("index_columns", []) if with_index else []
    added = [name for name in index if isinstance(name, str) and name not in selection.columns]
    return (*selection.columns, *added)


def _needed(selection: Selection) -> list[str] | None:
    """Return the columns to read, with those that filters ask for; None for all."""
    if selection.columns is None or selection.filters is None:
        return None if selection.columns is None else list(selection.columns)
    if not isinstance(selection.filters, list):
        return None  # an expression does not tell what it asks for
    flat = [part for item in selection.filters for part in (item if isinstance(item, list) else [item])]
    return list(dict.fromkeys([*selection.columns, *(name for name, _, _ in flat)]))


def _row_groups(file: Any, selection: Selection) -> list[int] | None:
    if selection.row_groups is None:
        return None
    for number in selection.row_groups:
        if not 0 <= number < file.num_row_groups:
            raise ValueError(f"no row group {number}; the file has {file.num_row_groups}, from 0 on")
    return list(selection.row_groups)


def _selected(table: Any, selection: Selection) -> Any:
    import pyarrow.parquet as pq

    if selection.filters is not None:
        filters = selection.filters
        table = table.filter(pq.filters_to_expression(filters) if isinstance(filters, list) else filters)
    if selection.columns is not None:
        _check_columns(selection.columns, table.column_names)
        table = table.select(list(selection.columns))
    return table


def _check_columns(wanted: tuple[str, ...], there: list[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if missing:
        raise KeyError(f"no column {missing[0]!r}; the frame has {', '.join(map(repr, there))}")


def _schema_written(file: Any) -> Any:
    """Return the schema of the table that was written: parquet has fewer types than Arrow."""
    import pyarrow as pa

    noted = (file.metadata.metadata or {}).get(b"ARROW:schema")
    return file.schema_arrow if noted is None else pa.ipc.read_schema(pa.py_buffer(base64.b64decode(noted)))


def _restored(table: Any, file: Any) -> Any:
    """Return a table that was read with the types that it was written with."""
    import pyarrow as pa

    written = _schema_written(file)
    for i, field in enumerate(table.schema):
        place = written.get_field_index(field.name)
        wanted = field.type if place < 0 else written.field(place).type
        if wanted == field.type:
            continue
        column = table.column(i)
        if pa.types.is_dictionary(wanted) and not pa.types.is_dictionary(field.type):
            column = column.dictionary_encode()
        table = table.set_column(i, field.with_type(wanted), column.cast(wanted))
    return table
