"""Every adapter of `Logs`: files, and CloudWatch Logs over moto."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.log_groups import LogGroups
from upwell._core.keys import function_log_group, worker_log_group, worker_log_stream
from upwell._core.log_lines import LogCursorError, LogLine, LogPage, LogQuery
from upwell._core.ports import Logs
from upwell._core.settings import Settings
from upwell._local.log_files import FileLogs, LogFile
from upwell.testing.moto_aws import ENVIRONMENT, REGION

NOW = float(int(time.time()) - 1000)
SETTINGS = Settings(prefix="up", bucket="", queue_url_prefix="")
WORKER, FUNCTION = ("worker", "task1"), ("lambda", "2026/01/01/[$LATEST]ab")
QUERY = LogQuery(run_id="r1", pools=("default", "warm"), since=NOW, until=NOW + 500)


class Place:
    """Logs, and how to write to them."""

    def __init__(self, logs: Logs, write: Callable[[str, LogLine], None]) -> None:
        self.logs = logs
        self.write = write

    async def all(self, query: LogQuery, limit: int = 1000) -> list[LogLine]:
        """Return all lines of a query, page by page."""
        found, cursor = [], None
        while True:
            page = await self.page(query, cursor, limit)
            assert len(page.lines) <= limit
            found += page.lines
            if page.is_last:
                return found
            cursor = page.cursor

    async def page(self, query: LogQuery, cursor: str | None, limit: int) -> LogPage:
        return await self.logs.read(query, cursor=cursor, limit=limit)

    async def texts(self, query: LogQuery, limit: int = 1000) -> list[str]:
        return [line.text for line in await self.all(query, limit)]


@pytest.fixture
def files(tmp_path: Path) -> Place:
    paths = {kind: tmp_path / f"{kind}.log" for kind in ("worker", "lambda")}
    for path in paths.values():
        path.write_text('somebody else\n{"level": "INFO", "message": "r1/a0"}\n')
    files = {kind: LogFile(path) for kind, path in paths.items()}
    return Place(FileLogs(lambda _: list(paths.values())), lambda kind, line: files[kind].write(line.dump()))


@pytest.fixture
def groups() -> Iterator[Place]:
    with mock_aws():
        clients = Clients(region=REGION, environment=ENVIRONMENT, threads=1)
        places = {
            "worker": (worker_log_group("up", "warm"), worker_log_stream("task1")),
            "lambda": (function_log_group("up", "default"), FUNCTION[1]),
        }
        for group, stream in places.values():
            clients.logs.create_log_group(logGroupName=group)
            clients.logs.create_log_stream(logGroupName=group, logStreamName=stream)

        def write(kind: str, line: LogLine) -> None:
            group, stream = places[kind]
            noise = {
                "timestamp": int(line.at * 1000),
                "message": f'{{"message": "{line.run_id}/{line.action_id}"}}',
            }
            event = {"timestamp": int(line.at * 1000), "message": line.dump()}
            clients.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[noise, event])  # type: ignore[list-item]  # it is one

        yield Place(LogGroups(clients, SETTINGS), write)
        clients.close()


@pytest.fixture(params=["files", "groups"])
def place(request: pytest.FixtureRequest) -> Place:
    """Logs of each adapter."""
    found: Place = request.getfixturevalue(request.param)
    return found


def line(n: int, text: str, **changes: object) -> LogLine:
    made = LogLine(at=NOW + n, run_id="r1", action_id="a1", attempt=1, text=text)
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of a test


def write_some(place: Place) -> None:
    place.write("worker", line(1, "one"))
    place.write("worker", line(2, "two é", stream="stderr"))
    place.write("worker", line(3, "retried", attempt=2))
    place.write("worker", line(4, "of another", action_id="a2"))
    place.write("worker", line(5, "of an item", action_id="a2", item="i7"))
    place.write("worker", line(6, "of another run", run_id="r2"))
    place.write(
        "lambda", line(7, "of the root\nin two", action_id="a0", stream="logging", level="INFO", logger="l")
    )


@pytest.mark.parametrize("limit", [1, 2, 1000])
async def test_lines_of_a_run_come_page_by_page(place: Place, limit: int) -> None:
    write_some(place)
    found = await place.all(QUERY, limit)
    said = ["one", "two é", "retried", "of another", "of an item", "of the root\nin two"]
    assert [line.text for line in sorted(found, key=lambda line: line.at)] == said
    assert len({line.place for line in found}) == len(found)


@pytest.mark.parametrize("limit", [1, 1000])
@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"action_id": "a1"}, ["one", "two é", "retried"]),
        ({"action_id": "a1", "is_action": True, "attempt": 2}, ["retried"]),
        ({"action_id": "a2", "is_action": True, "executors": ()}, ["of another", "of an item"]),
        ({"action_id": "i7", "executors": ()}, ["of an item"]),
        ({"action_id": "a1", "text": "O"}, ["one", "two é"]),
        ({"action_id": "a0", "executors": (FUNCTION,), "pools": ("default",)}, ["of the root\nin two"]),
        ({"action_id": "gone", "executors": (("worker", "gone"),)}, []),
        ({"run_id": "r3", "executors": ()}, []),
    ],
)
async def test_lines_are_found_by_what_wrote_them(
    place: Place, changes: dict[str, object], texts: list[str], limit: int
) -> None:
    write_some(place)
    query = replace(QUERY, **{"executors": (WORKER,), "pools": ("warm",), **changes})  # type: ignore[arg-type]
    assert await place.texts(query, limit) == texts


async def test_who_goes_on_after_the_last_page_gets_what_came_since(place: Place) -> None:
    query = replace(QUERY, until=None)
    place.write("worker", line(1, "one"))
    page = await place.page(query, None, 10)
    assert [line.text for line in page.lines] == ["one"]
    assert page.is_last
    known = {line.place for line in page.lines}
    place.write("worker", line(2, "two"))
    place.write("lambda", line(2, "deux"))
    page = await place.page(query, page.cursor, 10)
    assert {line.text for line in page.lines if line.place not in known} == {"two", "deux"}


async def test_there_may_be_no_lines_at_all(place: Place, tmp_path: Path) -> None:
    assert await place.texts(replace(QUERY, pools=("nowhere",))) == []
    assert await FileLogs(lambda _: [tmp_path / "nothing"]).read(QUERY, cursor=None, limit=10) == LogPage(
        cursor="{}", is_last=True
    )


@pytest.mark.parametrize("cursor", ["", "x", "[]", "1", '{"since": "x"}', '{"a.log": -1}', '{"unknown": []}'])
async def test_a_cursor_of_something_else_is_refused(place: Place, cursor: str) -> None:
    with pytest.raises(LogCursorError):
        await place.page(QUERY, cursor, 10)


# --- files alone --------------------------------------------------------------------------------------------


async def test_a_line_that_is_not_yet_whole_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "r1.jsonl"
    text = line(1, "whole").dump()
    path.write_text(f"{text}\n{text[:20]}")
    logs = FileLogs(lambda _: [path])
    first = await logs.read(QUERY, cursor=None, limit=10)
    assert [found.text for found in first.lines] == ["whole"]
    with path.open("a") as file:
        file.write(f"{text[20:]}\n")
    assert len((await logs.read(QUERY, cursor=first.cursor, limit=10)).lines) == 1


async def test_a_file_that_was_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path, earlier = tmp_path / "w.log", tmp_path / "w.log.1"
    logs = FileLogs(lambda _: [earlier, path])
    path.write_text(f"{line(1, 'one').dump()}\n{line(2, 'two').dump()}\n")
    first = await logs.read(QUERY, cursor=None, limit=10)
    path.rename(earlier)
    path.write_text(f"{line(3, 'three').dump()}\n")
    then = await logs.read(QUERY, cursor=first.cursor, limit=10)
    assert [found.text for found in then.lines] == ["three"]
    anew = await logs.read(QUERY, cursor=None, limit=10)
    assert [found.text for found in anew.lines] == ["one", "two", "three"]


async def test_after_its_run_a_file_takes_nothing(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "logs" / "r1.jsonl")
    file.close()
    file.write("late")
    assert not (tmp_path / "logs").exists()
