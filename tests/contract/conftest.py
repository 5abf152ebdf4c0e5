"""Every state store, opened empty."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_aggregates import DynamoAggregates
from upwell._aws.dynamodb_views import DynamoViews
from upwell._core.ports import StateStore
from upwell._core.settings import Settings
from upwell._local.sqlite import SqliteStore
from upwell.testing.moto_aws import ENVIRONMENT, REGION, platform_template, resolved
from upwell_runtime.sandbox.events import stream_event

ViewsCatchUp = Callable[[], Awaitable[None]]


TABLE_KEYS = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")


@dataclass(frozen=True)
class Tables:
    """New tables of an emulated deployment."""

    clients: Clients
    settings: Settings
    streams: Any
    """Client of DynamoDB's streams."""

    def stream(self) -> list[dict[str, Any]]:
        """Return every record of the stream of the actions table, as the fold function gets them."""
        table = self.clients.dynamodb.describe_table(TableName=self.settings.actions_table)["Table"]
        arn = table["LatestStreamArn"]
        (shard,) = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = self.streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = self.streams.get_records(ShardIterator=iterator)["Records"]
        return list(stream_event(records, stream_arn=arn)["Records"])


def create_tables(clients: Clients, **where: str) -> Tables:
    """Create tables from the template that is deployed, under a prefix of their own.

    Args:
        clients: Of the emulator.
        where: Arguments for boto3 that lead to the same emulator.
    """
    prefix = f"upwell-{uuid4().hex[:8]}"
    template = platform_template()
    shipped = json.loads(resolved(template["Outputs"]["Settings"]["Value"]))
    settings = replace(Settings.from_env(shipped), prefix=prefix)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            table: Any = {key: properties[key] for key in TABLE_KEYS if key in properties}
            if "StreamSpecification" in properties:
                table["StreamSpecification"] = {**properties["StreamSpecification"], "StreamEnabled": True}
            name = prefix + properties["TableName"].removeprefix("upwell-dev")
            clients.dynamodb.create_table(TableName=name, **table)
    session: Any = boto3
    # The emulators know no endpoints with an account id in their name.
    config = Config(account_id_endpoint_mode="disabled")
    streams = session.client("dynamodbstreams", region_name=REGION, config=config, **where)
    return Tables(clients, settings, streams)


async def fold_stream(tables: Tables) -> None:
    """Do what the functions on the stream do with all that has happened so far."""
    records = tables.stream()
    assert await DynamoAggregates(tables.clients, tables.settings).apply(records) == []
    assert await DynamoViews(tables.clients, tables.settings).apply(records) == []


@pytest.fixture(scope="module")
def moto_clients() -> Iterator[Clients]:
    """Clients of moto, shared: making them takes longer than most tests."""
    with mock_aws():
        # One thread: moto's conditional writes are not atomic between threads.
        clients = Clients(region=REGION, environment=ENVIRONMENT, threads=1)
        yield clients
        clients.close()


@pytest.fixture
def moto(moto_clients: Clients) -> Tables:
    return create_tables(moto_clients)


@pytest.fixture
def dynamodb_store(moto: Tables) -> DynamoStore:
    return DynamoStore(moto.clients, moto.settings)


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "dynamodb"])
def state_store(request: pytest.FixtureRequest) -> StateStore:
    store: StateStore = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def views_catch_up(state_store: StateStore, request: pytest.FixtureRequest) -> ViewsCatchUp:
    """Waits until the views hold what was saved."""

    async def catch_up() -> None:
        if not isinstance(state_store, SqliteStore):
            await fold_stream(request.getfixturevalue("moto"))

    return catch_up
