"""The contract of state stores on the sandbox's DynamoDB, with real concurrency."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError
from tests.contract.conftest import Tables, create_tables, fold_stream
from tests.contract.store_samples import NOW, ended, running, succeeded

# The tests of the contract, on the fixtures of this file.
from tests.contract.test_state_store import *  # noqa: F403
from tests.contract.test_state_store_holds import *  # noqa: F403
from tests.contract.test_state_store_looks import *  # noqa: F403
from tests.contract.test_state_store_runs import *  # noqa: F403

from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_views import DynamoViews
from upwell.testing.moto_aws import REGION
from upwell_runtime.sandbox.emulator import HOST, free_port

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Emulated:
    """An emulator that runs."""

    clients: Clients
    environment: dict[str, str]


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """An emulator that serves this file alone."""
    port = free_port()
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    emulator = {"GATEWAY_PORT": str(port), "BIND_HOST": HOST, "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
    log = tmp_path_factory.mktemp("emulator") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("ministack")],
            env=os.environ | credentials | emulator,
            stdout=output,
            stderr=output,
        )
    environment = {**credentials, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": f"http://{HOST}:{port}"}
    clients = Clients(environment=environment)
    try:
        wait_until_it_answers(clients, process, log)
        yield Emulated(clients, environment)
    finally:
        clients.close()
        process.kill()
        process.wait()


def wait_until_it_answers(clients: Clients, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(60):  # each try backs off by itself
        try:
            clients.dynamodb.list_tables()
        except BotoCoreError:
            assert process.poll() is None, log.read_text()
        else:
            return
    raise AssertionError(log.read_text())


@pytest.fixture
def tables(emulated: Emulated) -> Tables:
    return create_tables(
        emulated.clients,
        endpoint_url=emulated.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=emulated.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulated.environment["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture
def state_store(tables: Tables) -> DynamoStore:
    return DynamoStore(tables.clients, tables.settings)


@pytest.fixture
def views_catch_up(tables: Tables) -> Callable[[], Awaitable[None]]:
    return lambda: fold_stream(tables)


async def test_of_many_rivals_exactly_one_wins_each_version(state_store: DynamoStore) -> None:
    record = running()
    claims = [replace(record, created_at=NOW + i) for i in range(30)]
    won = await asyncio.gather(*(state_store.save(claim, expected=None) for claim in claims))
    assert won.count(True) == 1
    ends = [ended(record, succeeded(str(i))) for i in range(30)]
    won = await asyncio.gather(*(state_store.save(end, expected=1) for end in ends))
    assert won.count(True) == 1
    assert await state_store.get(record.key) == ends[won.index(True)]


async def test_functions_that_fold_the_same_changes_at_once_count_them_once(
    tables: Tables, state_store: DynamoStore
) -> None:
    for i in range(60):
        await state_store.save(running(f"a{i}"), expected=None)
    records = tables.stream()
    rivals = [DynamoViews(tables.clients, tables.settings) for _ in range(4)]
    await asyncio.gather(*(rival.apply(records[start:]) for start, rival in enumerate(rivals)))
    assert (await state_store.view("r1")).counts == {"env.double": {"RUNNING": 60}}
