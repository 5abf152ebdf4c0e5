"""The templates that ship with the SDK, against the contract of runtime, clients and sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it has no types
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from upwell._core.limits import SQS_BATCH_BYTES
from upwell._core.settings import Settings
from upwell_infra.export import TEMPLATE_DIR

Find = Callable[[str, str], dict[str, dict[str, Any]]]
TEMPLATES = ["platform.json", "pool-lambda.json", "pool-worker.json"]
REGION = "eu-central-1"


@pytest.mark.parametrize("name", TEMPLATES)
def test_cfn_lint_finds_nothing(name: str) -> None:
    text = (TEMPLATE_DIR / name).read_text(encoding="utf-8")
    # W3005: CDK makes a function depend on its role, which it refers to as well.
    matches = lint(text, config=ManualArgs(regions=[REGION], ignore_checks=["W3005"]))
    assert [str(match) for match in matches] == []


@pytest.mark.parametrize("name", ["pool-lambda.json", "pool-worker.json"])
def test_a_pool_s_template_fits_into_a_request(name: str) -> None:
    # The client sends it as it is; CloudFormation takes 51,200 bytes without S3.
    assert (TEMPLATE_DIR / name).stat().st_size <= 51_200


def test_the_four_tables_are_on_demand_recoverable_and_forget(resources_of: Find) -> None:
    tables = {t["TableName"]: t for t in resources_of("platform.json", "AWS::DynamoDB::Table").values()}
    assert set(tables) == {f"upwell-dev-{name}" for name in ("actions", "journal", "runs", "cache")}
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert tables["upwell-dev-actions"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert [key["AttributeName"] for key in tables["upwell-dev-cache"]["KeySchema"]] == ["pk"]
    indexes = {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            index["Projection"]["ProjectionType"],
        )
        for index in tables["upwell-dev-runs"]["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        "by_time": (["listing", "created_at"], "ALL"),
        "by_status": (["status", "created_at"], "ALL"),
        "by_look": (["listing", "look_at"], "KEYS_ONLY"),
    }


def test_the_bucket_is_private_encrypted_and_expires_values_and_files_only(resources_of: Find) -> None:
    (bucket,) = resources_of("platform.json", "AWS::S3::Bucket").values()
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    expiring = {r["Prefix"] for r in bucket["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in r}
    assert expiring == {"values/", "data/"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_queues_are_encrypted_take_1_mib_and_give_up_after_ten_receives(name: str, resources_of: Find) -> None:
    queues = resources_of(name, "AWS::SQS::Queue")
    assert len(queues) == (3 if name == "platform.json" else 2)
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MaximumMessageSize"] == SQS_BATCH_BYTES
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    (redrive,) = [queue["RedrivePolicy"] for queue in queues.values() if "RedrivePolicy" in queue]
    assert redrive["maxReceiveCount"] == 10


def test_a_change_that_cannot_be_counted_holds_up_its_shard_for_hours_at_most(resources_of: Find) -> None:
    mappings = resources_of("platform.json", "AWS::Lambda::EventSourceMapping").values()
    readers = [mapping for mapping in mappings if "StartingPosition" in mapping]
    (lost,) = [
        logical_id
        for logical_id, queue in resources_of("platform.json", "AWS::SQS::Queue").items()
        if str(queue["QueueName"]).endswith("-lost-changes")
    ]
    assert len(readers) == 2
    for reader in readers:
        assert reader["MaximumRecordAgeInSeconds"] == 6 * 3600
        assert reader["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [lost, "Arn"]}}}
        assert reader["BisectBatchOnFunctionError"] is True


@pytest.mark.parametrize("name", TEMPLATES)
def test_buckets_and_queues_refuse_plain_http(name: str, resources_of: Find) -> None:
    policies = [
        policy
        for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")
        for policy in resources_of(name, kind).values()
    ]
    assert policies
    for policy in policies:
        (statement,) = policy["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_functions_have_the_handlers_of_the_runtime_and_the_settings(resources_of: Find) -> None:
    functions = resources_of("platform.json", "AWS::Lambda::Function").values()
    handlers = {f["FunctionName"]: f["Handler"] for f in functions}
    assert handlers == {
        f"upwell-dev-{name}": f"upwell_runtime.handlers.{module}.handler"
        for name, module in {
            "default-execute": "execute",
            "fold": "fold",
            "aggregate": "aggregate",
            "dead-letters": "dead_letters",
            "run-ended": "run_ended",
            "scale": "scale",
            "sweep": "sweep",
        }.items()
    }
    for function in functions:
        variables = function["Environment"]["Variables"]
        text = {name: value if isinstance(value, str) else "x" for name, value in variables.items()}
        assert Settings.from_env(text).prefix == "upwell-dev"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_log_group_forgets(name: str, resources_of: Find) -> None:
    groups = resources_of(name, "AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == 14 for group in groups.values())


def test_workers_are_public_but_closed_and_no_nat_gateway_bills(resources_of: Find) -> None:
    (group,) = resources_of("platform.json", "AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group
    for kind in ("NatGateway", "EIP", "FlowLog", "SecurityGroupIngress", "SecurityGroupEgress"):
        assert resources_of("platform.json", f"AWS::EC2::{kind}") == {}
    endpoints = resources_of("platform.json", "AWS::EC2::VPCEndpoint").values()
    assert {endpoint["VpcEndpointType"] for endpoint in endpoints} == {"Gateway"}
    assert len(endpoints) == 2


def test_a_worker_gets_its_settings_and_the_time_to_drain(resources_of: Find) -> None:
    (task,) = resources_of("pool-worker.json", "AWS::ECS::TaskDefinition").values()
    (container,) = task["ContainerDefinitions"]
    environment = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
    assert environment["UPWELL_POOL"] == {"Ref": "PoolName"}
    assert environment["UPWELL_CONCURRENCY"] == {"Ref": "Concurrency"}
    assert environment["UPWELL_RUNTIME_KEY"] == {"Ref": "CodeKey"}
    assert container["StopTimeout"] == 120
    compile(container["EntryPoint"][-1], "bootstrap", "exec")


def test_the_outputs_give_a_client_its_settings_and_a_pool_its_parameters(shipped: dict[str, Any]) -> None:
    outputs = shipped["platform.json"]["Outputs"]
    assert set(outputs) == {"Settings", "PoolParameters", "Version"}
    given = json.loads(_text(outputs["PoolParameters"]["Value"]))
    assert given["StageName"] == "dev"
    for pool in ("pool-lambda.json", "pool-worker.json"):
        needed = {name for name, p in shipped[pool]["Parameters"].items() if "Default" not in p}
        assert needed <= {*given, "PoolName"}
    assert Settings.from_env(json.loads(_text(outputs["Settings"]["Value"]))).prefix == "upwell-dev"


def _text(value: Any) -> str:
    """Return a joined value with a word for each reference."""
    parts = value["Fn::Join"][1] if isinstance(value, dict) else [value]
    return "".join(part if isinstance(part, str) else "ref" for part in parts)
