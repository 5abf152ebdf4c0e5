"""`upwell why` in the situations of docs/caching.md, and what else it says."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from docs.why import PAGE, SITUATIONS, Situation, answer, masked

from upwell._author import registry

Cli = Any
CACHED = """
import asyncio, threading, upwell
env = upwell.TaskEnvironment("cached", cache="auto")
plain = upwell.TaskEnvironment("plain")

@env.task
async def square(n: int, blob: object = None) -> int:
    return n * n

@plain.task
async def squares(n: int) -> int:
    return sum(await asyncio.gather(*(square(x) for x in range(n))))

@plain.task
async def mapped(n: int, first: int = 0) -> int:
    results = upwell.map.aio(square, range(first, first + n), batch=5, return_exceptions=False)
    return sum([x async for x in results])
"""


@pytest.fixture
def cached(folder: Path) -> None:
    (folder / "kept_squares.py").write_text(CACHED)


def forget(file: str) -> None:
    """Have an edited module loaded again, as a new process would."""
    for name in ("shop", "report", Path(file).stem):
        sys.modules.pop(name, None)
        registry.forget(name)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: each.title)
def test_the_page_shows_what_is_said(cli: Cli, folder: Path, situation: Situation) -> None:
    def call(command: Sequence[str]) -> str:
        done = cli(*command)
        assert done.code == 0, done.err
        return str(done.out)

    said = answer(situation, folder, call, forget)
    for text in situation.says:
        assert text in said
    assert masked(said) in masked(PAGE.read_text())


@pytest.mark.usefixtures("cached")
def test_a_hit_says_whose_it_is(cli: Cli) -> None:
    cli("run", "--name", "before", "kept_squares.py", "squares", "--n", "3")
    cli("run", "--name", "after", "kept_squares.py", "squares", "--n", "3")
    hits = [a for a in cli("get", "actions", "after", "--json").json if a["cached"] is not None]
    made = {a["id"] for a in cli("get", "actions", "before", "--json").json if a["task"] == "cached.square"}
    assert {hit["cached"]["run"] for hit in hits} == {"before"}
    assert {hit["cached"]["action"] for hit in hits} == made
    why = cli("why", "after", hits[0]["id"], "--json").json
    assert (why["reason"], why["ran"], why["cached"]) == ("hit", False, hits[0]["cached"])
    assert f"by before/{hits[0]['cached']['action']}" in cli("why", "after", hits[0]["id"]).out
    shown = cli("get", "io", "after", hits[0]["id"], "--json").json
    assert (shown["cached"], shown["outputs"]["o0"]) == (hits[0]["cached"], shown["inputs"]["n"] ** 2)


@pytest.mark.usefixtures("cached")
def test_the_document_has_the_key_its_difference_and_the_time(cli: Cli) -> None:
    cli("run", "--name", "before", "kept_squares.py", "square", "--n", "3")
    first = cli("why", "before", "--json").json
    assert (first["reason"], first["nearest"], first["differences"]) == ("first", None, [])
    assert first["took_s"] == pytest.approx(sum(step["took_s"] for step in first["steps"]), abs=0.05)
    cli("run", "--name", "after", "kept_squares.py", "square", "--n", "4")
    other = cli("why", "after", "--json").json
    assert other["key"] != first["key"]
    assert other["nearest"]["run"] == "before"
    assert [(d["part"], d["name"], d["before"], d["after"]) for d in other["differences"]] == [
        ("input", "n", "3", "4")
    ]


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize(("option", "reason"), [("--no-cache", "off"), ("--overwrite-cache", "overwrite")])
def test_options_of_the_run_are_a_reason(cli: Cli, option: str, reason: str) -> None:
    cli("run", "--name", "r", option, "kept_squares.py", "square", "--n", "3")
    found = cli("why", "r", "--json").json["reason"]
    assert found in {reason, "not_cached"} if option == "--no-cache" else found == reason


@pytest.mark.usefixtures("cached")
def test_a_batch_of_a_map_is_explained_as_a_whole(cli: Cli) -> None:
    cli("run", "--name", "before", "kept_squares.py", "mapped", "--n", "10")
    cli("run", "--name", "after", "kept_squares.py", "mapped", "--n", "10", "--first", "8")
    batches = [a for a in cli("get", "actions", "after", "--json").json if a["task"] == "cached.square"]
    assert len(batches) == 2
    texts = [cli("why", "after", batch["id"]).out for batch in batches]
    assert all("input of 5 items of a map: differs" in text for text in texts)


def test_an_action_that_is_not_there_is_named(cli: Cli) -> None:
    cli("run", "--name", "r", "flow.py", "nothing")
    assert "has no action 'nope'" in cli("why", "r", "nope").error
    assert cli("why", "absent").code == 1
