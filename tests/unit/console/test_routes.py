"""What the Run API answers, on each backend."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from upwell._aws.scaling_events import ScalingEvents
from upwell._cli.app import run_app
from upwell._core.scaling import ScalingEvent, Why
from upwell.errors import UnavailableError, UsageError

Console = Any


async def test_info_says_where_it_is(console: Console) -> None:
    info = await console.get("/info")
    assert info["backend"] == console.backend.mode
    assert (info["stage"], info["region"]) in {(None, None), ("dev", "eu-central-1")}


async def test_runs_are_listed_newest_first_by_page(console: Console) -> None:
    first = await console.get("/runs", limit=2)
    assert [run["run_id"] for run in first["runs"]] == ["bad", "again"]
    second = await console.get("/runs", limit=2, cursor=first["next"])
    assert [run["run_id"] for run in second["runs"]] == ["good"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"status": "failed"}, ["bad"]),
        ({"task": "shop.main"}, ["again", "good"]),
        ({"task": "broken"}, ["bad"]),
        ({"label": "team=data"}, ["good"]),
        ({"label": "team"}, ["bad", "good"]),
        ({"status": "succeeded", "label": "team=web"}, []),
        ({"before": 1}, []),
        ({"after": 4e9}, []),
    ],
)
async def test_runs_are_filtered(console: Console, wanted: dict[str, Any], names: list[str]) -> None:
    found = await console.get("/runs", **wanted)
    assert [run["run_id"] for run in found["runs"]] == names


async def test_runs_are_filtered_by_time(console: Console) -> None:
    created_at = {run["run_id"]: run["created_at"] for run in (await console.get("/runs"))["runs"]}
    late = await console.get("/runs", after=created_at["again"])
    assert [run["run_id"] for run in late["runs"]] == ["bad", "again"]
    early = await console.get("/runs", before=created_at["again"])
    assert [run["run_id"] for run in early["runs"]] == ["good"]


async def test_a_run_has_its_failure_and_the_commands_for_it(console: Console) -> None:
    run = await console.get("/runs/bad")
    assert (run["status"], run["alive"], run["root"], run["task"]) == ("failed", False, "a0", "shop.broken")
    assert run["error"]["code"] == "ValueError"
    assert run["labels"] == {"team": "web"}
    assert run["commands"]["go on with it"].startswith("upwell recover bad")
    assert ("--backend aws" in run["commands"]["go on with it"]) == (console.backend.mode == "aws")


async def test_the_address_of_a_run_is_its_page_or_on_aws_its_execution(console: Console) -> None:
    start = (await console.get("/runs/good"))["url"].split("/runs/")[0]
    is_aws = console.backend.mode == "aws"
    assert start.startswith("https://us-east-1.console.aws" if is_aws else "http://127.0.0.1:8640")


async def test_a_run_that_has_not_changed_is_not_sent_again(console: Console) -> None:
    first = await console.client.get("/api/v1/runs/good")
    etag = first.headers["etag"]
    assert etag == f'"{first.json()["version"]}"'
    again = await console.client.get("/api/v1/runs/good", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = await console.client.get("/api/v1/runs/good", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_a_tree_begins_with_the_root(console: Console) -> None:
    top = await console.get("/runs/good/tree")
    assert [(row["action_id"], row["parent_id"], row["children"]) for row in top["rows"]] == [
        ("a0", None, None)
    ]
    assert (top["total"], top["summaries"]) == (1, [])


async def test_a_level_of_a_tree_is_summed_up_by_task_and_group(console: Console) -> None:
    level = await console.get("/runs/good/tree", parent="a0")
    assert level["total"] == 7
    sums = {(s["task"], s["group"]): s for s in level["summaries"]}
    assert sums["shop.double", "twice"]["counts"] == {"succeeded": 5}
    assert sums["shop.kept", None]["counts"] == {"succeeded": 2}
    assert sums["shop.double", "twice"]["max_s"] >= sums["shop.double", "twice"]["p50_s"] >= 0


@pytest.mark.parametrize("order", ["called", "slowest", "failed"])
async def test_the_pages_of_a_level_have_each_row_once(console: Console, order: str) -> None:
    rows, cursor = [], None
    while True:
        wanted = {"parent": "a0", "order": order, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await console.get("/runs/good/tree", **wanted)
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len({row["action_id"] for row in rows}) == len(rows) == 7
    lengths = [(row["ended_at"] - row["started_at"]) if row["started_at"] else -1 for row in rows]
    assert order != "slowest" or lengths == sorted(lengths, reverse=True)
    assert order != "called" or [r["queued_at"] for r in rows] == sorted(r["queued_at"] for r in rows)


async def test_rows_are_filtered_and_hits_of_the_cache_are_shown(console: Console) -> None:
    level = await console.get("/runs/good/tree", parent="a0", task="kept", status="succeeded")
    assert level["total"] == 2
    again = await console.get("/runs/again/tree", parent="a0", task="kept")
    assert [row["cached"] for row in again["rows"]] == [True, True]
    assert (await console.get("/runs/good/tree", parent="a0", status="failed"))["rows"] == []


@pytest.mark.parametrize(
    ("wanted", "n"),
    [
        ({"group": "twice"}, 5),
        ({"group": ""}, 2),
        ({"status": ["failed", "succeeded"], "task": ["kept", "shop.double"]}, 7),
        ({"status": ["failed", "running"]}, 0),
        ({"parent": "*"}, 8),
        ({"parent": "*", "task": "main"}, 1),
    ],
)
async def test_a_level_is_filtered_by_group_and_by_several_values(
    console: Console, wanted: dict[str, Any], n: int
) -> None:
    level = await console.get("/runs/good/tree", **({"parent": "a0"} | wanted))
    assert (level["total"], len(level["rows"])) == (n, n)


async def test_all_levels_are_summed_up_by_task(console: Console) -> None:
    sums = (await console.get("/runs/again/tree", parent="*", limit=1))["summaries"]
    assert [one["task"] for one in sums] == ["shop.main", "shop.double", "shop.kept"]
    assert [one["cached"] for one in sums] == [0, 0, 2]
    assert all(one["first_queued_at"] <= one["last_ended_at"] for one in sums)


async def test_a_list_is_entered_anywhere(console: Console) -> None:
    whole = await console.get("/runs/good/tree", parent="a0")
    part = await console.get("/runs/good/tree", parent="a0", offset=4, limit=2)
    assert part["rows"] == whole["rows"][4:6]
    assert (part["total"], part["summaries"]) == (7, [])
    rest = await console.get("/runs/good/tree", parent="a0", cursor=part["next"])
    assert (rest["rows"], rest["next"]) == (whole["rows"][6:], None)


async def test_phases_of_a_row_add_up_to_its_time(console: Console) -> None:
    (root,) = (await console.get("/runs/good/tree"))["rows"]
    phases = root["phases"]
    assert list(phases) == ["queued", "start", "data", "run", "record"]
    assert sum(phases.values()) == pytest.approx(root["ended_at"] - root["queued_at"], abs=0.05)


async def test_a_timeline_counts_every_end(console: Console) -> None:
    timeline = await console.get("/runs/bad/timeline", buckets=10)
    assert [len(timeline[name]) for name in ("running", "queued", "ended", "failed")] == [10] * 4
    assert (sum(timeline["ended"]), sum(timeline["failed"])) == (2, 2)
    assert timeline["bucket_s"] == pytest.approx((timeline["end"] - timeline["start"]) / 10)


async def test_an_action_has_its_values_attempts_and_error(console: Console) -> None:
    root = await console.get("/runs/good/actions/a0")
    assert [(v["name"], v["type"], v["preview"]) for v in root["inputs"]] == [
        ("n", "int", "5"),
        ("note", "str", "hello"),
    ]
    assert [(v["name"], v["preview"]) for v in root["outputs"]] == [("o0", "22")]
    (child,) = (await console.get("/runs/bad/tree", parent="a0"))["rows"]
    failed = await console.get(f"/runs/bad/actions/{child['action_id']}")
    assert [attempt["end"] for attempt in failed["attempts"]] == ["failed", "failed"]
    assert failed["error"]["message"] == "no 3"
    assert "refuse" in failed["error"]["traceback"]
    assert failed["outputs"] is None
    assert {name: failed[name] for name in ("task", "status", "pool")} == {
        "task": "shop.refuse",
        "status": "failed",
        "pool": "default",
    }


async def test_an_action_from_the_cache_says_who_made_its_result(console: Console) -> None:
    rows = (await console.get("/runs/again/tree", parent="a0", task="kept"))["rows"]
    action = await console.get(f"/runs/again/actions/{rows[0]['action_id']}")
    assert action["cached_from"]["run_id"] == "good"
    assert [v["preview"] for v in action["outputs"]] == ["1"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/runs/none", 404, "RunNotFoundError"),
        ("/runs/none/tree", 404, "RunNotFoundError"),
        ("/runs/none/timeline", 404, "RunNotFoundError"),
        ("/runs/good/actions/none", 404, "ActionNotFoundError"),
        ("/runs/good/tree?parent=none", 404, "ActionNotFoundError"),
        ("/runs?cursor=x", 400, "CursorError"),
        ("/runs/good/tree?parent=a0&cursor=WyJzbG93ZXN0IiwgMSwgMSwgIngiXQ", 400, "CursorError"),
        ("/runs?limit=0", 422, "InvalidRequest"),
        ("/runs?status=odd", 422, "InvalidRequest"),
        ("/runs/good/timeline?buckets=many", 422, "InvalidRequest"),
        ("/tasks/none", 404, "RemoteTaskNotFoundError"),
        ("/nothing", 404, "UnknownPath"),
    ],
)
async def test_what_cannot_be_answered_says_why(console: Console, path: str, status: int, code: str) -> None:
    answer = await console.client.get(f"/api/v1{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("AWS refused the credentials"), 503),
        (UnavailableError("AWS failed"), 503),
        (ZeroDivisionError("secret"), 500),
    ],
)
async def test_a_backend_that_fails_is_told_from_a_request_that_is_wrong(
    local_console: Console, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(local_console.backend.store, "list_runs", fail)
    answer = await local_console.client.get("/api/v1/runs")
    assert answer.status_code == status
    assert ("secret" in answer.text, type(error).__name__ in answer.text) == (False, True)


async def test_many_requests_at_once_do_not_block_each_other(local_console: Console) -> None:
    paths = ["/runs", "/runs/good", "/runs/good/tree", "/runs/good/timeline"] * 20
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(local_console.get(path) for path in paths))
    assert len(answers) == 80


async def test_profile_and_cost_are_those_of_the_command_line(
    local_console: Console, local_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, command in (("profile", ["profile", "good"]), ("cost", ["get", "cost", "good"])):
        arguments = [*command, "--json", "--state-dir", str(local_runs)]
        assert await asyncio.to_thread(run_app, arguments) == 0
        assert await local_console.get(f"/runs/good/{path}") == json.loads(capsys.readouterr().out)


async def test_every_backend_has_profile_and_cost(console: Console) -> None:
    profile = await console.get("/runs/good/profile")
    assert {task["task"] for task in profile["tasks"]} == {"shop.main", "shop.double", "shop.kept"}
    cost = await console.get("/runs/good/cost")
    assert (cost["backend"], cost["actions"]) == (console.backend.mode, 8)


async def test_kept_results_are_listed_by_task_and_page(console: Console) -> None:
    everything = await console.get("/cache")
    assert {(entry["task"], entry["run_id"]) for entry in everything["entries"]} == {("shop.kept", "good")}
    page = await console.get("/cache", task="shop.kept", limit=1)
    assert [entry["expired"] for entry in page["entries"]] == [False]
    rest = await console.get("/cache", task="shop.kept", limit=1, cursor=page["next"])
    assert (rest["entries"], rest["next"]) == ([], None)
    assert (await console.get("/cache", task="shop.none"))["entries"] == []


async def test_a_pool_in_which_nothing_runs_is_idle(console: Console) -> None:
    (idle,) = await console.get("/pools")
    assert (idle["pool"], idle["busy"], idle["held"]) == ("default", 0, [])
    assert (idle["backlog"] is None) == (console.backend.mode == "local")


async def test_a_pool_shows_how_it_was_scaled(moto_console: Console, moto_runs: Any) -> None:
    event = ScalingEvent(at=5.0, before=0, after=2, why=Why.BACKLOG, waiting=7, in_flight=1)
    await ScalingEvents(*moto_runs).record("default", event)
    (pool,) = await moto_console.get("/pools")
    assert pool["scaling"] == [
        {"at": 5.0, "before": 0, "after": 2, "why": "backlog", "waiting": 7, "in_flight": 1}
    ]


async def waiting(console: Console, pool: str, backlog: int) -> None:
    async with asyncio.timeout(20):
        while True:
            if (pool, backlog) in [(each["pool"], each["backlog"]) for each in await console.get("/pools")]:
                return
            await asyncio.sleep(0.05)


async def test_deployed_runs_go_on_with_their_own_code(moto_console: Console) -> None:
    """Nothing serves the queue here: what is started stays queued. The last test, for it makes a run."""
    refused = await moto_console.post("/runs/good/recover", {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "RunStateError")
    again = (await moto_console.post("/runs/good/rerun", {})).json()["run_id"]
    assert (await moto_console.get(f"/runs/{again}"))["status"] == "running"
    assert (await moto_console.get(f"/runs/{again}/tree"))["rows"][0]["status"] == "queued"
    await waiting(moto_console, "default", 1)
    aborted = await moto_console.post(f"/runs/{again}/actions/a0/abort", {"reason": "no"})
    assert aborted.status_code == 200
    assert (await moto_console.get(f"/runs/{again}"))["status"] == "aborted"
    assert (await moto_console.post(f"/runs/{again}/recover", {})).status_code == 200
    assert (await moto_console.get(f"/runs/{again}"))["generation"] == 2
