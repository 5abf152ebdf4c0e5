"""Text is parsed although something else parses in the middle of it."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from upwell._author import syntax


class Disturbed:
    """A parser in which other parses get in between, so many times."""

    def __init__(self, times: int, parse: Any = ast.parse) -> None:
        self.times = times
        self._parse = parse

    def __call__(self, source: str) -> ast.Module:
        self.times -= 1
        if self.times >= 0:
            raise SystemError("AST constructor recursion depth mismatch (before=138, after=186)")
        return self._parse(source)


def test_a_disturbed_parse_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ast, "parse", Disturbed(syntax.TRIES - 1))
    assert ast.unparse(syntax.parse("x = 1")) == "x = 1"


def test_one_that_always_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ast, "parse", Disturbed(syntax.TRIES))
    with pytest.raises(SystemError, match="depth"):
        syntax.parse("x = 1")


def test_what_is_no_python_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Disturbed(0)
    monkeypatch.setattr(ast, "parse", parser)
    with pytest.raises(SyntaxError):
        syntax.parse("x = = 1")
    assert parser.times == -1
