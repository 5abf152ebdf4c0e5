"""`upwell replay`: a recorded action once more, under the debugger, without a trace in the run."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from upwell._author import registry

Cli = Any
PROGRAM = """
import asyncio, upwell
from pathlib import Path

env = upwell.TaskEnvironment("shaky")

def mark(text: str) -> None:
    with Path("marks.txt").open("a") as marks:
        marks.write(text + "\\n")

@env.task
async def share(x: int) -> float:
    mark(f"share {x}")
    rest = 3 - x
    return 12 / rest

@upwell.trace
async def look(x: int) -> int:
    mark("look")
    return 2 * x

@env.task
async def main(n: int) -> float:
    seen = await look(n)
    return seen + sum([await share(x) for x in range(n)])

@env.task
def plain(x: int) -> float:
    y = x + 1
    return y / 2

@env.task
async def mapped(n: int) -> float:
    return sum(await upwell.map(share, range(n), batch=3))

@env.task
async def first_of(n: int) -> float:
    try:
        async with asyncio.timeout(0.2):
            await forever()
    except TimeoutError:
        pass
    return await share(n)

@env.task
async def forever() -> None:
    await asyncio.Event().wait()

@env.task(retries=1, report=True)
async def twice() -> int:
    attempt = upwell.ctx().attempt
    saved = await upwell.ctx().checkpoint.load()
    await upwell.ctx().checkpoint.save(b"seen")
    await upwell.report.replace.aio("<b>report</b>")
    if attempt == 1:
        raise ValueError("the first time")
    return attempt + (saved is not None)
"""


@pytest.fixture
def shaky(folder: Path) -> Path:
    (folder / "shaky.py").write_text(PROGRAM)
    return folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that types lines into the debugger."""
    return lambda *lines: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def failed_share(cli: Cli, run: str) -> str:
    (action,) = cli("get", "actions", run, "--task", "share", "--status", "failed", "--json").json
    return str(action["id"])


def everything_below(folder: Path) -> dict[str, bytes]:
    """Return the files of the state; the database is one of them."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"}


@pytest.mark.usefixtures("shaky")
def test_a_failed_action_stops_at_the_failing_line(cli: Cli, typed: Callable[..., None]) -> None:
    cli("run", "shaky.py", "main", "--n", "5", "--name", "r")
    typed("p rest, x", "q")
    done = cli("replay", "r", failed_share(cli, "r"))
    assert done.code == 1
    assert "shaky.py(15)share()\n-> return 12 / rest" in done.out
    assert "(0, 3)" in done.out
    assert "failed as in the run: ZeroDivisionError: division by zero" in done.err


def test_children_and_traces_are_answered_and_nothing_is_written(cli: Cli, shaky: Path) -> None:
    cli("run", "shaky.py", "main", "--n", "5", "--name", "r")
    marks, before = (shaky / "marks.txt").read_text(), everything_below(shaky / ".upwell")
    done = cli("replay", "r", "--json")
    assert (shaky / "marks.txt").read_text() == marks
    assert everything_below(shaky / ".upwell") == before
    assert done.code == 1
    shown = done.json
    assert (shown["status"], shown["error"]["code"]) == ("failed", shown["recorded_error"]["code"])
    assert shown["failed_child"] == failed_share(cli, "r")


@pytest.mark.usefixtures("shaky")
def test_the_debugger_opens_where_the_parent_made_the_call(cli: Cli, typed: Callable[..., None]) -> None:
    cli("run", "shaky.py", "main", "--n", "5", "--name", "r")
    typed("p seen", "q")
    done = cli("replay", "r")
    assert "-> return seen + sum([await share(x) for x in range(n)])" in done.out
    assert f"`upwell replay r {failed_share(cli, 'r')}` runs that" in done.err


@pytest.mark.usefixtures("shaky")
@pytest.mark.parametrize(
    ("call", "first_line", "value"),
    [(("plain", "--x", "4"), "-> y = x + 1", "5"), (("share", "--x", "1"), '-> mark(f"share {x}")', "2")],
)
def test_it_stops_at_the_first_line_if_asked(
    cli: Cli, typed: Callable[..., None], call: tuple[str, ...], first_line: str, value: str
) -> None:
    cli("run", "shaky.py", *call, "--name", "r")
    typed("n", "n", "p locals().get('rest', locals().get('y'))", "c")
    done = cli("replay", "r", "--break")
    assert done.code == 0
    assert first_line in done.out
    assert f"(Pdb) {value}\n" in done.out
    assert "succeeded" in done.err


@pytest.mark.usefixtures("shaky")
def test_leaving_the_debugger_ends_the_replay(cli: Cli, typed: Callable[..., None]) -> None:
    cli("run", "shaky.py", "plain", "--x", "4", "--name", "r")
    typed("q")
    done = cli("replay", "r", "--break")
    assert (done.code, "left the debugger" in done.err) == (1, True)


@pytest.mark.usefixtures("shaky")
def test_of_a_batch_only_the_items_that_failed_run_again(
    cli: Cli, folder: Path, typed: Callable[..., None]
) -> None:
    cli("run", "shaky.py", "mapped", "--n", "6", "--name", "r")
    (folder / "marks.txt").unlink()
    typed("p x", "q")
    done = cli("replay", "r", failed_share(cli, "r"))
    assert (folder / "marks.txt").read_text() == "share 3\n"
    assert "(Pdb) 3\n" in done.out
    assert cli("replay", "r", "--json").json["failed_child"] == failed_share(cli, "r")


@pytest.mark.usefixtures("shaky")
def test_a_child_that_was_given_up_is_given_up_again(cli: Cli) -> None:
    cli("run", "shaky.py", "first_of", "--n", "1", "--name", "r")
    shown = cli("replay", "r", "--json").json
    assert (shown["status"], shown["outputs"], shown["missing"]) == ("succeeded", {"value": 6.0}, [])


def test_a_call_of_which_nothing_is_recorded_says_so(cli: Cli, shaky: Path) -> None:
    cli("run", "shaky.py", "main", "--n", "2", "--name", "r")
    (shaky / "shaky.py").write_text(PROGRAM.replace("seen + sum", "await plain.aio(7) + sum"))
    del sys.modules["shaky"]  # a replay is another process
    registry.forget("shaky")
    done = cli("replay", "r", "--no-debugger")
    assert done.code == 1
    assert "changed since the run: shaky.py" in done.err
    assert "no outcome is recorded of this call of shaky.plain" in done.err
    assert "failed now, and did not in the run" in done.err


def test_an_earlier_attempt_is_what_it_was_and_leaves_no_files(cli: Cli, shaky: Path) -> None:
    assert cli("run", "shaky.py", "twice", "--name", "r").out == "3\n"
    before = everything_below(shaky / ".upwell")
    first = cli("replay", "r", "--attempt", "1", "--json").json
    assert (first["status"], first["error"]["message"]) == ("failed", "the first time")
    assert first["recorded_error"]["code"] == "ValueError"
    assert cli("replay", "r", "--json").json["outputs"] == {"value": 3}
    assert everything_below(shaky / ".upwell") == before
    assert "has had attempts 1 to 2, not 3" in cli("replay", "r", "--attempt", "3").error


@pytest.mark.usefixtures("shaky")
def test_what_is_not_there_is_named(cli: Cli) -> None:
    cli("run", "shaky.py", "plain", "--x", "4", "--name", "r")
    assert "no action 'nope' that was begun" in cli("replay", "r", "nope").error
    assert "there is no run 'x'" in cli("replay", "x").error
    assert "run r has no code bundle" in cli("get", "code", "r").error


@pytest.mark.usefixtures("shaky")
def test_the_output_is_printed(cli: Cli) -> None:
    cli("run", "shaky.py", "plain", "--x", "4", "--name", "r")
    done = cli("replay", "r")
    assert (done.code, done.out) == (0, "value: 2.5\n")
    assert json.loads(cli("replay", "r", "--json").out)["recorded_error"] is None
