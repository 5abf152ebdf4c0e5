"""The platform's resources in moto, made from the template that is deployed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.responses import EmptyResult
from moto.stepfunctions.responses import StepFunctionResponse

from upwell._aws.clients import Clients
from upwell._core.keys import DEFAULT_POOL
from upwell._core.settings import Settings

ACCOUNT, REGION = "123456789012", "us-east-1"
ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_ENDPOINT_URL": "",
}
TUNING = {
    "UPWELL_POLL_MAX_S": "0.2",
    "UPWELL_MAX_IN_FLIGHT": "100",  # the time that moto takes for a message grows with the depth of its queue
}
"""Settings that differ from the deployed ones."""
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
_TABLE_KEYS = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "StreamSpecification",
)


def platform_template() -> dict[str, Any]:
    """Return the platform's template."""
    text = files("upwell._aws.templates").joinpath("platform.json").read_text()
    template: dict[str, Any] = json.loads(text)
    return template


def resolved(value: Any, parameters: Mapping[str, str] | None = None) -> Any:
    """Return a template value with joins and pseudo parameters filled in; other references become names."""
    known = {**_PSEUDO, **(parameters or {})}
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(resolved(part, parameters)) for part in parts)
        case {"Ref": str(name)}:
            return known.get(name, name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}.{attribute}"
        case dict():
            return {key: resolved(item, parameters) for key, item in value.items()}
        case list():
            return [resolved(item, parameters) for item in value]
    return value


@contextmanager
def moto_platform() -> Iterator[tuple[Clients, Settings]]:
    """Run the block in moto, with tables, bucket, default queue and an executing state machine."""
    config: Any = {"stepfunctions": {"execute_state_machine": True}}
    with _causes_kept(), _tables_one_at_a_time(), mock_aws(config=config):
        # One thread: moto's conditional writes are not atomic between threads.
        clients = Clients(region=REGION, environment=ENVIRONMENT, threads=1)
        try:
            yield clients, _provision(clients)
        finally:
            clients.close()


@contextmanager
def _causes_kept() -> Iterator[None]:
    """Mend moto for the block: its own SendTaskFailure drops the cause."""
    responses: Any = StepFunctionResponse
    own = responses.send_task_failure

    def send_task_failure(response: StepFunctionResponse) -> EmptyResult:
        names = {"task_token": "taskToken", "error": "error", "cause": "cause"}
        given = {name: response._get_param(parameter) for name, parameter in names.items()}
        backend: Any = response.stepfunction_backend
        backend.send_task_failure(**given)
        return EmptyResult()

    responses.send_task_failure = send_task_failure
    try:
        yield
    finally:
        responses.send_task_failure = own


@contextmanager
def _tables_one_at_a_time() -> Iterator[None]:
    """Mend moto for the block: its state machines write tables in threads of their own, without a lock."""
    own, lock = BotocoreStubber.process_request, threading.RLock()

    def process_request(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
        if not urlsplit(request.url).netloc.startswith("dynamodb."):
            return own(stubber, request)
        with lock:
            return own(stubber, request)

    with patch.object(BotocoreStubber, "process_request", process_request):
        yield


def create_pool(clients: Clients, settings: Settings, pool: str) -> None:
    """Create the queue of a pool; nothing happens when it is there."""
    clients.sqs.create_queue(QueueName=f"{settings.prefix}-{pool}")


def _provision(clients: Clients) -> Settings:
    template = platform_template()
    output = json.loads(resolved(template["Outputs"]["Settings"]["Value"]))
    settings = Settings.from_env({**output, **TUNING})
    for resource in template["Resources"].values():
        properties = resolved(resource.get("Properties", {}))
        if resource["Type"] == "AWS::DynamoDB::Table":
            table = {key: properties[key] for key in _TABLE_KEYS if key in properties}
            if "StreamSpecification" in table:
                table["StreamSpecification"]["StreamEnabled"] = True
            clients.dynamodb.create_table(**table)
        elif resource["Type"] == "AWS::StepFunctions::StateMachine":
            clients.stepfunctions.create_state_machine(
                name=properties["StateMachineName"],
                definition=properties["DefinitionString"],
                roleArn=f"arn:aws:iam::{ACCOUNT}:role/run",
            )
    clients.s3.create_bucket(Bucket=settings.bucket)
    create_pool(clients, settings, DEFAULT_POOL)
    return settings
