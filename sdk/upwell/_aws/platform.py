"""Composes the AWS adapters for a client or an executor."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from upwell._aws.blobs import S3Blobs
from upwell._aws.clients import Clients
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.errors import DEPLOY, clear_errors, is_code
from upwell._aws.log_groups import LogGroups
from upwell._aws.orchestrator import StepFunctionsOrchestrator
from upwell._aws.queue import SqsQueue
from upwell._aws.s3_access import S3Access, access_of_clients
from upwell._aws.s3_transfer import S3Transfer
from upwell._aws.secret_values import SecretValues
from upwell._core.ports import Clock
from upwell._core.settings import Settings
from upwell._exec.environment import SystemClock
from upwell._types.io_context import local_transfers
from upwell._types.transfers.transfer import BlobTransfer
from upwell.errors import NotDeployedError

SETTINGS_OUTPUT, VERSION_OUTPUT = "Settings", "Version"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsPorts:
    """The adapters of one deployment."""

    clients: Clients
    store: DynamoStore
    blobs: S3Blobs
    queue: SqsQueue
    orchestrator: StepFunctionsOrchestrator
    transfers: Mapping[str, BlobTransfer]
    secrets: SecretValues
    logs: LogGroups
    clock: Clock

    def close(self) -> None:
        """Close connections."""
        self.clients.close()


def open_ports(
    settings: Settings,
    *,
    region: str | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    throttled: Callable[[], None] | None = None,
) -> AwsPorts:
    """Return the adapters of a deployment.

    Args:
        settings: Of the deployment.
        region: AWS region; None takes boto3's own choice.
        profile: AWS profile; None takes boto3's own choice.
        environment: `AWS_*` values to use in place of this process's own; the sandbox's.
        throttled: Told of requests that AWS refuses because there are too many.
    """
    clients = Clients(region=region, profile=profile, environment=environment, throttled=throttled)
    return ports_of(clients, settings)


def ports_of(clients: Clients, settings: Settings, access: Callable[[], S3Access] | None = None) -> AwsPorts:
    """Return the adapters over clients that exist already.

    Args:
        clients: Of the deployment.
        settings: Of the deployment.
        access: How files reach S3; by default as the clients do.
    """
    # Files are moved also after the ports are closed: a result of a run is downloaded when it is used.
    transfer_clients = clients.copy()
    s3 = S3Transfer(access or (lambda: access_of_clients(transfer_clients)))
    return AwsPorts(
        clients=clients,
        store=DynamoStore(clients, settings),
        blobs=S3Blobs(clients, settings),
        queue=SqsQueue(clients, settings),
        orchestrator=StepFunctionsOrchestrator(clients, settings),
        transfers={**local_transfers(), "s3": s3},
        secrets=SecretValues(clients, settings),
        logs=LogGroups(clients, settings),
        clock=SystemClock(),
    )


async def describe_settings(prefix: str, *, region: str | None, profile: str | None) -> Settings:
    """Return the settings that a deployed platform's stack gives out.

    Raises:
        NotDeployedError: there is no such stack, or it has no settings.
        UsageError: no credentials or no region.
    """
    clients = Clients(region=region, profile=profile)
    try:
        return (await describe_platform(clients, prefix)).settings
    finally:
        clients.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedPlatform:
    """What a platform's stack says.

    Attributes:
        settings: What a client must know.
        status: Of the stack, in CloudFormation's words.
        version: Of upwell, when it was deployed; None where it does not say.
    """

    settings: Settings
    status: str
    version: str | None


async def describe_platform(clients: Clients, prefix: str) -> DeployedPlatform:
    """Return what the stack of a platform says.

    Raises:
        NotDeployedError: there is no such stack, or it has no settings.
        UsageError: no credentials or no region.
    """
    try:
        with clear_errors(f"stack {prefix}"):
            answer = await clients.call(lambda: clients.cloudformation.describe_stacks(StackName=prefix))
    except Exception as e:
        if is_code(e, {"ValidationError"}):
            where = clients.region or "this region"
            raise NotDeployedError(f"no platform {prefix!r} in {where}; {DEPLOY}") from e
        raise
    stack = answer["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
    if SETTINGS_OUTPUT not in outputs:
        raise NotDeployedError(
            f"stack {prefix!r} is not an upwell platform: it has no output {SETTINGS_OUTPUT}"
        )
    return DeployedPlatform(
        settings=Settings.from_env(json.loads(outputs[SETTINGS_OUTPUT])),
        status=stack["StackStatus"],
        version=outputs.get(VERSION_OUTPUT),
    )
