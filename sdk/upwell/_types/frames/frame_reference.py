"""A reference to a data frame: where it is, and what it looks like without reading it."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field, PrivateAttr

from upwell._types.reference import Reference

PARQUET = "parquet"
"""The format of data frames in storage."""


class FrameReference(Reference):
    """What `upwell.io.DataFrame` is made of, and what frames of other classes travel as.

    Attributes:
        path: URI (`s3://bucket/key`) or local path; empty while the frame is only in memory, or in `data`.
        format: `parquet` or `csv`; by the end of the path when empty.
        columns: Arrow type by column name, in order; None where it is not known.
        num_rows: Number of rows; None where it is not known.
        data: A small frame itself, as parquet in base64.
    """

    path: str = Field(default="", validation_alias=AliasChoices("uri", "path"))
    columns: dict[str, str] | None = None
    num_rows: int | None = None
    data: str | None = Field(default=None, repr=False)

    _frame: Any = PrivateAttr(default=None)
    """A frame in memory that is still to be written."""

    def _fields(self) -> tuple[str, str | None, str, str | None]:
        path, *others = super()._fields()
        where = path or self.data or f"in memory at {id(self._frame)}"
        return (where, *others)  # type: ignore[return-value]  # the types are those of the parent's

    @property
    def is_pending(self) -> bool:
        """Whether the frame is not in storage: it is in memory, or in `data`."""
        return self._frame is not None or self.data is not None

    @property
    def uri(self) -> str | None:
        """Where the frame is; None until it is written."""
        return self.path or None
