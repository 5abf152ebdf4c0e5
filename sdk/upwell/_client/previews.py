"""Encoded values as a person sees them: what each is, and the beginning of it. Nothing is unpickled."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upwell._client.documents import readable
from upwell._core.model import Payload
from upwell._core.ports import BlobNotFoundError, BlobStore
from upwell._exec.payloads import unpack
from upwell._types.given import load_inputs
from upwell._types.marks import FILE, FLOAT, FORM, MARK, MEMBER, PAIRS, PICKLE, TREE

SHOWN_CHARACTERS = 2000
COLUMNS_SHOWN = 200
READ_BYTES = 4 * 1024 * 1024
"""Values that are larger together are not read for a preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameShape:
    """What a data frame looks like.

    Attributes:
        num_rows: None where its writer did not say.
        columns: Name and type of the first columns, in order.
        num_columns: Of all.
    """

    num_rows: int | None
    columns: list[tuple[str, str]]
    num_columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A value in short.

    Attributes:
        name: Of the parameter or output.
        type: What its JSON says it is; `pickle` where only a program could tell.
        preview: Its text, or that of as much of it as is readable.
        size_bytes: Of its encoded form.
        truncated: Whether the text was cut.
        reference: Where its content is, if not here.
        length: Of a list or dict, how much is in it.
        frame: Of a data frame.
    """

    name: str
    type: str
    preview: str
    size_bytes: int
    truncated: bool
    reference: str | None
    length: int | None = None
    frame: FrameShape | None = None


async def preview_inputs(blobs: BlobStore, payload: Payload) -> list[Preview]:
    """Return the inputs of an action, by name."""
    data = await _read(blobs, payload)
    if data is None:
        return [_unread("inputs", blobs, payload)]
    return _previews(load_inputs(data))


async def preview_outputs(
    blobs: BlobStore, payload: Payload, names: tuple[str, ...] | None = None
) -> list[Preview]:
    """Return the outputs of an action: `o0`, or one per name where its task has several."""
    data = await _read(blobs, payload)
    if data is None:
        return [_unread("o0", blobs, payload)]
    value = json.loads(data)["value"]
    if names is not None and len(names) == 1:
        return _previews({names[0]: value})
    if names is not None and isinstance(value, list) and len(value) == len(names):
        return _previews(dict(zip(names, value, strict=True)))
    return _previews({"o0": value})


async def _read(blobs: BlobStore, payload: Payload) -> bytes | None:
    if payload.size_bytes > READ_BYTES:
        return None
    try:
        return await unpack(blobs, payload)
    except BlobNotFoundError:
        return None


def _unread(name: str, blobs: BlobStore, payload: Payload) -> Preview:
    where = None if payload.blob is None else blobs.uri(payload.blob)
    why = "too large to be shown" if payload.size_bytes > READ_BYTES else "no longer kept"
    return Preview(
        name=name, type="", preview=why, size_bytes=payload.size_bytes, truncated=True, reference=where
    )


def _previews(values: Mapping[str, Any]) -> list[Preview]:
    return [_preview(name, value) for name, value in values.items()]


def _preview(name: str, value: Any) -> Preview:
    shown = readable(value)
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=2)
    return Preview(
        name=name,
        type=type_name(value),
        preview=text[:SHOWN_CHARACTERS],
        size_bytes=len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")),
        truncated=len(text) > SHOWN_CHARACTERS,
        reference=_reference(value),
        length=len(shown) if type_name(value) in ("list", "dict") and isinstance(shown, (list, dict)) else None,
        frame=_frame(value),
    )


def type_name(value: Any) -> str:
    """Return what a value's JSON says it is."""
    if not isinstance(value, dict):
        return "None" if value is None else type(value).__name__
    if MEMBER in value and set(value) == {MEMBER, "value"}:
        return type_name(value["value"])
    mark = value.get(MARK)
    if mark == TREE:
        return type_name(value["value"])
    if mark == FORM:
        return str(value.get("type"))
    if mark == FILE:
        return "DataFrame" if "num_rows" in value else "File or Directory"
    return {PICKLE: "pickle", FLOAT: "float", PAIRS: "dict"}.get(str(mark), "dict")


def _frame(value: Any) -> FrameShape | None:
    if not isinstance(value, dict) or value.get(MARK) != FILE or "num_rows" not in value:
        return None
    columns: dict[str, Any] = value.get("columns") or {}
    first = [(name, str(kind)) for name, kind in itertools.islice(columns.items(), COLUMNS_SHOWN)]
    return FrameShape(num_rows=value["num_rows"], columns=first, num_columns=len(columns))


def _reference(value: Any) -> str | None:
    if not isinstance(value, dict) or value.get(MARK) != FILE or value.get("data"):
        return None
    return str(value["path"]) if value.get("path") else None
