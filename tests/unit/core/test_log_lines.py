"""Lines: how they are written, what is hidden in them, how many are kept."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from upwell._core.limits import LOG_BURST_BYTES, LOG_BURST_LINES, LOG_LINE_CHARS, LOG_LINES_PER_S
from upwell._core.log_lines import (
    SECRET_CHARS_MIN,
    Allowance,
    LogLine,
    LogQuery,
    PieceRedactor,
    Redactor,
    cut_line,
)

LINE = LogLine(
    at=1.5, run_id="r", action_id="a0", attempt=2, text="said\n“so”", level="INFO", logger="l", item="i"
)


def test_a_line_is_one_line_of_json_and_can_be_read_again() -> None:
    text = LINE.dump()
    assert "\n" not in text
    assert json.loads(text)["source"] == "r/a0"
    assert LogLine.load(text) == LINE
    assert LogLine.load(text.encode()) == LINE


@pytest.mark.parametrize(
    "text", ["", "printed", "[1]", "{}", '{"source": 1}', '{"source":"r/a","time":"x"}', b"\xff"]
)
def test_what_somebody_else_has_written_is_no_line(text: str | bytes) -> None:
    assert LogLine.load(text) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (LogQuery(run_id="r"), True),
        (LogQuery(run_id="other"), False),
        (LogQuery(run_id="r", action_id="a0"), True),
        (LogQuery(run_id="r", action_id="a0", is_action=True), True),
        (LogQuery(run_id="r", action_id="i"), True),
        (LogQuery(run_id="r", action_id="a1"), False),
        (LogQuery(run_id="r", attempt=2), True),
        (LogQuery(run_id="r", attempt=1), False),
        (LogQuery(run_id="r", text="SAID"), True),
        (LogQuery(run_id="r", text="unsaid"), False),
    ],
)
def test_a_query_has_the_lines_that_it_says(query: LogQuery, found: bool) -> None:
    assert query.has(LINE) is found
    assert not found or query.term in LINE.dump()


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("hush", "it is hush, hush", "it is ***, ***"),
        ("x", "a short one: x", "a short one: ***"),
        ("", "nothing to hide", "nothing to hide"),
        ("-----BEGIN-----\nMIIabc\n", "second line MIIabc", "second line ***"),
        ('{"user": "eve", "password": "pass1"}', "eve: pass1", "eve: ***"),
        ('tab\there"', "repr 'tab\\there\"'", "repr '***'"),
    ],
)
def test_a_secret_is_hidden_in_each_form(secret: str, text: str, shown: str) -> None:
    assert Redactor([secret])(text) == shown


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert Redactor(["pass", "password"])("password and pass") == "*** and ***"


@given(
    text=st.text("abc\n", max_size=40),
    secrets=st.lists(st.text("abc", min_size=SECRET_CHARS_MIN, max_size=8), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
@example(text="abababab", secrets=["abab"], cuts=[2, 4])
@example(text="a password", secrets=["pass", "password"], cuts=[6])
@example(text="aaaaaaaaaa", secrets=["aaaa"], cuts=[1, 3, 5])
def test_a_secret_in_pieces_is_hidden_wherever_it_was_cut(
    text: str, secrets: list[str], cuts: list[int]
) -> None:
    redact = PieceRedactor(Redactor(secrets))
    ends = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [redact(text[begin:end]) for begin, end in pairwise(ends)]
    shown = "".join([*pieces, redact.close()])
    assert not any(secret in shown for secret in secrets)
    if not any(secret in text for secret in secrets) and not Redactor(secrets).begun(text):
        assert shown == text


def test_the_end_of_a_stream_gives_away_no_half_of_a_secret() -> None:
    redact = PieceRedactor(Redactor(["hunter2-hunter2"]))
    assert redact("it is hunter2-h") == "it is "
    assert redact.close() == "***"
    assert redact("h") + redact.close() == "h"


def test_a_long_line_is_cut_and_says_so() -> None:
    assert cut_line("x" * LOG_LINE_CHARS) == "x" * LOG_LINE_CHARS
    cut = cut_line("x" * (LOG_LINE_CHARS + 1))
    assert cut.startswith("x" * LOG_LINE_CHARS + "... (cut")
    assert len(cut) < LOG_LINE_CHARS + 100


def test_so_many_lines_may_be_written_at_once_and_more_as_time_passes() -> None:
    allowance = Allowance(now=0.0)
    assert sum(allowance.take(1, 0.0) for _ in range(LOG_BURST_LINES + 50)) == LOG_BURST_LINES
    assert (allowance.dropped(), allowance.dropped()) == (50, 0)
    assert sum(allowance.take(1, 1.0) for _ in range(100)) == LOG_LINES_PER_S


def test_so_many_bytes_may_be_written_at_once() -> None:
    allowance = Allowance(now=0.0)
    assert allowance.take(LOG_BURST_BYTES, 0.0)
    assert not allowance.take(1, 0.0)
    assert allowance.take(1, 0.1)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    allowance = Allowance(now=100.0)
    assert allowance.take(LOG_BURST_BYTES, 100.0)
    assert not allowance.take(1, 50.0)
