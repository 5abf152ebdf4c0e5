"""Runs of deployed tasks that are started by the API, without their code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import upwell
from upwell._client.deployed_tasks import deployed_task, deployed_tasks, publish_tasks, withdraw_task
from upwell._core.keys import bundle_key
from upwell._core.ports import BlobNotFoundError
from upwell._exec.payloads import unpack
from upwell.errors import RemoteTaskNotFoundError

Console = Any
env = upwell.TaskEnvironment("deployed")


@dataclass
class Point:
    x: int
    y: float = 0.5


@env.task
async def plot(points: list[Point], at: datetime | None = None, title: str = "none") -> str:
    """Draw points.

    In a picture.
    """
    return title


@env.task(docs="Does nothing.")
async def nothing() -> None: ...


@pytest.fixture
async def console(moto_console: Console) -> Console:
    await publish_tasks(moto_console.backend, [env], Path(__file__).parent)
    return moto_console


async def test_deployed_tasks_are_listed_with_the_schemas_of_their_inputs(console: Console) -> None:
    first, second = await console.get("/tasks")
    assert (first["task"], first["description"]) == ("deployed.nothing", "Does nothing.")
    assert (second["pool"], second["description"]) == ("default", "Draw points.\n\nIn a picture.")
    schema = second["inputs"]
    assert (schema["required"], list(schema["properties"])) == (["points"], ["points", "at", "title"])
    assert await console.get("/tasks/deployed.plot") == second
    assert (await console.get("/info"))["features"]["submit"]


async def test_one_that_is_deployed_anew_while_it_is_read_is_found(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = console.backend.blobs
    get, gone = blobs.get, [True, True]

    async def after_another_deployment(key: str) -> bytes:
        if gone and gone.pop():
            raise BlobNotFoundError(key)
        return await get(key)

    monkeypatch.setattr(blobs, "get", after_another_deployment)
    assert (await deployed_task(blobs, plot.name)).spec.name == plot.name
    gone[:] = [True]
    assert [task.spec.name for task in await deployed_tasks(blobs)] == [nothing.name, plot.name]


async def test_one_of_a_later_version_says_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    async def of_another_form(key: str) -> bytes:
        return b'{"kind":"later"}'

    monkeypatch.setattr(console.backend.blobs, "get", of_another_form)
    with pytest.raises(RemoteTaskNotFoundError, match="by a later version of upwell"):
        await deployed_task(console.backend.blobs, plot.name)
    assert await deployed_tasks(console.backend.blobs) == []


async def test_what_has_not_changed_is_not_deployed_again(console: Console) -> None:
    root = Path(__file__).parent
    assert await publish_tasks(console.backend, [env], root) == []
    (task,) = [each for each in await deployed_tasks(console.backend.blobs) if each.spec.name == plot.name]
    other = upwell.TaskEnvironment("deployed", env_vars={"A": "1"})
    other.task(plot.func)
    assert await publish_tasks(console.backend, [other], root) == ["deployed.plot"]
    again = await deployed_tasks(console.backend.blobs)
    assert [each.spec.name for each in again] == ["deployed.nothing", "deployed.plot"]
    assert again[1].deployed_at > task.deployed_at
    keys = [blob.key async for blob in console.backend.blobs.list("tasks/")]
    assert len(keys) == 2


async def test_a_run_is_started_with_inputs_as_json(console: Console) -> None:
    body = {
        "inputs": {"points": [{"x": 1}], "at": "2024-05-06T07:08:09Z"},
        "name": "drawn",
        "labels": {"team": "data"},
    }
    answer = await console.post("/tasks/deployed.plot/runs", body)
    assert (answer.status_code, answer.json()["run_id"]) == (200, "drawn")
    run = await console.get("/runs/drawn")
    assert (run["task"], run["status"], run["labels"]) == ("deployed.plot", "running", {"team": "data"})
    record = await console.backend.store.get_run("drawn")
    found = plot.interface.decode_inputs(await unpack(console.backend.blobs, record.root.inputs))
    assert found == {"points": [Point(1)], "at": datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC), "title": "none"}
    shown = (await console.get("/runs/drawn/actions/a0"))["inputs"]
    assert [(value["name"], value["type"]) for value in shown] == [("points", "list"), ("at", "str")]
    taken = await console.post("/tasks/deployed.plot/runs", body | {"inputs": {"points": []}})
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "RunStateError")


@pytest.mark.parametrize(
    ("task", "body", "status", "code", "says"),
    [
        ("none", {}, 404, "RemoteTaskNotFoundError", "no task 'none' is deployed"),
        ("deployed.plot", {}, 422, "InputsError", "inputs: 'points' is a required property"),
        (
            "deployed.plot",
            {"inputs": {"points": [{"x": "a"}]}},
            422,
            "InputsError",
            "inputs.points[0].x: 'a' is",
        ),
        ("deployed.plot", {"inputs": {"points": [], "n": 1}}, 422, "InputsError", "'n' was unexpected"),
        ("deployed.nothing", {"name": "no name"}, 422, "UsageError", "run name 'no name'"),
        ("deployed.nothing", {"labels": {"a": 1}}, 422, "InvalidRequest", "labels.a"),
    ],
)
async def test_what_does_not_fit_is_refused_and_says_why(
    console: Console, task: str, body: dict[str, Any], status: int, code: str, says: str
) -> None:
    answer = await console.post(f"/tasks/{task}/runs", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert says in error["message"]


async def test_a_task_that_was_deleted_is_not_there(console: Console) -> None:
    await withdraw_task(console.backend.blobs, "deployed.nothing")
    assert "deployed.nothing" not in [task["task"] for task in await console.get("/tasks")]
    answer = await console.post("/tasks/deployed.nothing/runs", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RemoteTaskNotFoundError")
    with pytest.raises(RemoteTaskNotFoundError, match="no task 'deployed\\.nothing' is deployed"):
        await withdraw_task(console.backend.blobs, "deployed.nothing")


async def test_a_task_whose_code_is_gone_is_refused(console: Console) -> None:
    task = await deployed_task(console.backend.blobs, "deployed.nothing")
    await console.backend.blobs.delete([bundle_key(task.bundle)])
    answer = await console.post("/tasks/deployed.nothing/runs", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "RemoteTaskNotFoundError")
    assert "`upwell deploy` the file that defines it again" in answer.json()["error"]["message"]


async def test_local_runs_are_started_where_their_code_is(local_console: Console) -> None:
    assert not (await local_console.get("/info"))["features"]["submit"]
    assert await local_console.get("/tasks") == []
    answer = await local_console.post("/tasks/shop.main/runs", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "UsageError")
