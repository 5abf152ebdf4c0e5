"""The fold of the actions table's stream, over moto: redelivery, races, failures, and the handler itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.contract.conftest import Tables
from tests.contract.store_samples import ended, running

from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_views import DynamoViews, read_change
from upwell._core.limits import ACTION_SHARDS
from upwell._core.model import Payload
from upwell_runtime import wiring
from upwell_runtime.handlers import fold

ACTIONS = 40
CONTEXT = SimpleNamespace(aws_request_id="request")
EXPECTED = {"env.double": {"SUCCEEDED": 30, "RUNNING": 10}}


@pytest.fixture
async def records(moto: Tables, dynamodb_store: DynamoStore) -> list[dict[str, Any]]:
    """The stream of a run with 40 actions, of which 30 have ended."""
    actions = [running(f"a{i}") for i in range(ACTIONS)]
    for record in actions:
        await dynamodb_store.save(record, expected=None)
    for record in actions[:30]:
        await dynamodb_store.save(ended(record), expected=1)
    return moto.stream()


@pytest.fixture
def views(moto: Tables) -> DynamoViews:
    return DynamoViews(moto.clients, moto.settings)


async def test_batches_of_a_stream_make_the_view(
    records: list[dict[str, Any]], views: DynamoViews, dynamodb_store: DynamoStore
) -> None:
    for start in range(0, len(records), 9):
        assert await views.apply(records[start : start + 9]) == []
    assert (await dynamodb_store.view("r1")).counts == EXPECTED


async def test_batches_that_come_again_whole_in_part_or_longer_are_counted_once(
    records: list[dict[str, Any]], views: DynamoViews, dynamodb_store: DynamoStore
) -> None:
    for batch in (records[:20], records[:20], records[10:20], records[10:50], records, records[:1]):
        assert await views.apply(batch) == []
    assert (await dynamodb_store.view("r1")).counts == EXPECTED


async def test_a_batch_that_overtakes_an_earlier_one_loses_nothing(
    records: list[dict[str, Any]], views: DynamoViews, dynamodb_store: DynamoStore
) -> None:
    for batch in (records[40:], records[:40], records[20:60]):
        assert await views.apply(batch) == []
    assert (await dynamodb_store.view("r1")).counts == EXPECTED


async def test_a_record_that_cannot_be_read_is_set_apart_by_name_and_the_others_are_counted(
    records: list[dict[str, Any]],
    views: DynamoViews,
    dynamodb_store: DynamoStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poison = json.loads(json.dumps(records[0], default=str))
    poison["dynamodb"]["NewImage"] = {"task": {"S": "secret"}}
    assert await views.apply([*records[:20], poison, *records[20:]]) == []
    assert (await dynamodb_store.view("r1")).counts == EXPECTED
    (line,) = [entry for entry in caplog.records if entry.levelname == "WARNING"]
    assert (vars(line)["run_id"], vars(line)["action_id"]) == ("r1", "a0")
    assert vars(line)["error"] == "KeyError"
    assert "secret" not in str(vars(line))


async def test_two_functions_with_the_same_batch_count_it_once(
    records: list[dict[str, Any]], moto: Tables, dynamodb_store: DynamoStore
) -> None:
    rivals = [DynamoViews(moto.clients, moto.settings) for _ in range(3)]
    assert await asyncio.gather(*(rival.apply(records) for rival in rivals)) == [[], [], []]
    assert (await dynamodb_store.view("r1")).counts == EXPECTED


async def test_a_lane_that_cannot_be_written_is_reported_and_the_others_are_counted(
    records: list[dict[str, Any]], moto: Tables, views: DynamoViews, dynamodb_store: DynamoStore
) -> None:
    lanes = [record["dynamodb"]["Keys"]["pk"]["S"].rpartition("#")[2] for record in records]
    poisoned = lanes[0]
    key = {"pk": {"S": "r1"}, "sk": {"S": f"view#{poisoned}"}}
    moto.clients.dynamodb.put_item(TableName=moto.settings.runs_table, Item=key)
    failed = await views.apply(records)
    assert failed == [
        record["dynamodb"]["SequenceNumber"]
        for record, lane in zip(records, lanes, strict=True)
        if lane == poisoned
    ]
    moto.clients.dynamodb.delete_item(TableName=moto.settings.runs_table, Key=key)
    assert await views.apply(records) == []
    assert (await dynamodb_store.view("r1")).counts == EXPECTED


async def test_what_the_cache_answered_is_counted_as_its_parents_tell(
    moto: Tables, views: DynamoViews, dynamodb_store: DynamoStore
) -> None:
    parent = running("a1")
    await dynamodb_store.save(parent, expected=None)
    some = replace(parent, version=2, hits={"env.square": 3})
    await dynamodb_store.save(some, expected=1)
    await dynamodb_store.save(replace(ended(some), hits={"env.square": 7, "env.f": 1}), expected=2)
    assert await views.apply(moto.stream()) == []
    assert (await dynamodb_store.view("r1")).counts == {
        "env.double": {"SUCCEEDED": 1},
        "env.square": {"SUCCEEDED": 7},
        "env.f": {"SUCCEEDED": 1},
    }


async def test_removals_heartbeats_and_strangers_change_no_count(
    records: list[dict[str, Any]], moto: Tables
) -> None:
    image = records[0]["dynamodb"]["NewImage"]
    heartbeat = {"dynamodb": {"SequenceNumber": "9", "OldImage": image, "NewImage": image}}
    removal = {"dynamodb": {"SequenceNumber": "9", "OldImage": image}}
    stranger = {"dynamodb": {"SequenceNumber": "9", "NewImage": {"pk": {"S": "x"}}}}
    assert [read_change(record) for record in (heartbeat, removal, stranger)] == [None] * 3


async def test_a_view_is_spread_over_as_many_items_as_the_actions(
    records: list[dict[str, Any]], moto: Tables, views: DynamoViews
) -> None:
    await views.apply(records)
    query = moto.clients.dynamodb.query(
        TableName=moto.settings.runs_table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "r1"}},
    )
    assert 1 < query["Count"] <= ACTION_SHARDS


@pytest.fixture
def deployed(moto: Tables, component: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a deployed function."""
    for name, value in moto.settings.to_env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    caches = (fold.views, wiring.ports)
    for cached in caches:
        cached.cache_clear()
    yield
    wiring.ports().close()
    for cached in caches:
        cached.cache_clear()


def test_the_handler_folds_an_event_and_reports_what_must_come_again(moto: Tables, deployed: None) -> None:
    store = DynamoStore(moto.clients, moto.settings)
    asyncio.run(store.save(running(), expected=None))
    records = moto.stream()
    assert fold.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    assert fold.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    assert asyncio.run(store.view("r1")).counts == {"env.double": {"RUNNING": 1}}
    moto.clients.dynamodb.delete_table(TableName=moto.settings.runs_table)
    sequence_id = records[0]["dynamodb"]["SequenceNumber"]
    failures = [{"itemIdentifier": sequence_id}]
    assert fold.handler({"Records": records}, CONTEXT) == {"batchItemFailures": failures}


def test_the_handler_counts_what_actions_did(
    moto: Tables, deployed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    store = DynamoStore(moto.clients, moto.settings)
    for name in ("a1", "a2"):
        asyncio.run(store.save(running(name), expected=None))
        asyncio.run(store.save(ended(running(name)), expected=1))
    large = running("a3")  # is kept deflated
    inputs = Payload(text=json.dumps("x" * 2000), size_bytes=2002)
    large = replace(large, spec=replace(large.spec, inputs=inputs))
    asyncio.run(store.save(large, expected=None))
    strange = {"dynamodb": {"SequenceNumber": "9", "NewImage": {"record": {"S": "of a later version"}}}}
    keyless = {"dynamodb": {"SequenceNumber": "8", "NewImage": {"record": moto.stream()[0]["dynamodb"]}}}
    records = [keyless, *moto.stream(), strange]
    assert fold.handler({"Records": records}, CONTEXT) == {"batchItemFailures": []}
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    (pool,) = [line for line in printed if "Pool" in line]
    assert pool["ActionsSucceeded"] == [2.0]
    assert len(pool["QueueToStart"]) == 3
    (lag,) = [line for line in printed if "ViewLag" in line]
    assert 0.0 <= lag["ViewLag"][0] < 60.0


def test_what_comes_again_is_counted_when_it_could_be_written(
    moto: Tables, deployed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    store = DynamoStore(moto.clients, moto.settings)
    asyncio.run(store.save(running("a1"), expected=None))
    records = moto.stream()
    moto.clients.dynamodb.delete_table(TableName=moto.settings.runs_table)
    assert fold.handler({"Records": records}, CONTEXT)["batchItemFailures"]
    assert "QueueToStart" not in capsys.readouterr().out
