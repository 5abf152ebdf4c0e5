"""The classes of data frames that can be passed, and how each becomes an Arrow table and is made of one.

Their packages are the user's: none is imported before the user's code has, and Arrow only with the first frame.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from upwell._types.frames.pandas_tables import pandas_of, table_of_pandas
from upwell._types.pickled import UnwritableError


class UnwritableFrameError(UnwritableError):
    """A frame holds what parquet cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameKind:
    """One class of frames.

    Attributes:
        module: Package that has it.
        name: Its name there.
        to_table: Returns the Arrow table of a frame.
        of_table: Returns the frame of an Arrow table.
        of_file: Returns the frame of a parquet file of this machine, without reading it.
        has_index: Whether it has an index, which parquet holds in columns of its own.
    """

    module: str
    name: str
    to_table: Callable[[Any], Any]
    of_table: Callable[[Any], Any]
    of_file: Callable[[str], Any] | None = None
    has_index: bool = False

    @property
    def title(self) -> str:
        """Its name for messages."""
        return f"{self.module}.{self.name}"

    def is_class(self, cls: object) -> bool:
        """Say whether this is the class; nothing is imported to find out."""
        return cls is not None and getattr(sys.modules.get(self.module), self.name, None) is cls


def _batch_of_table(table: Any) -> Any:
    import pyarrow as pa

    batches = table.combine_chunks().to_batches()
    if len(batches) > 1:
        raise ValueError(
            f"a table of {table.nbytes} bytes does not fit into one RecordBatch; take a pyarrow.Table"
        )
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _table_of_batch(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _polars_of_table(table: Any) -> Any:
    import polars as pl

    return pl.from_arrow(table)


def _polars_scan(path: str) -> Any:
    import polars as pl

    return pl.scan_parquet(path)


KINDS = (
    FrameKind(module="pandas", name="DataFrame", to_table=table_of_pandas, of_table=pandas_of, has_index=True),
    FrameKind(
        module="polars", name="DataFrame", to_table=lambda frame: frame.to_arrow(), of_table=_polars_of_table
    ),
    FrameKind(
        module="polars",
        name="LazyFrame",
        to_table=lambda frame: frame.collect().to_arrow(),
        of_table=lambda table: _polars_of_table(table).lazy(),
        of_file=_polars_scan,
    ),
    FrameKind(module="pyarrow", name="Table", to_table=lambda table: table, of_table=lambda table: table),
    FrameKind(module="pyarrow", name="RecordBatch", to_table=_table_of_batch, of_table=_batch_of_table),
)


def kind_of(cls: object) -> FrameKind | None:
    """Return the kind of frame that a class is; None when it is none."""
    return next((kind for kind in KINDS if kind.is_class(cls)), None)


def is_frame(value: object) -> bool:
    """Say whether a value is a frame; subclasses of the known classes have more than Arrow can tell."""
    return kind_of(type(value)) is not None


def check_arrow() -> None:
    """Refuse to go on without pyarrow.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    try:
        import pyarrow  # noqa: F401  # to see whether it is there
    except ModuleNotFoundError as e:
        raise ModuleNotFoundError(
            "data frames travel as parquet, which needs pyarrow; add it to the image of the environment "
            "(Image.with_pip_packages), and here: pip install 'upwell[pandas]' or 'upwell[polars]'"
        ) from e


def table_of(frame: Any) -> Any:
    """Return a frame of one of the known classes as an Arrow table.

    Raises:
        UnwritableFrameError: Arrow has no type for what a column holds, or two columns have one name.
    """
    kind = kind_of(type(frame))
    assert kind is not None  # callers ask `is_frame` first
    check_arrow()
    try:
        table = kind.to_table(frame)
    except (ValueError, TypeError, NotImplementedError) as e:  # what Arrow's own errors derive from
        reason = ": ".join(str(part) for part in reversed(e.args)) or type(e).__name__
        raise UnwritableFrameError(f"a {kind.title} cannot be written as parquet ({reason})") from e
    names = table.column_names
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UnwritableFrameError(
            f"a {kind.title} has several columns named {', '.join(map(repr, twice))}; give each its own name"
        )
    return table
