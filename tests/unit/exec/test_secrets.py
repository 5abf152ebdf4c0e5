"""Secrets reach the tasks that ask for them, and nobody else: not the records, not the next task."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

import upwell
from upwell._client.deploy import pool_parameters
from upwell._core import wire
from upwell._core.model import SecretSpec
from upwell.errors import SecretNotFoundError, UnsupportedError
from upwell.testing.flows import FlowResult, LocalFlows
from upwell.testing.moto_flows import MotoFlows

VALUE = "correct horse"
env = upwell.TaskEnvironment(
    "with-secrets",
    secrets=["api-key", upwell.Secret("password", group="db", as_env_var="DB_PASSWORD")],
)
plain = upwell.TaskEnvironment("without-secrets", depends_on=[env])


@env.task
async def look() -> list[str | None]:
    return [os.environ.get(name) for name in ("API_KEY", "DB_PASSWORD")]


@env.task
async def measure() -> list[int]:
    return [len(value or "") for value in await look.forward()]


@plain.task
async def main() -> list[list[int] | list[str | None]]:
    return [await measure(), [os.environ.get("DB_PASSWORD")]]


def records(result: FlowResult) -> str:
    return " ".join([wire.dump_run(result.run), *map(wire.dump_record, result.actions)])


def test_a_secret_is_named_by_its_group_and_key() -> None:
    assert look.batch_spec().secrets == (
        SecretSpec(name="api-key", env_var="API_KEY"),
        SecretSpec(name="db/password", env_var="DB_PASSWORD"),
    )


def test_local_secrets_are_variables_of_this_process(
    upwell_flows: LocalFlows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "key")
    monkeypatch.setenv("DB_PASSWORD", VALUE)
    assert upwell_flows.run(look).value == ["key", VALUE]


def test_a_local_secret_may_have_the_name_that_its_key_makes(
    upwell_flows: LocalFlows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "key")
    monkeypatch.setenv("DB_PASSWORD_OTHER", "no")
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    task = look.override(secrets=[upwell.Secret("api-key", as_env_var="DB_PASSWORD")])
    assert upwell_flows.run(task).value == ["key", "key"]
    assert "DB_PASSWORD" not in os.environ


def test_a_local_secret_that_is_nowhere_is_warned_of(
    upwell_flows: LocalFlows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("API_KEY", "key")
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    with caplog.at_level(logging.WARNING, "upwell.local"):
        assert upwell_flows.run(look).value == ["key", None]
    assert [record.__dict__["secret"] for record in caplog.records] == ["db/password"]


def test_secrets_come_from_secrets_manager_and_stay_with_their_task(
    upwell_aws_flows: MotoFlows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    manager = upwell_aws_flows.clients.secretsmanager
    error = upwell_aws_flows.run(look).error
    assert getattr(error, "code", "") == SecretNotFoundError.__name__
    assert "aws secretsmanager create-secret --name upwell-dev/" in str(error)
    manager.create_secret(Name="upwell-dev/api-key", SecretString="key")
    manager.create_secret(Name="upwell-dev/db/password", SecretBinary=VALUE.encode())
    result = upwell_aws_flows.run(main)
    assert result.unwrap() == [[len("key"), len(VALUE)], [None]]
    assert VALUE not in records(result)
    assert "db/password" in records(result)


def test_a_secret_as_a_file_is_refused_where_it_would_be_deployed(tmp_path: Path) -> None:
    mounted = upwell.TaskEnvironment("mounts-secrets", secrets=upwell.Secret("key", mount="/etc/flyte/secrets"))

    @mounted.task
    async def nothing() -> str:
        return "ran"

    upwell.init(state_dir=tmp_path)
    assert upwell.run(nothing).outputs() == ("ran",)
    with pytest.raises(UnsupportedError, match="use as_env_var="):
        pool_parameters(mounted)
