"""Least privilege, read from the shipped templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

ANY_RESOURCE = {
    "ListStreams": "dynamodb:ListStreams knows no resource",
    "ListServices": "ecs:ListServices knows no resource; a condition holds it to the cluster",
    "LogDelivery": "the log deliveries of Step Functions know no resource",
    "Traces": "X-Ray knows no resource",
}
"""Statements on any resource, by id, and why."""
WAYS_TO_WIDEN = ("iam:", "sts:", "kms:", "lambda:", "cloudformation:")


@pytest.fixture(scope="session")
def statements(shipped: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role, with where it stands."""
    return [
        (f"{file}:{name}", statement)
        for file, template in shipped.items()
        for name, resource in template["Resources"].items()
        for statement in _statements(resource)
    ]


def test_no_statement_covers_any_resource_without_a_listed_reason(statements: list[Any]) -> None:
    unlisted = [
        where
        for where, statement in statements
        if "*" in _list(statement["Resource"]) and statement.get("Sid") not in ANY_RESOURCE
    ]
    assert unlisted == []


def test_every_listed_reason_is_needed(statements: list[Any]) -> None:
    used = {s.get("Sid") for _, s in statements if "*" in _list(s["Resource"])}
    assert used == set(ANY_RESOURCE)


def test_no_action_is_a_wildcard(statements: list[Any]) -> None:
    assert [where for where, s in statements if any("*" in action for action in _list(s["Action"]))] == []


def test_no_role_can_widen_its_own_rights(statements: list[Any]) -> None:
    widening = [
        (where, action)
        for where, statement in statements
        for action in _list(statement["Action"])
        if action.startswith(WAYS_TO_WIDEN)
    ]
    assert widening == []


def test_roles_have_no_managed_policies_and_no_policies_beside_them(shipped: dict[str, Any]) -> None:
    resources = [r for template in shipped.values() for r in template["Resources"].values()]
    assert not any(r["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"} for r in resources)
    roles = [r["Properties"] for r in resources if r["Type"] == "AWS::IAM::Role"]
    assert not any("ManagedPolicyArns" in role for role in roles)


def test_a_task_token_is_answered_on_our_state_machine_alone(statements: list[Any]) -> None:
    answering = [s for _, s in statements if "states:SendTaskSuccess" in _list(s["Action"])]
    assert answering
    assert {str(s["Resource"]) for s in answering if "upwell-dev" in str(s)} == {
        str({"Fn::Join": ["", _arn("states", "stateMachine:upwell-dev-run")]})
    }


def test_executors_receive_from_their_own_queue_and_send_to_any(statements: list[Any]) -> None:
    default = [s for where, s in statements if "DefaultPoolExecute" in where]
    (receive,) = [s for s in default if "sqs:ReceiveMessage" in _list(s["Action"])]
    (send,) = [s for s in default if "sqs:SendMessage" in _list(s["Action"])]
    assert receive["Resource"] == {"Fn::Join": ["", _arn("sqs", "upwell-dev-default")]}
    assert send["Resource"] == {"Fn::Join": ["", _arn("sqs", "upwell-dev-*")]}


def test_executors_read_and_write_the_blobs_of_runs_and_read_code(statements: list[Any]) -> None:
    default = [s for where, s in statements if "DefaultPoolExecute" in where]
    of_runs = {"values/*", "cached/*", "data/*", "versions/*"}
    assert _blobs(default, "s3:GetObject") == {*of_runs, "bundles/*"}
    assert _blobs(default, "s3:PutObject") == of_runs


def test_nothing_of_the_platform_but_executors_touches_blobs(statements: list[Any]) -> None:
    touching = {where for where, s in statements if any(a.startswith("s3:") for a in _list(s["Action"]))}
    of_platform = {where for where in touching if where.startswith("platform.json:")}
    assert len(of_platform) == 1
    assert "DefaultPoolExecute" in of_platform.pop()


def test_every_event_is_sent_as_upwells(statements: list[Any]) -> None:
    telling = [s for _, s in statements if "events:PutEvents" in _list(s["Action"])]
    assert telling
    assert all(s["Condition"] == {"StringEquals": {"events:source": "upwell"}} for s in telling)


@pytest.mark.parametrize(
    ("role", "table", "actions"),
    [
        # A dead letter may be of an action that succeeded: its end is repeated, the cache entry included.
        ("DeadLettersRole", "cache", {"dynamodb:BatchWriteItem"}),
        # An abort is saved like any other version of a run's record.
        ("RunEndedRole", "runs", {"dynamodb:GetItem", "dynamodb:PutItem"}),
        # The sweeper ends actions of any kind, lists the open ones, and plans its looks in the runs' records.
        ("PlatformSweepRole", "cache", {"dynamodb:BatchWriteItem"}),
        ("PlatformSweepRole", "actions", {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"}),
        ("PlatformSweepRole", "journal", {"dynamodb:BatchWriteItem", "dynamodb:Query"}),
        (
            "PlatformSweepRole",
            "runs",
            {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        ),
    ],
)
def test_what_ends_an_action_or_a_run_may_write_what_the_adapters_write(
    statements: list[Any], role: str, table: str, actions: set[str]
) -> None:
    arn = {"Fn::Join": ["", _arn("dynamodb", f"table/upwell-dev-{table}")]}
    own = [s for where, s in statements if role in where and arn in _list(s["Resource"])]
    assert {action for s in own for action in _list(s["Action"])} == actions


def test_the_scaler_touches_its_own_items_of_the_runs_table_only(statements: list[Any]) -> None:
    scale = [s for where, s in statements if "PlatformScaleRole" in where]
    (memory,) = [s for s in scale if "dynamodb:PutItem" in _list(s["Action"])]
    assert memory["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["pool#*"]}}


def test_the_role_that_starts_workers_can_only_write_their_log(statements: list[Any]) -> None:
    starting = [s for where, s in statements if "WorkerExecutionRole" in where]
    assert [s["Action"] for s in starting] == [["logs:CreateLogStream", "logs:PutLogEvents"]]


def _statements(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if resource["Type"] == "AWS::IAM::Role":
        for policy in resource["Properties"].get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def _blobs(statements: list[dict[str, Any]], action: str) -> set[str]:
    """Return the keys of the platform's bucket for which an action is allowed."""
    return {
        resource["Fn::Join"][1][-1].lstrip("/")
        for statement in statements
        if action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
    }


def _arn(service: str, resource: str) -> list[Any]:
    region, account = {"Ref": "AWS::Region"}, {"Ref": "AWS::AccountId"}
    return ["arn:", {"Ref": "AWS::Partition"}, f":{service}:", region, ":", account, f":{resource}"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
