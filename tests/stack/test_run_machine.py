"""The state machine of the shipped template, really executed: what a run's record says at each end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

REGION = "eu-central-1"
RUNS = "upwell-dev-runs"
RUN_ID = "r1"
WAIT_S = 10
STEP_S = 0.02


class Aws:
    """The parts of the platform that a run's execution touches."""

    def __init__(self, definition: str, table: dict[str, Any]) -> None:
        self.states = boto3.client("stepfunctions", REGION)
        self.sqs = boto3.client("sqs", REGION)
        self.dynamodb = boto3.client("dynamodb", REGION)
        self.dynamodb.create_table(**table)
        self.queue_url = self.sqs.create_queue(QueueName="upwell-dev-default")["QueueUrl"]
        role = "arn:aws:iam::123456789012:role/run"
        machine = self.states.create_state_machine(name="upwell-dev-run", definition=definition, roleArn=role)
        self.machine_arn = machine["stateMachineArn"]

    def start(self, timeout_s: int = 60, queue_url: str | None = None) -> str:
        """Start the execution of a run, as the SDK does."""
        run = {"pk": RUN_ID, "sk": "run", "status": "RUNNING", "listing": "run", "created_at": "2026-01-01"}
        document = {
            "run_id": RUN_ID,
            "run": {name: {"S": value} for name, value in run.items()},
            "queue_url": queue_url or self.queue_url,
            "action": {"action_id": "a0", "inputs": '{"x": "ü"}'},
            "timeout_s": timeout_s,
        }
        answer = self.states.start_execution(
            stateMachineArn=self.machine_arn, name=RUN_ID, input=json.dumps(document)
        )
        arn: str = answer["executionArn"]
        return arn

    def message(self) -> dict[str, Any]:
        """Receive the message of the root action."""
        (message,) = self.sqs.receive_message(
            QueueUrl=self.queue_url, WaitTimeSeconds=WAIT_S, MessageSystemAttributeNames=["MessageGroupId"]
        )["Messages"]
        return dict(message)

    def end(self, execution: str) -> dict[str, Any]:
        """Wait until an execution has ended."""
        ended: dict[str, Any] = eventually(
            lambda: self.states.describe_execution(executionArn=execution),
            lambda found: found["status"] != "RUNNING",
        )
        return ended

    def record(self) -> dict[str, str]:
        """Return the run's record."""
        key = {"pk": {"S": RUN_ID}, "sk": {"S": "run"}}
        item = self.dynamodb.get_item(TableName=RUNS, Key=key, ConsistentRead=True)["Item"]
        return {name: value["S"] for name, value in item.items()}


@pytest.fixture
def aws(resources_of: Callable[[str, str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    (machine,) = resources_of("platform.json", "AWS::StepFunctions::StateMachine").values()
    tables = resources_of("platform.json", "AWS::DynamoDB::Table").values()
    (table,) = [table for table in tables if table["TableName"] == RUNS]
    names = ("TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield Aws(resolved(machine["DefinitionString"]), {name: table[name] for name in names})


def test_a_run_is_recorded_and_its_root_action_sent_with_a_token(aws: Aws) -> None:
    execution = aws.start()
    message = aws.message()
    body = json.loads(message["Body"])
    assert body["v"] == 1
    assert body["action"] == {"action_id": "a0", "inputs": '{"x": "ü"}'}
    assert body["task_token"]
    assert message["Attributes"]["MessageGroupId"] == RUN_ID
    assert aws.record()["status"] == "RUNNING"
    aws.states.stop_execution(executionArn=execution)


def test_success_of_the_root_action_is_the_run_s(aws: Aws) -> None:
    execution = aws.start()
    token = json.loads(aws.message()["Body"])["task_token"]
    output = {"status": "SUCCEEDED", "outcome": '{"value": 42}'}
    aws.states.send_task_success(taskToken=token, output=json.dumps(output))
    ended = aws.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == output
    record = aws.record()
    assert (record["status"], record["outcome"]) == ("SUCCEEDED", '{"value": 42}')
    assert record["ended_at"] > record["created_at"]
    assert record["listing"] == "run"


def test_failure_of_the_root_action_is_the_run_s(aws: Aws) -> None:
    execution = aws.start()
    token = json.loads(aws.message()["Body"])["task_token"]
    cause = json.dumps({"error": {"message": "braces {} and a\nnew line", "quote": "'\\"}})
    # Past moto's API, which drops the cause.
    stepfunctions_parser_backends["123456789012"][REGION].send_task_failure(token, "ValueError", cause)
    ended = aws.end(execution)
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "ValueError", cause)
    record = aws.record()
    assert (record["status"], record["error_code"]) == ("FAILED", "ValueError")
    assert record["outcome"] == cause
    assert "ended_at" in record


def test_a_failure_without_a_cause_is_recorded_too(aws: Aws) -> None:
    execution = aws.start()
    token = json.loads(aws.message()["Body"])["task_token"]
    aws.states.send_task_failure(taskToken=token, error="Lost")
    assert aws.end(execution)["status"] == "FAILED"
    assert (aws.record()["status"], aws.record()["error_code"]) == ("FAILED", "Lost")


def test_a_run_that_takes_too_long_is_timed_out(aws: Aws) -> None:
    execution = aws.start(timeout_s=1)
    ended = aws.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "DeadlineExceededError")
    assert (aws.record()["status"], aws.record()["error_code"]) == ("TIMED_OUT", "DeadlineExceededError")


def test_a_root_action_that_cannot_be_sent_fails_the_run(aws: Aws) -> None:
    execution = aws.start(queue_url=aws.queue_url + "-of-no-pool")
    assert aws.end(execution)["status"] == "FAILED"
    assert aws.record()["status"] == "FAILED"


def test_a_root_action_that_ends_after_the_abort_changes_nothing(aws: Aws) -> None:
    execution = aws.start()
    token = json.loads(aws.message()["Body"])["task_token"]
    aws.states.stop_execution(executionArn=execution, error="Aborted", cause="not needed any more")
    aws.states.send_task_success(taskToken=token, output='{"status": "SUCCEEDED", "outcome": "{}"}')
    assert aws.end(execution)["status"] == "ABORTED"
    assert aws.record()["status"] == "RUNNING"  # the function behind the rule records the abort


def test_an_execution_that_was_stopped_is_reported_to_the_function_that_records_it(
    aws: Aws, resources_of: Callable[[str, str], dict[str, Any]]
) -> None:
    rules = resources_of("platform.json", "AWS::Events::Rule").values()
    (pattern,) = [rule["EventPattern"] for rule in rules if rule["Name"] == "upwell-dev-run-ended"]
    assert pattern["source"] == ["aws.states"]
    assert "ABORTED" in pattern["detail"]["status"]
    assert resolved(pattern["detail"]["stateMachineArn"][0]) == aws.machine_arn


def eventually(look: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    """Return what `look` finds as soon as it is right."""
    never = threading.Event()
    for _ in range(int(WAIT_S / STEP_S)):
        found = look()
        if right(found):
            return found
        never.wait(STEP_S)
    raise AssertionError(f"still {found}")


def resolved(value: Any) -> str:
    """Return a joined string of a template with the pseudo parameters of the mock."""
    known = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": "123456789012"}
    parts = value["Fn::Join"][1] if isinstance(value, dict) else [value]
    return "".join(part if isinstance(part, str) else known[part["Ref"]] for part in parts)
