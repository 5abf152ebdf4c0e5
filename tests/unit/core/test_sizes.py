"""What travels with actions is measured as JSON, refused above its limit, and cut to it."""

from __future__ import annotations

import json

import pytest

from upwell._core.limits import ERROR_TEXT_BYTES, GROUP_BYTES, TRAVELLING_BYTES
from upwell._core.sizes import check_group, check_travelling, cut, json_bytes
from upwell.errors import UsageError

FILLS = ["x", "é", "\U0001f600", '"', "\n", "\x00"]


def filled(fill: str, limit_bytes: int) -> str:
    """Return a text of exactly so many bytes within JSON."""
    size_bytes = json_bytes(fill) - 2
    return fill * (limit_bytes // size_bytes) + "x" * (limit_bytes % size_bytes)


@pytest.mark.parametrize("fill", FILLS)
def test_strings_at_the_limit_travel_and_one_byte_more_does_not(fill: str) -> None:
    around = json_bytes({"key": ""})
    fits = filled(fill, TRAVELLING_BYTES - around)
    assert json_bytes({"key": fits}) == TRAVELLING_BYTES
    check_travelling("labels", {"key": fits})
    with pytest.raises(UsageError, match=r"labels are 8,193 bytes, and at most 8,192 .* largest is 'key'"):
        check_travelling("labels", {"key": fits + "x"})


def test_the_largest_of_many_is_named() -> None:
    with pytest.raises(UsageError, match="the largest is 'b'"):
        check_travelling("env_vars", {"a": "x" * 3000, "b": "x" * 4000, "c": "x" * 3000})


@pytest.mark.parametrize("fill", FILLS)
def test_a_group_at_the_limit_is_taken_and_one_byte_more_is_not(fill: str) -> None:
    fits = filled(fill, GROUP_BYTES)
    check_group(fits)
    with pytest.raises(UsageError, match="513 bytes; it may have 512"):
        check_group(fits + "x")


@pytest.mark.parametrize("keep_end", [False, True])
@pytest.mark.parametrize("fill", FILLS)
def test_a_text_at_the_limit_is_whole_and_one_byte_more_is_cut(fill: str, *, keep_end: bool) -> None:
    fits = filled(fill, ERROR_TEXT_BYTES)
    assert cut(fits, keep_end=keep_end) == fits
    shorter = cut(fits + "x", keep_end=keep_end)
    size_bytes = len(json.dumps(shorter, ensure_ascii=False).encode()) - 2
    assert ERROR_TEXT_BYTES - 20 <= size_bytes <= ERROR_TEXT_BYTES
    assert shorter.startswith("[...]") is keep_end
    assert shorter.endswith("[...]") is not keep_end
    assert (fits + "x").endswith(shorter[6:]) if keep_end else fits.startswith(shorter[:-6])


def test_half_a_character_becomes_one_that_can_be_sent() -> None:
    assert cut("a\ud800b") == "a?b"
