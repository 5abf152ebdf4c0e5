"""pandas frames to Arrow tables and back, with index and dtypes."""

from __future__ import annotations

from typing import Any


def table_of_pandas(frame: Any) -> Any:
    """Return the Arrow table of a frame; its schema's metadata says what index and dtypes were."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame)


def pandas_of(table: Any) -> Any:
    """Return the frame of a table, with the index and dtypes that its metadata tells of."""
    return table.to_pandas()
