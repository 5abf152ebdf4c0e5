"""Fixtures: the command line in this process, in an empty folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upwell._author import registry
from upwell._cli.app import run_app
from upwell._types import main_module

FLOW = '''
import asyncio
import threading
from dataclasses import dataclass

import upwell
from upwell.io import File

env = upwell.TaskEnvironment("flow", max_inline_io=4096)


@env.task
async def double(x: int) -> int:
    return 2 * x


@env.task
async def total(n: int, scale: float = 1.0) -> float:
    """Add up doubles.

    [Brackets] in the text mean nothing.
    """
    return scale * sum(await asyncio.gather(*(double(i) for i in range(n))))


@env.task
def boom(text: str = "no [way]") -> None:
    raise ValueError(text)


@env.task
async def pair(x: int) -> tuple[int, str]:
    return x, "é"


@env.task
async def nothing() -> None:
    print("said by the task")


@dataclass
class Point:
    x: int
    tags: list[str]


@env.task
async def shape(p: Point, big: bool = False, names: list[str] | None = None) -> str:
    return f"{p.x} {p.tags} {big} {names or []}"


@env.task
async def size(f: File) -> int:
    async with f.open("rb") as source:
        return len(await source.read())


@env.task
async def locked() -> object:
    return threading.Lock()


@env.task
async def awkward(name: str, timeout: int, json: str = "no") -> str:
    return f"{name} {timeout} {json}"


@env.task
async def any_value(value) -> str:
    return repr(value)


def helper(x: int) -> int:
    return x
'''


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line on stderr that is an error."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("error: ")


Cli = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with a flow; forget afterwards what was loaded from it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(main_module, "_root", [])
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "flow.py").write_text(FLOW)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
            registry.forget(name)


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Carry out a command line in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run_app(arguments)
        shown = capsys.readouterr()
        print(shown.err)  # for pytest's report of a failure; the next call starts anew
        assert "site-packages" not in shown.err
        assert "upwell/_" not in shown.err
        return Result(code, shown.out, shown.err)

    return call
