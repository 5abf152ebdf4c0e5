"""Runs that are too large to be read: what the Run API answers about them on each backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.store_samples import NOW, ended, run_record, running, scheduled, succeeded
from tests.unit.console.conftest import Console, serving

from upwell._aws.dynamodb_aggregates import DynamoAggregates
from upwell._aws.dynamodb_items import action_item
from upwell._aws.dynamodb_views import DynamoViews
from upwell._aws.platform import ports_of
from upwell._client import run_efforts
from upwell._client.cloud import CloudBackend
from upwell._client.config import Config
from upwell._client.local import open_local
from upwell._console import large, levels, reading
from upwell._core.cost import cost_of, efforts_of
from upwell._core.journal import FromCache, Hits
from upwell._core.model import ActionKey, ActionRecord, ErrorInfo, Outcome, Payload, Status
from upwell._core.ports import RunView, StateStore
from upwell._core.prices import price
from upwell.testing.moto_aws import moto_platform
from upwell.testing.moto_s3 import moto_s3_access

SHARD = 10
"""Children of one shard of a journal, here."""
EVEN, MIXED, QUEUED = 35, 45, 3
FAILURE = Outcome(status=Status.FAILED, error=ErrorInfo(code="ValueError", message="no"))


def child(parent: str, number: int, task: str, group: str | None) -> ActionRecord:
    record = running(f"{parent}-{number:03}", task=task)
    at = NOW + number
    spec = replace(record.spec, parent_id=parent, shard=number // SHARD, group=group, queued_at=at)
    attempt = replace(record.attempts[0], phases=(1, 1, 1, 1, 1, 1, 1))
    return replace(record, spec=spec, created_at=at, started_at=at + 0.5, attempts=(attempt,))


def over(record: ActionRecord, number: int) -> ActionRecord:
    outcome = FAILURE if number % 20 == 7 else succeeded()
    return replace(ended(record, outcome), ended_at=(record.started_at or 0) + 1 + number / 100)


def actions() -> list[tuple[ActionRecord, ActionRecord]]:
    """A root with 35 calls alike, and one call with 45 of two tasks: as each was claimed, and as it ended."""
    found = [child("a0", n, "env.score", "map") for n in range(EVEN)]
    found += [child("p1", n, "env.f" if n % 3 else "env.g", None) for n in range(MIXED)]
    pairs = [(one, over(one, n)) for n, one in enumerate(found)]
    for name, parent in (("p1", "a0"), ("a0", None)):
        record = running(name, task="env.main")
        record = replace(record, spec=replace(record.spec, parent_id=parent, shard=0))
        pairs.append((record, record if parent is None else ended(record)))
    return pairs


async def fill(store: StateStore, pairs: list[tuple[ActionRecord, ActionRecord]]) -> None:
    await store.save_run(run_record("r1"), expected=None)
    await asyncio.gather(*(store.save(begun, expected=None) for begun, _ in pairs))
    await asyncio.gather(*(store.save(now, expected=1) for begun, now in pairs if now is not begun))
    for parent, names in (
        ("a0", [n for n in names_of(pairs, "a0") if n != "p1"]),
        ("p1", names_of(pairs, "p1")),
    ):
        for first in range(0, len(names), 5):
            entry = replace(scheduled(NOW + first, *names[first : first + 5]), shard=first // SHARD)
            await store.append(ActionKey("r1", parent), first // SHARD, [entry, entry])
    late = replace(scheduled(NOW + 99, *(f"q{n}" for n in range(QUEUED))), shard=3)
    await store.append(ActionKey("r1", "a0"), 3, [late])


def names_of(pairs: list[tuple[ActionRecord, ActionRecord]], parent: str) -> list[str]:
    return [begun.spec.action_id for begun, _ in pairs if begun.spec.parent_id == parent]


@pytest.fixture(params=["local", "moto"])
async def console(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Console]:
    for reader in (reading, run_efforts):
        monkeypatch.setattr(reader, "SMALL_RUN", 0)
    monkeypatch.setattr(levels, "SMALL_SHARDS", 1)
    for module in (levels, large):
        monkeypatch.setattr(module, "JOURNAL_SHARD_ENTRIES", SHARD)
    pairs = actions()
    if request.param == "local":
        config = Config(state_dir=tmp_path / "state")
        async with open_local(config) as backend, serving(backend, config, tmp_path) as found:
            await fill(backend.store, pairs)
            yield found
        return
    with moto_platform() as (clients, settings):
        ports = ports_of(clients, settings, moto_s3_access)
        await fill(ports.store, pairs)
        for kind in (DynamoViews, DynamoAggregates):
            assert await kind(clients, settings).apply(stream(pairs)) == []
        backend_of_moto = CloudBackend("aws", ports, settings, None)
        async with serving(backend_of_moto, Config(mode="aws", region="eu-central-1"), tmp_path) as found:
            yield found


def stream(pairs: list[tuple[ActionRecord, ActionRecord]]) -> list[dict[str, Any]]:
    changes = [(None, begun) for begun, _ in pairs] + [(b, now) for b, now in pairs if now is not b]
    return [
        {
            "dynamodb": {
                "SequenceNumber": str(number),
                "NewImage": action_item(now),
                **({} if before is None else {"OldImage": action_item(before)}),
            }
        }
        for number, (before, now) in enumerate(changes, start=1)
    ]


@pytest.fixture
def nothing_reads_all(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("all actions were read")

    for name in ("list_actions", "list_open"):
        monkeypatch.setattr(console.backend.store, name, refuse)


pytestmark = pytest.mark.usefixtures("nothing_reads_all")


async def pages(console: Console, **wanted: Any) -> list[str]:
    """Return the ids of a list, page by page."""
    found, cursor = [], None
    for _ in range(60):
        tree = await console.get("/runs/r1/tree", **wanted, **({"cursor": cursor} if cursor else {}))
        found += [row["action_id"] for row in tree["rows"]]
        cursor = tree["next"]
        if cursor is None:
            return found
    raise AssertionError("a list without an end")


async def test_a_level_of_calls_alike_is_entered_anywhere(console: Console) -> None:
    everything = [f"a0-{n:03}" for n in range(EVEN)]
    first = await console.get("/runs/r1/tree", parent="a0", limit=4)
    (summary,) = first["summaries"]
    assert (summary["task"], summary["group"], first["total"]) == ("env.score", "map", EVEN)
    assert summary["counts"] == {"succeeded": 33, "failed": 2}
    assert summary["max_s"] == pytest.approx(1.34)
    assert summary["p50_s"] == pytest.approx(1.17, rel=0.05)
    for offset in (0, 8, 17, 31):
        page = await console.get(
            "/runs/r1/tree", parent="a0", offset=offset, limit=4, task="score", group="map"
        )
        assert [row["action_id"] for row in page["rows"]] == everything[offset : offset + 4]
        assert [row["children"] for row in page["rows"]] == [0] * 4
    last = await console.get("/runs/r1/tree", parent="a0", offset=33, limit=10)
    assert [row["status"] for row in last["rows"]] == ["succeeded"] * 2 + ["queued"] * QUEUED
    assert await pages(console, parent="a0", limit=7) == [*everything, *(f"q{n}" for n in range(QUEUED))]


async def test_a_level_of_several_tasks_is_read_on_from_its_begin(console: Console) -> None:
    names = [f"p1-{n:03}" for n in range(MIXED)]
    first = await console.get("/runs/r1/tree", parent="p1", limit=4)
    counts = {summary["task"]: sum(summary["counts"].values()) for summary in first["summaries"]}
    assert counts == {"env.f": 30, "env.g": 15}
    assert await pages(console, parent="p1", limit=4) == names
    assert await pages(console, parent="p1", limit=4, task="g", group="") == names[::3]
    failed = [names[n - EVEN] for n in range(EVEN, EVEN + MIXED) if n % 20 == 7]
    assert await pages(console, parent="p1", limit=4, status="failed") == failed
    answer = await console.client.get("/api/v1/runs/r1/tree?parent=p1&task=g&offset=5")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "CursorError")


async def test_a_small_level_of_a_large_run_is_read_as_a_whole(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "SMALL_SHARDS", 9)
    level = await console.get("/runs/r1/tree", parent="p1", order="slowest", offset=2, limit=3)
    assert ([row["action_id"] for row in level["rows"]], level["total"]) == (
        ["p1-042", "p1-041", "p1-040"],
        MIXED,
    )
    store = console.backend.store
    parent = await store.get(ActionKey("r1", "p1"))
    assert parent is not None
    caller = replace(parent, spec=replace(parent.spec, action_id="p0"), version=1, status=Status.RUNNING)
    assert await store.save(caller, expected=None)
    busy, leaf = child("p0", 0, "env.f", None), over(child("p0", 1, "env.f", None), 1)
    for one in (busy, replace(leaf, version=1)):
        assert await store.save(one, expected=None)
    await store.append(ActionKey("r1", "p0"), 0, [scheduled(NOW, "p0-000", "p0-001")])
    rows = (await console.get("/runs/r1/tree", parent="p0"))["rows"]
    assert {row["action_id"]: row["children"] for row in rows} == {"p0-000": None, "p0-001": 0}


async def test_the_slowest_and_the_failed_come_first(console: Console) -> None:
    assert (await pages(console, parent="a0", order="slowest", limit=3))[:5] == [
        f"a0-{n:03}" for n in range(34, 29, -1)
    ]
    assert await pages(console, parent="a0", order="failed", limit=1) == ["a0-027", "a0-007"]
    slowest = await console.get("/runs/r1/tree", parent="*", order="slowest", limit=2, task="f")
    assert [row["action_id"] for row in slowest["rows"]] == ["p1-044", "p1-043"]


async def test_actions_of_all_levels_are_found_by_task_and_status(console: Console) -> None:
    assert sorted(await pages(console, parent="*", limit=2, status="failed")) == [
        "a0-007",
        "a0-027",
        "p1-012",
        "p1-032",
    ]
    assert sorted(await pages(console, parent="*", task="main", limit=2)) == ["a0", "p1"]
    assert await pages(console, parent="*", task="none") == []
    sums = (await console.get("/runs/r1/tree", parent="*", limit=1))["summaries"]
    assert {one["task"]: sum(one["counts"].values()) for one in sums} == {
        "env.score": EVEN,
        "env.f": 30,
        "env.g": 15,
        "env.main": 2,
    }


async def test_the_load_is_told_in_stretches(console: Console) -> None:
    timeline = await console.get("/runs/r1/timeline", buckets=10)
    assert 1 <= len(timeline["running"]) <= 10
    assert (sum(timeline["ended"]), sum(timeline["failed"])) == (EVEN + MIXED + 1, 4)
    assert max(timeline["running"]) >= 1
    assert timeline["start"] <= NOW


async def test_a_run_whose_aggregates_are_behind_says_so(console: Console) -> None:
    run = await console.get("/runs/r1")
    assert run["settled"]
    store = console.backend.store
    known = store.view
    counts = {"env.score": {"SUCCEEDED": 99_999}}

    async def ahead(run_id: str) -> RunView:
        return RunView(counts)

    store.view = ahead  # type: ignore[method-assign]  # counts come before aggregates
    late = await console.get("/runs/r1")
    store.view = known  # type: ignore[method-assign]
    assert (late["settled"], late["version"][-1]) == (False, "-")
    assert (await console.get("/runs/r1"))["version"] == run["version"]


async def test_what_the_cache_answered_is_in_its_level(console: Console) -> None:
    store = console.backend.store
    hits = Hits(
        at=NOW + 50,
        generation=1,
        children=tuple(
            FromCache(
                action_id=f"h{n}",
                task="env.kept",
                pool="default",
                output=Payload(text='{"value":1}', size_bytes=11),
                made_by=ActionKey("r0", "a0"),
                made_at=NOW,
            )
            for n in range(4)
        ),
    )
    await store.append(ActionKey("r1", "p1"), 5, [hits])
    parent = await store.get(ActionKey("r1", "p1"))
    assert parent is not None
    told = replace(parent, version=3, hits={"env.kept": 4})
    assert await store.save(told, expected=2)
    level = await console.get("/runs/r1/tree", parent="p1", limit=1)
    kept = next(one for one in level["summaries"] if one["task"] == "env.kept")
    assert (kept["counts"], kept["cached"]) == ({"succeeded": 4}, 4)
    assert await pages(console, parent="p1", task="kept", limit=3) == ["h0", "h1", "h2", "h3"]
    action = await console.get("/runs/r1/actions/h2")
    assert action["cached_from"]["run_id"] == "r0"


async def test_an_action_of_a_large_run_is_read_by_itself(console: Console) -> None:
    action = await console.get("/runs/r1/actions/a0-007")
    assert (action["status"], action["children"]) == ("failed", 0)
    answer = await console.client.get("/api/v1/runs/r1/tree?parent=none")
    assert answer.status_code == 404


async def test_profile_and_cost_are_told_without_reading_all_actions(console: Console) -> None:
    records = [now for _, now in actions()]
    cost = await console.get("/runs/r1/cost")
    expected = cost_of(run_record("r1"), efforts_of(records), NOW + 1000)
    assert cost["actions"] == len(records)
    assert {name: task["control_usd"] for name, task in cost["tasks"].items()} == {
        name: pytest.approx(price(task.control).usd, abs=1e-9) for name, task in expected.tasks.items()
    }
    profile = await console.get("/runs/r1/profile")
    assert {task["task"]: task["actions"] for task in profile["tasks"]} == {
        name: task.actions for name, task in expected.tasks.items()
    }
    assert profile["critical_path"]["steps"] == []  # the root goes on
