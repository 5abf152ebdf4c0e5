"""Lines of runs and actions by the API, on each backend."""

from __future__ import annotations

from typing import Any

import pytest

Console = Any


async def refused(console: Console) -> str:
    tree = await console.get("/runs/bad/tree", parent="a0")
    (row,) = tree["rows"]
    found: str = row["action_id"]
    return found


async def test_the_console_has_logs(console: Console) -> None:
    assert (await console.get("/info"))["features"]["logs"] is True


async def test_lines_of_an_action_say_attempt_and_level(console: Console) -> None:
    page = await console.get(f"/runs/bad/actions/{await refused(console)}/logs")
    assert [(line["attempt"], line["stream"], line["level"], line["text"]) for line in page["lines"]] == [
        (1, "stdout", None, "looking at 3"),
        (1, "logging", "WARNING", "refused in attempt 1"),
        (2, "stdout", None, "looking at 3"),
        (2, "logging", "WARNING", "refused in attempt 2"),
    ]
    assert page["next"] is None
    assert len({line["id"] for line in page["lines"]}) == 4


async def test_lines_are_narrowed_to_an_attempt_and_a_text(console: Console) -> None:
    path = f"/runs/bad/actions/{await refused(console)}/logs"
    second = await console.get(path, attempt=2)
    assert [line["attempt"] for line in second["lines"]] == [2, 2]
    found = await console.get(path, text="LOOKING", attempt=1)
    assert [line["text"] for line in found["lines"]] == ["looking at 3"]
    assert (await console.get(path, attempt=7))["lines"] == []


async def test_lines_come_by_page(console: Console) -> None:
    path = "/runs/bad/logs"
    found, cursor = [], {}
    while True:
        page = await console.get(path, limit=3, **cursor)
        found += page["lines"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [line["text"] for line in found][::2] == ["looking at 3"] * 2
    later = await console.get(path, cursor=page["resume"])
    assert {line["id"] for line in later["lines"]} <= {line["id"] for line in found}


async def test_an_action_that_printed_nothing_has_no_lines(console: Console) -> None:
    assert (await console.get("/runs/good/actions/a0/logs"))["lines"] == []


@pytest.mark.parametrize(("path", "code"), [("/runs/none/logs", 404), ("/runs/none/actions/a0/logs", 404)])
async def test_there_are_no_lines_of_a_run_that_is_not_there(console: Console, path: str, code: int) -> None:
    assert (await console.client.get(f"/api/v1{path}")).status_code == code


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0"])
async def test_a_cursor_of_something_else_is_refused(console: Console, cursor: str) -> None:
    answer = await console.client.get("/api/v1/runs/bad/logs", params={"cursor": cursor})
    assert answer.status_code == 400, answer.text
