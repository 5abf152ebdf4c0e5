"""`upwell doctor` on this machine and, over moto, on AWS."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from upwell._aws.checkup import examine, examine_access
from upwell._aws.clients import Clients
from upwell._core.checkup import Finding
from upwell._core.settings import Settings
from upwell.testing.moto_aws import moto_platform

Cli = Any


def levels(found: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["check"]: finding["level"] for finding in found}


def test_a_healthy_machine_is_fine(cli: Cli) -> None:
    cli("run", "flow.py", "nothing")
    done = cli("doctor", "--json")
    assert done.code == 0
    assert set(levels(done.json).values()) == {"ok"}
    assert "1 runs" in next(f["found"] for f in done.json if f["check"] == "local state")
    assert "ok   python" in cli("doctor").out


def test_a_damaged_database_is_a_failure(cli: Cli, folder: Path) -> None:
    (folder / ".upwell").mkdir()
    (folder / ".upwell" / "state.db").write_bytes(b"this is no database" * 100)
    done = cli("doctor")
    assert done.code == 1
    assert "the database is damaged: file is not a database" in done.out
    assert "move the state folder away" in done.out


def test_a_run_without_a_process_is_named(cli: Cli, folder: Path) -> None:
    cli("run", "flow.py", "nothing", "--name", "lost")
    with closing(sqlite3.connect(folder / ".upwell" / "state.db")) as db:
        (text,) = db.execute("SELECT record FROM runs").fetchone()
        record = json.loads(text) | {"status": "RUNNING"}
        db.execute("UPDATE runs SET record = ?", (json.dumps(record),))
        db.commit()
    done = cli("doctor")
    assert done.code == 0
    assert "`upwell recover lost` goes on" in done.out


def test_no_region_and_no_profile_are_failures_with_a_remedy(cli: Cli) -> None:
    done = cli("doctor", "--backend", "aws", "--json")
    assert (done.code, levels(done.json)["region"]) == (1, "fail")
    done = cli("doctor", "--backend", "aws", "--profile", "nobody")
    assert done.code == 1
    assert "nobody" in done.out


def test_a_sandbox_that_does_not_run_is_fine(cli: Cli) -> None:
    assert levels(cli("doctor", "--backend", "sandbox", "--json").json)["sandbox"] == "ok"


@pytest.fixture(scope="module")
def platform() -> Iterator[tuple[Clients, Settings]]:
    with moto_platform() as (clients, settings):
        for queue in ("default-dead", "lost-changes"):
            clients.sqs.create_queue(QueueName=f"{settings.prefix}-{queue}")
        yield clients, settings


async def test_who_may_read_everything_reads_everything(platform: tuple[Clients, Settings]) -> None:
    found = await examine_access(*platform)
    assert {finding.level for finding in found} == {"ok"}, found
    assert len(found) == 8


async def test_a_deployment_is_looked_at_as_a_whole(platform: tuple[Clients, Settings]) -> None:
    clients, settings = platform
    outputs = {"Settings": json.dumps(settings.to_env()), "Version": "0.0.9"}
    with _stack(clients, "UPDATE_COMPLETE", outputs), _no_quotas(clients), Stubber(clients.lambda_) as limits:
        account = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
        limits.add_response("get_account_settings", {"AccountLimit": account})
        found = await examine(clients, settings.prefix, "0.1.0")
    by_check = {finding.check: finding for finding in found}
    assert by_check["deployment"].found == f"stack {settings.prefix}: UPDATE_COMPLETE"
    assert by_check["versions"].level == "warn"
    assert "account 123456789012" in by_check["credentials"].found
    assert by_check["lambda concurrency"].level == "warn"
    assert by_check["fargate quota"].level == "warn"
    assert "servicequotas:GetServiceQuota" in by_check["fargate quota"].found
    assert not [finding for finding in found if finding.level == "fail"]


async def test_without_a_deployment_the_rest_is_not_looked_at(platform: tuple[Clients, Settings]) -> None:
    clients, _ = platform
    with Stubber(clients.cloudformation) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "Stack with id upwell-x does not exist")
        last: Finding = (await examine(clients, "upwell-x", "0.1.0"))[-1]
    assert (last.check, last.level) == ("deployment", "fail")
    assert "cdk deploy" in last.todo


async def test_what_is_not_allowed_names_the_permission(platform: tuple[Clients, Settings]) -> None:
    clients, settings = platform
    with Stubber(clients.sqs) as stub:
        stub.add_client_error("get_queue_attributes", "AccessDenied")
        found = await examine_access(clients, settings)
    (queue,) = [finding for finding in found if finding.check == "queue"]
    assert (queue.level, queue.todo) == (
        "fail",
        "have sqs:GetQueueAttributes allowed, or use another AWS profile",
    )


def _stack(clients: Clients, status: str, outputs: dict[str, str]) -> Stubber:
    stub = Stubber(clients.cloudformation)
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stack = {"StackName": "upwell", "CreationTime": 0, "StackStatus": status, "Outputs": listed}
    stub.add_response("describe_stacks", {"Stacks": [stack]})
    return stub


def _no_quotas(clients: Clients) -> Stubber:
    stub = Stubber(clients.service_quotas)
    for operation in ("get_service_quota", "get_service_quota", "list_service_quotas"):
        stub.add_client_error(operation, "AccessDeniedException")
    return stub
