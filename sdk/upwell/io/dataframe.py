"""References to data frames."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Generator, Sequence
from typing import Any, Generic, TypeVar

from upwell._types.frames import frame_files, frame_reading
from upwell._types.frames.frame_kinds import KINDS, is_frame, kind_of
from upwell._types.frames.frame_reading import Selection
from upwell._types.frames.frame_reference import PARQUET, FrameReference
from upwell.io.hashing import HashFunction, HashMethod

F = TypeVar("F")
BATCH_ROWS = 1 << 16
"""Rows of a batch by default."""


class DataFrame(FrameReference):
    """A reference to a data frame in object storage or on this machine, of whatever library.

    Example:
        >>> frame = DataFrame(uri="s3://bucket/sales.parquet", format="parquet")
        >>> frame.name
        'sales.parquet'
    """

    # ---- making references -------------------------------------------------------------------------

    @classmethod
    def wrap_df(cls, val: Any, uri: str | None = None) -> DataFrame:
        """Return a reference to a frame in memory, which is written when a task returns or passes it.

        Args:
            val: A `pandas.DataFrame`, `polars.DataFrame` or `LazyFrame`, `pyarrow.Table` or `RecordBatch`.
            uri: Where to write it; by default under a hash of its content, once.

        Raises:
            TypeError: it is no frame.
        """
        if not is_frame(val):
            raise TypeError(_no_frame(type(val)))
        frame = cls(path=uri or "", format=PARQUET)
        frame._frame = val
        return frame

    @classmethod
    def from_df(cls, val: Any, uri: str | None = None) -> DataFrame:
        """Do what `wrap_df` does: its name elsewhere."""
        return cls.wrap_df(val, uri)

    @classmethod
    async def from_local(
        cls,
        df: Any,
        columns: Sequence[str] | None = None,
        remote_destination: str | None = None,
        hash_method: HashMethod | None = None,
    ) -> DataFrame:
        """Write a frame and return the reference to it.

        Args:
            df: A frame in memory, or the path of a parquet file.
            columns: The columns to write, in this order; by default all.
            remote_destination: URI to write to; by default one that a hash of the content names.
            hash_method: A `HashFunction` over the frame, or the hash itself; it counts in cache keys.

        Raises:
            TypeError: it is no frame.
            FileNotFoundError: there is no such file.
        """
        return await asyncio.to_thread(cls._from_local, df, columns, remote_destination, hash_method)

    @classmethod
    def from_local_sync(
        cls,
        df: Any,
        columns: Sequence[str] | None = None,
        remote_destination: str | None = None,
        hash_method: HashMethod | None = None,
    ) -> DataFrame:
        """Do what `from_local` does, blocking."""
        return cls._from_local(df, columns, remote_destination, hash_method)

    @classmethod
    def from_existing_remote(cls, uri: str, format: str = "") -> DataFrame:  # noqa: A002  # its name
        """Return a reference to a frame that is there already; nothing is copied or looked up.

        Args:
            uri: Of a file, or of a folder of parquet files.
            format: `parquet` or `csv`; by default what the URI ends with.
        """
        return cls(path=uri, format=format)

    def __getstate__(self) -> dict[Any, Any]:
        """Write the frame before the reference is pickled, as in a value of any type: the frame is not."""
        frame_files.write(self)
        return super().__getstate__()

    @classmethod
    def _from_local(
        cls, df: Any, columns: Sequence[str] | None, destination: str | None, hash_method: HashMethod | None
    ) -> DataFrame:
        whole = FrameReference(path=os.fspath(df)) if isinstance(df, str | os.PathLike) else cls.wrap_df(df)
        if columns is not None or not is_frame(df):
            df = frame_reading.read_selected(whole, columns)
        frame = cls.wrap_df(df, destination)
        frame.hash = hash_method if isinstance(hash_method, str) else None
        function = hash_method if isinstance(hash_method, HashFunction) else None
        frame_files.write(frame, None if function is None else (lambda _: function(df)))
        return frame

    # ---- content -----------------------------------------------------------------------------------

    def open(
        self,
        dataframe_type: type[F],
        *,
        columns: Sequence[str] | None = None,
        filters: Any = None,
        row_groups: Sequence[int] | None = None,
    ) -> OpenFrame[F]:
        """Return what reads the frame as a class of frames: `await frame.open(pd.DataFrame).all()`.

        Of a parquet file in object storage, only the parts that hold what is selected are fetched.

        Args:
            dataframe_type: Of pandas, polars or pyarrow, as for `wrap_df`.
            columns: The columns to read, in this order; a pandas index is always read.
            filters: The rows to keep: `[("year", ">", 2020), ...]`, all of which must hold, or a list of such
                lists, one of which must; or an expression of `pyarrow.compute`.
            row_groups: Numbers of the file's row groups to read, from 0 on.

        Raises:
            TypeError: it is no class of frames.
        """
        if kind_of(dataframe_type) is None:
            raise TypeError(_no_frame(dataframe_type))
        selection = Selection(
            columns=None if columns is None else tuple(columns),
            filters=filters,
            row_groups=None if row_groups is None else tuple(row_groups),
        )
        return OpenFrame(self, dataframe_type, selection)

    async def inspect(self) -> DataFrame:
        """Return the same reference with `columns` and `num_rows`, for which the end of the file is read."""
        return await asyncio.to_thread(self.inspect_sync)

    def inspect_sync(self) -> DataFrame:
        """Do what `inspect` does, blocking."""
        return self.model_copy(update=frame_reading.inspect(self))


class OpenFrame(Generic[F]):
    """A frame that is to be read as a class of frames; nothing is read before one of its methods is called."""

    def __init__(self, reference: DataFrame, cls: type[F], selection: Selection) -> None:
        self._reference = reference
        self._cls = cls
        self._selection = selection

    async def all(self) -> F:
        """Return what is selected as one frame.

        Raises:
            FileNotFoundError: there is no such file.
            KeyError, ValueError: it has no such column or row group.
        """
        return await asyncio.to_thread(self.all_sync)

    def all_sync(self) -> F:
        """Do what `all` does, blocking."""
        result: F = frame_reading.read(self._reference, self._cls, self._selection)
        return result

    async def iter(self, batch_rows: int = BATCH_ROWS) -> AsyncIterator[F]:
        """Yield what is selected in parts, reading as it goes: memory holds a row group or two, not the whole.

        Args:
            batch_rows: Most rows of a part; parts are smaller at the end of a row group and where filters
                leave out rows.
        """
        parts = self.iter_sync(batch_rows)
        try:
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                yield part
        finally:
            await asyncio.to_thread(parts.close)

    def iter_sync(self, batch_rows: int = BATCH_ROWS) -> Generator[F, None, None]:
        """Do what `iter` does, blocking."""
        return frame_reading.iterate(self._reference, self._cls, self._selection, batch_rows)


def _no_frame(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__} is not one of {', '.join(kind.title for kind in KINDS)}"
