"""Inputs that were given as JSON by somebody who has no code: the task's process converts them by its types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

GIVEN = "$given"
"""Member of encoded inputs with those that are JSON as a person writes it; no parameter has such a name."""
_START = f'{{"{GIVEN}":'.encode()


def dump_given(inputs: Mapping[str, Any]) -> bytes:
    """Return encoded inputs of which each was given as JSON."""
    return to_json({GIVEN: dict(inputs)})


def has_given(data: bytes) -> bool:
    """Whether there are some among encoded inputs."""
    return data.startswith(_START)


def split_given(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return those that were given as JSON, and the others in their encoded form."""
    values: dict[str, Any] = from_json(data)
    given: dict[str, Any] = values.pop(GIVEN, {})
    return given, values


def join_given(given: Mapping[str, Any], encoded: Mapping[str, Any]) -> bytes:
    """Return encoded inputs of both kinds."""
    return to_json({GIVEN: dict(given), **encoded} if given else dict(encoded))


def load_inputs(data: bytes) -> dict[str, Any]:
    """Return the JSON of encoded inputs by parameter, to be shown."""
    given, encoded = split_given(data or b"{}")
    return given | encoded
