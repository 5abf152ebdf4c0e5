"""The shipped templates, deployed to the emulated AWS with plain CloudFormation calls."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from upwell._core.settings import Settings

pytestmark = pytest.mark.e2e
REGION = "eu-central-1"
ACCOUNT = "210987654321"
WAIT_S = 20
STEP_S = 0.05
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Start the emulator on a free port, and return what makes clients for an account of our own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("ministack")
    command = str(program) if program.exists() else shutil.which("ministack")
    assert command, "ministack is not installed; install upwell[sandbox]"
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    log = tmp_path_factory.mktemp("ministack") / "log"

    def make(service: str) -> Any:
        session: Any = boto3  # its stubs know names of services as literals only
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    with log.open("wb") as output:
        process = subprocess.Popen([command], env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            eventually(lambda: answers(make("sts")), lambda up: up or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield make
        finally:
            process.terminate()
            process.wait(WAIT_S)


@pytest.fixture(scope="module")
def platform(client: Client) -> dict[str, str]:
    """Deploy the platform and return its outputs."""
    return deploy(client, "upwell-dev", "platform", {"CodeBucket": "code", "CodeKey": "runtime.zip"})


def test_the_platform_tells_a_client_its_settings(client: Client, platform: dict[str, str]) -> None:
    settings = Settings.from_env(json.loads(platform["Settings"]))
    assert settings.prefix == "upwell-dev"
    tables = client("dynamodb").list_tables()["TableNames"]
    assert {settings.actions_table, settings.journal_table, settings.runs_table} <= set(tables)
    client("s3").head_bucket(Bucket=settings.bucket)
    client("sqs").send_message(QueueUrl=settings.queue_url("default"), MessageBody="{}")
    machine = client("stepfunctions").describe_state_machine(stateMachineArn=settings.state_machine_arn)
    assert machine["status"] == "ACTIVE"


def test_a_lambda_pool_joins_with_the_parameters_that_the_platform_gives(
    client: Client, platform: dict[str, str]
) -> None:
    deploy_pool(client, platform, "pool-lambda", {"PoolName": "short", "TimeoutS": "60", "VisibilityS": "360"})
    function = client("lambda").get_function_configuration(FunctionName="upwell-dev-short-execute")
    assert function["Timeout"] == 60
    assert Settings.from_env(function["Environment"]["Variables"]).pool == "short"
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    fed = {mapping["EventSourceArn"].rpartition(":")[2]: mapping for mapping in mappings}
    assert fed["upwell-dev-short"]["BatchSize"] == 1
    assert fed["upwell-dev-short"]["FunctionArn"].endswith(":upwell-dev-short-execute")
    assert fed["upwell-dev-short-dead"]["FunctionArn"].endswith(":upwell-dev-dead-letters")


def test_a_worker_pool_joins_as_a_service_with_what_the_scaler_reads(
    client: Client, platform: dict[str, str]
) -> None:
    deploy_pool(client, platform, "pool-worker", {"PoolName": "warm", "ReplicasMax": "3", "Concurrency": "4"})
    ecs = client("ecs")
    (service,) = ecs.describe_services(cluster="upwell-dev", services=["upwell-dev-warm"], include=["TAGS"])[
        "services"
    ]
    tags = {tag["key"]: tag["value"] for tag in service["tags"]}
    assert (tags["upwell:replicas-min"], tags["upwell:replicas-max"]) == ("0", "3")
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    settings = Settings.from_env({v["name"]: v["value"] for v in container["environment"]})
    assert (settings.pool, settings.concurrency) == ("warm", 4)


def test_a_worker_s_container_fetches_the_runtime_and_becomes_the_worker(
    client: Client, platform: dict[str, str], tmp_path: Path
) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION})
    with zipfile.ZipFile(tmp_path / "runtime.zip", "w") as archive:
        archive.writestr("upwell_runtime/__init__.py", "")
        archive.writestr("upwell_runtime/worker.py", "import os; print('worker', os.getpid())")
    s3.upload_file(str(tmp_path / "runtime.zip"), "code", "runtime.zip")
    resources = json.loads(body_of("pool-worker"))["Resources"].values()
    (task,) = [r["Properties"] for r in resources if r["Type"] == "AWS::ECS::TaskDefinition"]
    *_, script = task["ContainerDefinitions"][0]["EntryPoint"]
    environment = os.environ | {
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "UPWELL_RUNTIME_BUCKET": "code",
        "UPWELL_RUNTIME_KEY": "runtime.zip",
        "TMPDIR": str(tmp_path),
    }
    container = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    output, _ = container.communicate(timeout=WAIT_S)
    assert output.split() == ["worker", str(container.pid)]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (("success", {"output": '{"status": "SUCCEEDED", "outcome": "{}"}'}), "SUCCEEDED"),
        (("failure", {"error": "ValueError", "cause": "{}"}), "FAILED"),
    ],
)
def test_a_run_s_execution_ends_as_its_root_action_does(
    client: Client, platform: dict[str, str], answer: tuple[str, dict[str, str]], status: str
) -> None:
    settings = Settings.from_env(json.loads(platform["Settings"]))
    states, sqs = client("stepfunctions"), client("sqs")
    queue = sqs.create_queue(QueueName=f"of-{status.lower()}")["QueueUrl"]
    run_id = f"run-{status.lower()}"
    document = {
        "run_id": run_id,
        "run": {"pk": {"S": run_id}, "sk": {"S": "run"}, "status": {"S": "RUNNING"}},
        "queue_url": queue,
        "action": {"action_id": "a0"},
        "timeout_s": 60,
    }
    execution = states.start_execution(
        stateMachineArn=settings.state_machine_arn, name=run_id, input=json.dumps(document)
    )["executionArn"]
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=WAIT_S)["Messages"]
    body = json.loads(message["Body"])
    assert body["action"] == {"action_id": "a0"}
    way, arguments = answer
    getattr(states, f"send_task_{way}")(taskToken=body["task_token"], **arguments)
    ended = eventually(
        lambda: states.describe_execution(executionArn=execution), lambda found: found["status"] != "RUNNING"
    )
    assert ended["status"] == status
    key = {"pk": {"S": run_id}, "sk": {"S": "run"}}
    record = client("dynamodb").get_item(TableName=settings.runs_table, Key=key)["Item"]
    assert (record["status"]["S"], record["outcome"]["S"]) == (status, "{}")


def deploy_pool(client: Client, platform: dict[str, str], template: str, parameters: dict[str, str]) -> None:
    """Deploy a pool, filling in those of the platform's values that its template asks for."""
    declared = json.loads(body_of(template))["Parameters"]
    shared = {k: v for k, v in json.loads(platform["PoolParameters"]).items() if k in declared}
    deploy(client, f"upwell-dev-pool-{parameters['PoolName']}", template, shared | parameters)


def deploy(client: Client, stack: str, template: str, parameters: dict[str, str]) -> dict[str, str]:
    """Create a stack from a shipped template and return its outputs."""
    api = client("cloudformation")
    api.create_stack(
        StackName=stack,
        TemplateBody=body_of(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    made = eventually(
        lambda: api.describe_stacks(StackName=stack)["Stacks"][0],
        lambda found: not found["StackStatus"].endswith("IN_PROGRESS"),
    )
    assert made["StackStatus"] == "CREATE_COMPLETE", api.describe_stack_events(StackName=stack)
    return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}


def body_of(template: str) -> str:
    """Return the text of a shipped template."""
    return (files("upwell") / "_aws" / "templates" / f"{template}.json").read_text(encoding="utf-8")


def answers(sts: Any) -> bool:
    """Whether the emulator can be reached."""
    try:
        sts.get_caller_identity()
    except (BotoCoreError, ClientError):
        return False
    return True


def eventually(look: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    """Return what `look` finds as soon as it is right."""
    never = threading.Event()
    end = time.monotonic() + WAIT_S
    while not right(found := look()):
        assert time.monotonic() < end, f"still {found}"
        never.wait(STEP_S)
    return found
