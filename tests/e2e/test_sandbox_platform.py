"""The platform's triggers in a running sandbox: queues, dead letters, the stream, ended runs, pools.

The deployed templates are the package's, except that the handlers are probes that write down what they get.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from upwell_runtime.sandbox import commands
from upwell_runtime.sandbox.stacks import load_template
from upwell_runtime.sandbox.state import SandboxError, SandboxState, StateDir

pytestmark = pytest.mark.e2e

PROBES = """
import json, os
import boto3

s3 = boto3.client("s3")

def note(kind, name, event):
    s3.put_object(Bucket=os.environ["UPWELL_BUCKET"], Key=f"{kind}/{name}", Body=json.dumps(event))

def execute(event, context):
    (record,) = event["Records"]
    task = json.loads(record["body"])
    attempt = record["attributes"]["ApproximateReceiveCount"]
    note("execute", task["name"] + "/" + attempt, event)
    if task["do"] == "raise":
        raise RuntimeError("asked to")
    if task["do"] == "die":
        os._exit(1)
    failed = [{"itemIdentifier": record["messageId"]}] if task["do"] == "report" else []
    return {"batchItemFailures": failed}

def dead_letters(event, context):
    for record in event["Records"]:
        note("dead", json.loads(record["body"])["name"], event)
    return {"batchItemFailures": []}

def fold(event, context):
    for record in event["Records"]:
        change = record["dynamodb"]
        name = change["Keys"]["pk"]["S"]
        if "fail_once" in change["NewImage"] and not os.path.exists(os.environ["TMPDIR"] + "/" + name):
            open(os.environ["TMPDIR"] + "/" + name, "w").close()
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        note("fold", name + "/" + change["SequenceNumber"], record)
    return {"batchItemFailures": []}

def aggregate(event, context):
    return {"batchItemFailures": []}

def run_ended(event, context):
    note("run-ended", event["detail"]["name"], event)

def scale(event, context):
    note("scale", "event", event)
"""
HANDLERS = ("execute", "aggregate", "dead_letters", "fold", "run_ended", "scale")
Find = Callable[[str], dict[str, Any]]


def probing_templates(folder: Path) -> Path:
    folder.mkdir()
    for name in ("platform", "pool-lambda", "pool-worker"):
        text = json.dumps(load_template(name))
        for handler in HANDLERS:
            text = text.replace(f"upwell_runtime.handlers.{handler}.handler", f"probes.{handler}")
        template = json.loads(text)
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::SQS::Queue":
                resource["Properties"]["VisibilityTimeout"] = 1
                if "RedrivePolicy" in resource["Properties"]:
                    resource["Properties"]["RedrivePolicy"]["maxReceiveCount"] = 2
        (folder / f"{name}.json").write_text(json.dumps(template))
    return folder


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxState]:
    root = tmp_path_factory.mktemp("sandbox")
    (root / "code").mkdir()
    (root / "code" / "probes.py").write_text(PROBES)
    templates = probing_templates(root / "templates")
    state_dir = StateDir(root / "state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([*sys.path, str(root / "code")]))
        state, _ = commands.start(state_dir, ["--dir", str(state_dir.root), "--templates", str(templates)])
    yield state
    commands.stop(state_dir)


def client(sandbox: SandboxState, service: str) -> Any:
    environment = sandbox.environment
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service
        endpoint_url=sandbox.endpoint,
        region_name=sandbox.region,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def notes(sandbox: SandboxState) -> Find:
    """Wait for what a probe wrote down and return it."""
    s3, bucket = client(sandbox, "s3"), sandbox.settings["UPWELL_BUCKET"]

    def find(key: str) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while True:
            try:
                return dict(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
            except s3.exceptions.NoSuchKey:
                assert time.monotonic() < deadline, f"no {key}; see {sandbox.log}"
                time.sleep(0.02)

    return find


def send(sandbox: SandboxState, do: str, pool: str = "default") -> str:
    name = uuid.uuid4().hex
    url = sandbox.settings["UPWELL_QUEUE_URL_PREFIX"] + pool
    body = json.dumps({"name": name, "do": do})
    client(sandbox, "sqs").send_message(QueueUrl=url, MessageBody=body, MessageGroupId="run")
    return name


def wait_empty(sandbox: SandboxState, pool: str = "default") -> None:
    url = sandbox.settings["UPWELL_QUEUE_URL_PREFIX"] + pool
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + 20
    while True:
        found = client(sandbox, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        if not any(map(int, found["Attributes"].values())):
            return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_message_is_executed_once_and_deleted(sandbox: SandboxState, notes: Find) -> None:
    event = notes(f"execute/{send(sandbox, 'succeed')}/1")
    (record,) = event["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":upwell-dev-default")
    assert record["attributes"]["MessageGroupId"] == "run"
    assert int(record["attributes"]["SentTimestamp"]) > 0
    wait_empty(sandbox)


@pytest.mark.parametrize("way", ["raise", "die", "report"])
def test_a_message_that_keeps_failing_reaches_the_dead_letters_function(
    sandbox: SandboxState, notes: Find, way: str
) -> None:
    name = send(sandbox, way)
    notes(f"execute/{name}/1")
    notes(f"execute/{name}/2")
    (record,) = notes(f"dead/{name}")["Records"]
    assert record["eventSourceARN"].endswith(":upwell-dev-default-dead")
    wait_empty(sandbox)


def test_a_change_of_the_actions_table_reaches_the_fold_function(sandbox: SandboxState, notes: Find) -> None:
    dynamodb, table = client(sandbox, "dynamodb"), "upwell-dev-actions"
    name = uuid.uuid4().hex
    dynamodb.put_item(TableName=table, Item={"pk": {"S": name}, "sk": {"S": "a0"}, "bytes": {"B": b"\x00"}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": name}, "sk": {"S": "a0"}, "fail_once": {"BOOL": True}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": name}, "sk": {"S": "a0"}, "last": {"BOOL": True}})
    s3, deadline = client(sandbox, "s3"), time.monotonic() + 20
    while True:
        listed = s3.list_objects_v2(Bucket=sandbox.settings["UPWELL_BUCKET"], Prefix=f"fold/{name}/")
        if listed["KeyCount"] == 3:
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    in_order = sorted(listed["Contents"], key=lambda item: item["Key"])
    first, second, last = (notes(item["Key"]) for item in in_order)
    assert first["eventName"] == "INSERT"
    assert first["dynamodb"]["NewImage"]["bytes"] == {"B": "AA=="}
    assert isinstance(first["dynamodb"]["ApproximateCreationDateTime"], float | int)
    assert second["eventName"] == "MODIFY"
    assert second["dynamodb"]["OldImage"]["bytes"] == {"B": "AA=="}
    assert "last" in last["dynamodb"]["NewImage"]


def test_an_aborted_execution_reaches_the_run_ended_function(sandbox: SandboxState, notes: Find) -> None:
    machine, name = client(sandbox, "stepfunctions"), uuid.uuid4().hex
    run = {"pk": {"S": name}, "sk": {"S": "run"}, "listing": {"S": "run"}, "created_at": {"S": "2026"}}
    started = machine.start_execution(
        stateMachineArn=sandbox.settings["UPWELL_STATE_MACHINE_ARN"],
        name=name,
        input=json.dumps(
            {
                "run_id": name,
                "run": run,
                "queue_url": sandbox.settings["UPWELL_QUEUE_URL_PREFIX"] + "nowhere",
                "action": {},
                "timeout_s": 60,
            }
        ),
    )
    machine.stop_execution(executionArn=started["executionArn"], error="Aborted")
    event = notes(f"run-ended/{name}")
    assert event["source"] == "aws.states"
    assert event["detail"]["executionArn"] == started["executionArn"]
    assert event["detail"]["status"] in ("ABORTED", "FAILED")


def test_an_invocation_through_the_api_reaches_the_same_processes(sandbox: SandboxState, notes: Find) -> None:
    name = uuid.uuid4().hex
    answer = client(sandbox, "lambda").invoke(
        FunctionName="upwell-dev-run-ended", Payload=json.dumps({"detail": {"name": name}})
    )
    assert answer["StatusCode"] == 200
    assert notes(f"run-ended/{name}") == {"detail": {"name": name}}


def test_what_the_emulator_drops_is_set_from_the_template(sandbox: SandboxState) -> None:
    sqs, url = client(sandbox, "sqs"), sandbox.settings["UPWELL_QUEUE_URL_PREFIX"] + "default"
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(":upwell-dev-default-dead")
    assert attributes["MaximumMessageSize"] == "1048576"
    described = client(sandbox, "dynamodb").describe_time_to_live(TableName="upwell-dev-cache")
    assert described["TimeToLiveDescription"]["AttributeName"] == "expires_at"
    bucket = sandbox.settings["UPWELL_BUCKET"]
    rules = client(sandbox, "s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule["Filter"]["Prefix"] for rule in rules} >= {"values/", "data/"}
    mappings = client(sandbox, "lambda").list_event_source_mappings()["EventSourceMappings"]
    assert {mapping["State"] for mapping in mappings} == {"Disabled"}


def pool(sandbox: SandboxState, name: str, kind: str, **parameters: int) -> dict[str, Any]:
    body = {"name": name, "kind": kind, "parameters": parameters}
    return dict(commands.ask(sandbox, "POST", "/pools", body))


def test_a_lambda_pool_is_created_once_and_anew_when_it_changes(sandbox: SandboxState, notes: Find) -> None:
    assert pool(sandbox, "small", "lambda", MemoryMiB=512)["created"]
    assert not pool(sandbox, "small", "lambda", MemoryMiB=512)["created"]
    notes(f"execute/{send(sandbox, 'succeed', pool='small')}/1")
    assert pool(sandbox, "small", "lambda", MemoryMiB=1024)["created"]
    notes(f"execute/{send(sandbox, 'succeed', pool='small')}/1")
    state = StateDir(Path(sandbox.log).parent.parent).read()
    assert state is not None
    assert state.pools["small"] == {"kind": "lambda", "parameters": {"MemoryMiB": "1024"}}


def test_a_pool_that_failed_can_be_tried_again(sandbox: SandboxState, notes: Find) -> None:
    file = Path(sandbox.log).parents[2] / "templates" / "pool-lambda.json"
    right = file.read_text()
    file.write_text(right.replace("AWS::SQS::QueuePolicy", "AWS::SQS::Quantum"))
    with pytest.raises(SandboxError, match="Quantum"):
        pool(sandbox, "again", "lambda")
    file.write_text(right)
    assert pool(sandbox, "again", "lambda")["created"]
    notes(f"execute/{send(sandbox, 'succeed', pool='again')}/1")


def test_a_worker_pool_has_its_service_and_wakes_the_schedule(sandbox: SandboxState, notes: Find) -> None:
    assert pool(sandbox, "gpu", "worker", ReplicasMax=3, Concurrency=4)["created"]
    described = client(sandbox, "ecs").describe_services(
        cluster="upwell-dev", services=["upwell-dev-gpu"], include=["TAGS"]
    )
    tags = {tag["key"]: tag["value"] for tag in described["services"][0]["tags"]}
    assert (tags["upwell:replicas-max"], tags["upwell:concurrency"]) == ("3", "4")
    assert notes("scale/event")["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "Big Pool", "kind": "lambda"}, "name"),
        ({"name": "big", "kind": "quantum"}, "kind"),
        ({"name": "big", "kind": "lambda", "parameters": {"Colour": 1}}, "Colour"),
        ({"name": "default", "kind": "lambda"}, "belongs to the platform"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_with_the_reason(
    sandbox: SandboxState, body: dict[str, Any], said: str
) -> None:
    with pytest.raises(SandboxError, match=said):
        commands.ask(sandbox, "POST", "/pools", body)


def test_the_control_endpoint_needs_the_token(sandbox: SandboxState) -> None:
    reply = subprocess.run(
        [sys.executable, "-c", f"import urllib.request as u; u.urlopen({sandbox.control_url + '/status'!r})"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "401" in reply.stderr
