"""docs/cli.md shows every command, as it really answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from docs import cli

from upwell._cli.app import app

ROOT: Any = typer.main.get_command(app)


def commands(group: Any, path: str = "upwell") -> Iterator[str]:
    """Yield every command that does something."""
    for name, command in getattr(group, "commands", {}).items():
        inner = list(commands(command, f"{path} {name}"))
        yield from inner or [f"{path} {name}"]


def part(backend: str) -> str:
    page = cli.PAGE.read_text()
    return page.partition(cli.begin(backend))[2].partition(cli.end(backend))[0].strip()


@pytest.mark.parametrize("backend", cli.BACKENDS)
def test_every_command_is_shown(backend: str) -> None:
    shown = [line.removeprefix("$ ") for line in part(backend).splitlines() if line.startswith("$ ")]
    missing = [c for c in commands(ROOT) if not any(f"{line} ".startswith(f"{c} ") for line in shown)]
    assert [c for c in missing if not (backend == "local" and c.startswith("upwell sandbox "))] == []


@pytest.mark.parametrize("backend", cli.BACKENDS)
def test_the_page_has_the_steps_in_their_order(backend: str) -> None:
    shown = [line for line in part(backend).splitlines() if line.startswith("$ ")]
    wanted = [step.line.partition("{")[0] for step in cli.STEPS if backend in step.on]
    assert len(shown) == len(wanted)
    assert all(line.startswith(f"$ upwell {step}") for line, step in zip(shown, wanted, strict=True))


@pytest.mark.slow
def test_the_local_part_is_what_is_printed() -> None:
    assert cli.transcript("local") == part("local")


@pytest.mark.slow
@pytest.mark.e2e
def test_the_part_of_the_sandbox_is_what_is_printed() -> None:
    assert cli.transcript("sandbox") == part("sandbox")


def test_tables_are_aligned_anew(tmp_path: Path) -> None:
    text = "run      duration  labels\ngood     12.345 s\nbad-one  0.1 s     a=b\nother text 0.5 s\n"
    header = text.replace("run     ", "run    ").replace("duration", "task    ", 1)
    assert cli.tidied(header, tmp_path)[1].split() == ["good", "0.1", "s"]
    assert cli.tidied("[0.3 s] r: 1 running\n[1, 2]", tmp_path) == ["[1, 2]"]
