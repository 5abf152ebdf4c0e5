"""The hash of a task's inputs, which action ids and cache keys are made of."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from pydantic_core import from_json

from upwell._core.key_parts import INPUT_CHARS
from upwell._types.content_digest import digest
from upwell._types.marks import FILE, MARK, PAIRS, PICKLE
from upwell._types.reference import identity


def input_digest(encoded: bytes, ignored: Collection[str] = ()) -> str:
    """Return the hash of encoded inputs.

    The order of dicts does not matter. A file or directory counts by its hash, else by the digest of its
    content, else by its path; a pickled value counts by its content.

    Args:
        encoded: What `Interface.encode_inputs` returned.
        ignored: Parameters that do not count.
    """
    inputs: dict[str, Any] = from_json(encoded)
    counted = {name: _canonical(value) for name, value in inputs.items() if name not in ignored}
    return digest(_text(counted).encode())


def parameter_digests(encoded: bytes) -> dict[str, str]:
    """Return the start of the hash of each encoded input, by parameter: enough to tell which ones differ."""
    inputs: dict[str, Any] = from_json(encoded)
    return {name: digest(_text(_canonical(value)).encode())[:INPUT_CHARS] for name, value in inputs.items()}


def _canonical(value: Any) -> Any:
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if not isinstance(value, dict):
        return value
    mark = value.get(MARK)
    if mark == PICKLE and "digest" in value:
        return {MARK: PICKLE, "digest": value["digest"]}
    if mark == FILE:
        kind, counted = identity(value["path"], value.get("hash"), value.get("digest"))
        return {MARK: FILE, kind: counted}
    if mark == PAIRS:
        return {MARK: PAIRS, "items": sorted((_canonical(pair) for pair in value["items"]), key=_text)}
    return {key: _canonical(item) for key, item in value.items()}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
