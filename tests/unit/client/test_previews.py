"""Previews of values of every kind that travels."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from upwell._client.previews import COLUMNS_SHOWN, FrameShape, Preview, preview_inputs
from upwell._core.model import Payload
from upwell._local.blobs import FolderBlobs

VALUES = Path(__file__).parents[2] / "golden" / "values" / "v1"
TYPES = {
    "array": "numpy.ndarray",
    "array_pickled": "pickle",
    "bytearray": "builtins.bytearray",
    "dataclass": "dict",
    "datetime": "str",
    "deque": "list",
    "dict_of_tuple_keys": "dict",
    "enum": "str",
    "file": "File or Directory",
    "flag": "int",
    "frame": "DataFrame",
    "frame_reference": "DataFrame",
    "literal_of_enum": "str",
    "model": "dict",
    "none": "None",
    "numpy_number": "numpy.generic",
    "pattern_with_flags": "re.Pattern",
    "set": "list",
    "timezone": "datetime.timezone",
    "untyped_pickled": "pickle",
    "untyped_tree": "dict",
}


async def shown(tmp_path: Path, text: str) -> list[Preview]:
    return await preview_inputs(FolderBlobs(tmp_path), Payload(text=text, size_bytes=len(text.encode())))


@pytest.mark.parametrize("name", sorted(path.stem for path in VALUES.iterdir()))
async def test_every_kind_is_shown_and_none_is_unpickled(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way in ("loads", "load", "Unpickler"):
        monkeypatch.setattr(pickle, way, None)
    (preview,) = await shown(tmp_path, (VALUES / f"{name}.json").read_text())
    assert preview.type == TYPES.get(name, preview.type)
    assert preview.preview
    assert "gASV" not in preview.preview, "a pickle is named, not shown"
    assert preview.size_bytes > 0


async def test_a_frame_is_shown_by_its_columns(tmp_path: Path) -> None:
    (frame,) = await shown(tmp_path, (VALUES / "frame_reference.json").read_text())
    assert frame.frame == FrameShape(num_rows=7, columns=[("a", "int64")], num_columns=1)
    assert frame.reference == "s3://b/k.parquet"


async def test_of_a_wide_frame_the_first_columns_are_shown(tmp_path: Path) -> None:
    wide: dict[str, Any] = json.loads((VALUES / "frame_reference.json").read_text())
    wide["x"] |= {"columns": {f"c{i}": "double" for i in range(COLUMNS_SHOWN + 5)}, "num_rows": None}
    (frame,) = await shown(tmp_path, json.dumps(wide))
    assert frame.frame is not None
    assert (len(frame.frame.columns), frame.frame.num_columns) == (COLUMNS_SHOWN, COLUMNS_SHOWN + 5)
    assert frame.truncated


@pytest.mark.parametrize(
    ("value", "length"),
    [([1, 2], 2), ({"a": 1}, 1), ("ab", None), (3, None), ({"$upwell": "dict", "items": [[1, 2]]}, 1)],
)
async def test_of_lists_and_dicts_it_is_said_how_much_is_in_them(
    value: object, length: int | None, tmp_path: Path
) -> None:
    (preview,) = await shown(tmp_path, json.dumps({"x": value}))
    assert preview.length == length
