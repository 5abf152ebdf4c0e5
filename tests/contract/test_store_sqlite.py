"""What SQLite adds to the contract: real races, several processes, and a file that can be wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.store_samples import NOW, PARENT, completed, ended, run_record, running, succeeded

from upwell._core.wire import dump_run
from upwell._local.connection import PAGE_BYTES, SCHEMA, SCHEMA_VERSION
from upwell._local.sqlite import SqliteStore
from upwell.errors import UsageError


async def test_of_many_rivals_exactly_one_wins_each_version(sqlite_store: SqliteStore) -> None:
    record = running()
    claims = [replace(record, created_at=NOW + i) for i in range(50)]
    won = await asyncio.gather(*(sqlite_store.save(claim, expected=None) for claim in claims))
    assert won.count(True) == 1
    ends = [ended(record, succeeded(str(i))) for i in range(50)]
    won = await asyncio.gather(*(sqlite_store.save(end, expected=1) for end in ends))
    assert won.count(True) == 1
    assert await sqlite_store.get(record.key) == ends[won.index(True)]


async def test_rivals_with_the_file_open_twice_have_one_winner(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    with closing(SqliteStore(tmp_path / "state.db")) as other:
        records = [running(f"a{i}") for i in range(100)]
        ours = asyncio.gather(*(sqlite_store.save(record, expected=None) for record in records))
        theirs = asyncio.gather(*(other.save(record, expected=None) for record in records))
        assert [a + b for a, b in zip(await ours, await theirs, strict=True)] == [1] * 100
        assert await other.get_many([record.key for record in records]) == {r.key: r for r in records}


async def test_what_was_saved_is_read_at_once_and_by_others(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "state.db")) as other:
        record = running()
        for version in range(1, 20):
            record = replace(record, version=version)
            assert await sqlite_store.save(record, expected=version - 1 or None)
            assert await sqlite_store.get(record.key) == record
            assert await other.get(record.key) == record


async def test_a_write_waits_for_another_process_without_holding_up_the_loop(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        saving = asyncio.create_task(sqlite_store.save(running(), expected=None))
        # Reads go on meanwhile, and so does the loop, or this would not get here.
        assert await sqlite_store.get(running().key) is None
        done, _ = await asyncio.wait([saving], timeout=0.1)
        assert not done
        other.execute("COMMIT")
        assert await saving


async def test_a_statement_that_fails_leaves_nothing_of_its_transaction(sqlite_store: SqliteStore) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO cache (key, entry) VALUES ('r9', 'x')")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        await sqlite_store._write(broken)
    assert await sqlite_store.get_cached(["r9"]) == {}
    assert await sqlite_store.save_run(run_record("r9"), expected=None)


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.contract.store_samples import running
from upwell._local.sqlite import SqliteStore

async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    if sys.argv[2] == "fill":
        for i in range(10_000):
            assert await store.save(running(f"a{i}"), expected=None)
            print(i, flush=True)
    print("opened", flush=True)
    store.close()

asyncio.run(main())
"""


def child(path: Path, mode: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    search = os.pathsep.join([str(root / "sdk"), str(root)])
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), mode],
        env={**os.environ, "PYTHONPATH": search},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def test_what_was_acknowledged_survives_a_kill(
    tmp_path: Path, children: list[subprocess.Popen[str]]
) -> None:
    path = tmp_path / "state.db"
    children.append(child(path, "fill"))
    lines = children[0].stdout
    assert lines is not None
    acknowledged = [next(lines) for _ in range(200)]
    children[0].send_signal(signal.SIGKILL)
    children[0].wait()
    acknowledged += lines
    with closing(SqliteStore(path)) as store:
        found = {record.spec.action_id async for record in store.list_actions("r1")}
        assert found >= {f"a{line.strip()}" for line in acknowledged if line.endswith("\n")}
        assert await store.save(running("after"), expected=None)


def test_several_processes_may_create_the_file_at_once(
    tmp_path: Path, children: list[subprocess.Popen[str]]
) -> None:
    path = tmp_path / "new" / "state.db"
    children += [child(path, "open") for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in children] == ["opened\n"] * 4


def test_a_file_of_a_newer_upwell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(UsageError, match=rf"version {SCHEMA_VERSION + 1}, made by a newer upwell.*upgrade"):
        SqliteStore(path)


async def test_a_file_of_an_older_upwell_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA + "PRAGMA user_version = 1;")
        connection.execute("INSERT INTO runs VALUES ('r1', 1, 0, 'RUNNING', ?)", (dump_run(run_record()),))
        connection.commit()
    for _ in range(2):
        with closing(SqliteStore(path)) as store:
            assert await store.get_run("r1") == run_record()
            assert await store.due_runs(1e12, 10) == []
            assert await store.list_holds() == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("not a database, but long enough to look at: " * 50)
    with pytest.raises(UsageError, match=r"state\.db cannot be used as upwell's store: file is not a database"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be used as upwell's store"):
        SqliteStore(tmp_path / "file" / "state.db")


async def test_a_store_can_be_opened_again_and_closed_twice(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = SqliteStore(path)
    await first.append(PARENT, 0, [completed(NOW, "c1")])
    first.close()
    first.close()
    with closing(SqliteStore(path)) as second:
        assert [item.entry for item in await second.read(PARENT, 0)] == [completed(NOW, "c1")]


def test_a_store_may_be_used_from_one_event_loop_after_the_other(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        assert asyncio.run(store.save(running(), expected=None))
        assert asyncio.run(store.get(running().key)) == running()
        assert asyncio.run(store.view("r1")).counts == {"env.double": {"RUNNING": 1}}


async def test_the_end_of_a_program_leaves_the_log_to_the_next_one(tmp_path: Path) -> None:
    path, log = tmp_path / "state.db", tmp_path / "state.db-wal"
    with closing(SqliteStore(path)) as store:
        await store.save(running(), expected=None)
    assert log.stat().st_size > 0
    with closing(SqliteStore(path)) as store:
        assert await store.get(running().key) == running()


async def test_the_log_is_bounded_however_many_programs_write_a_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upwell._local.connection.LOG_PAGES", 50)
    sizes = []
    for program in range(20):
        with closing(SqliteStore(tmp_path / "state.db")) as store:
            for action in range(5):
                await store.save(running(f"{program}-{action}"), expected=None)
        sizes.append((tmp_path / "state.db-wal").stat().st_size)
    assert max(sizes) < 2 * 50 * PAGE_BYTES
    with closing(SqliteStore(tmp_path / "state.db")) as store:
        assert len([record async for record in store.list_actions(running().spec.run.run_id)]) == 100
