"""pandas frames to Arrow tables and back: with index, names and dtypes.

Arrow notes most of it in the table's metadata. What it and parquet lose is noted beside that, under `upwell`:
categories and their order, object columns whose values have a dtype of their own, Arrow-backed dtypes, and the
frequency of an index.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

_NOTES = b"upwell"
_PANDAS = b"pandas"
Notes = dict[str, Any]


def table_of_pandas(frame: Any) -> Any:
    """Return the Arrow table of a frame; its schema's metadata says what index and dtypes were.

    Raises:
        ValueError: names of columns are of several types, or two are the same.
        TypeError, pyarrow.ArrowException: Arrow has no type for what a column holds.
    """
    import pyarrow as pa

    if frame.columns.nlevels == 1 and frame.columns.inferred_type.startswith("mixed"):
        kinds = sorted({type(name).__name__ for name in frame.columns})
        raise ValueError(
            f"its columns have names of several types, {' and '.join(kinds)}; make all of them str"
        )
    notes: Notes = {}
    if _is_categorical(frame.columns.dtype):
        notes["names"] = _category_note(frame.columns.dtype)
        frame = frame.set_axis(frame.columns.astype(frame.columns.categories.dtype), axis="columns")
    levels = _levels(frame.index)
    notes["index"] = {i: note for i, level in enumerate(levels) if (note := _level_note(level))}
    table = pa.Table.from_pandas(frame)
    notes["columns"] = {
        table.field(i).name: note
        for i, dtype in enumerate(frame.dtypes)
        if (note := _column_note(frame.iloc[:, i], dtype, table.field(i).type))
    }
    if freq := getattr(frame.index, "freqstr", None):
        notes["freq"] = freq
    return _noted(_without_odd_categories(table), {key: note for key, note in notes.items() if note})


def pandas_of(table: Any) -> Any:
    """Return the frame of a table, with the index and dtypes that its metadata tells of."""
    import pyarrow as pa

    notes: Notes = json.loads((table.schema.metadata or {}).get(_NOTES, b"{}"))
    columns = {name: note for name, note in notes.get("columns", {}).items() if name in table.column_names}
    plain = table
    for name, note in columns.items():
        if note["kind"] != "category":  # made from the Arrow column below
            i = table.schema.get_field_index(name)
            plain = plain.set_column(i, plain.field(i).with_type(pa.null()), pa.nulls(table.num_rows))
    frame = plain.to_pandas()
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    places = [name for name in table.column_names if name not in index]
    for name, note in columns.items():
        i = places.index(name)
        frame.isetitem(i, _restored_column(frame.iloc[:, i], table.column(name), note))
    if "index" in notes:
        frame.index = _restored_index(frame.index, notes["index"])
    if "names" in notes:
        frame.columns = frame.columns.astype(_category_dtype(notes["names"]))
    if "freq" in notes:
        with suppress(ValueError):  # it has not these rows alone
            frame.index = type(frame.index)(frame.index, freq=notes["freq"])
    return frame


# ---- what is noted ---------------------------------------------------------------------------------------


def _column_note(column: Any, dtype: Any, arrow: Any) -> Notes | None:
    import pandas as pd
    from pyarrow import types

    if _is_categorical(dtype):
        return _category_note(dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return {"kind": "arrow"}
    if dtype.kind != "O" or isinstance(dtype, pd.api.extensions.ExtensionDtype):
        return None
    if types.is_list(arrow) or types.is_large_list(arrow):
        first = next((value for value in column.array if value is not None), None)
        if isinstance(first, set | frozenset):
            raise TypeError(
                f"column {column.name!r} holds sets, which would come back as lists; make them lists"
            )
        return {"kind": "object"} if isinstance(first, list) else None
    has_a_dtype = (
        types.is_string(arrow)
        or types.is_large_string(arrow)
        or types.is_boolean(arrow)
        or types.is_integer(arrow)
        or types.is_floating(arrow)
        or types.is_timestamp(arrow)
    )
    return {"kind": "object"} if has_a_dtype else None


def _level_note(level: Any) -> Notes | None:
    return _category_note(level.dtype) if _is_categorical(level.dtype) else None


def _category_note(dtype: Any) -> Notes:
    """Note a categorical dtype; its categories as an Arrow table, since they may be of any type."""
    import pandas as pd
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    categories = pa.Table.from_pandas(pd.DataFrame({"categories": dtype.categories}))
    with pa.ipc.new_stream(sink, categories.schema) as stream:
        stream.write_table(categories)
    text = base64.b64encode(sink.getvalue().to_pybytes()).decode()
    return {"kind": "category", "ordered": bool(dtype.ordered), "categories": text}


def _without_odd_categories(table: Any) -> Any:
    """Write out the categories that parquet cannot have in a dictionary: intervals and periods."""
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) and isinstance(field.type.value_type, pa.BaseExtensionType):
            chunks = [chunk.dictionary.take(chunk.indices) for chunk in table.column(i).chunks]
            values = pa.chunked_array(chunks, field.type.value_type)
            table = table.set_column(i, field.with_type(field.type.value_type), values)
    return table


def _noted(table: Any, notes: Notes) -> Any:
    metadata = dict(table.schema.metadata)
    if notes:
        metadata[_NOTES] = json.dumps(notes).encode()
    pandas = json.loads(metadata[_PANDAS])
    for column in pandas["columns"]:
        if column["field_name"] in notes.get("columns", {}):
            column["numpy_type"] = "object"  # pandas cannot read the names of all its own dtypes
    metadata[_PANDAS] = json.dumps(pandas).encode()
    return table.replace_schema_metadata(metadata)


# ---- how it is restored ----------------------------------------------------------------------------------


def _restored_column(found: Any, column: Any, note: Notes) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if note["kind"] == "category":
        return pd.Series(pd.Categorical(found, dtype=_category_dtype(note)), index=found.index)
    if note["kind"] == "arrow":
        return pd.Series(pd.arrays.ArrowExtensionArray(column), index=found.index)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pd.Series(column.to_numpy(), index=found.index, dtype=object)
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return pd.Series(values, index=found.index, dtype=object)


def _restored_index(index: Any, notes: Notes) -> Any:
    import pandas as pd

    levels = [
        level.astype(_category_dtype(notes[str(i)])) if str(i) in notes else level
        for i, level in enumerate(_levels(index))
    ]
    return levels[0] if index.nlevels == 1 else pd.MultiIndex.from_arrays(levels, names=index.names)


def _levels(index: Any) -> list[Any]:
    return [index.get_level_values(i) for i in range(index.nlevels)] if index.nlevels > 1 else [index]


def _is_categorical(dtype: Any) -> bool:
    import pandas as pd

    return isinstance(dtype, pd.CategoricalDtype)


def _category_dtype(note: Notes) -> Any:
    import pandas as pd
    import pyarrow as pa

    table = pa.ipc.open_stream(base64.b64decode(note["categories"])).read_all()
    categories = table.to_pandas()["categories"].array
    return pd.CategoricalDtype(pd.Index(categories, name=None), ordered=note["ordered"])
