"""boto3 clients: made once, when they are first needed, and called from threads."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from upwell._aws.meter import Meter, meter_of
from upwell._aws.throttles import tell_of_throttles

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

T = TypeVar("T")

MAX_THREADS = 64
"""Calls in flight per process; each holds a thread and a connection while it lasts."""


class Clients:
    """The clients of one process. Endpoint, region and credentials are boto3's usual ones.

    Args:
        region: Region; boto3's default when None.
        profile: Profile of the AWS configuration; boto3's default when None.
        environment: `AWS_*` values to use in place of this process's own, as the sandbox gives them: region,
            credentials, endpoint.
        threads: Calls in flight at a time.
        meter: Counts their requests; None takes the one that this process's environment asks for, if any.
        throttled: Told of each request that AWS refuses because there are too many, from any thread.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        environment: Mapping[str, str] | None = None,
        threads: int = MAX_THREADS,
        meter: Meter | None = None,
        throttled: Callable[[], None] | None = None,
    ) -> None:
        self._size = threads
        self._region = region
        self._profile = profile
        self._environment = environment
        self._meter = meter or meter_of(os.environ)
        self._throttled = throttled
        self._lock = threading.RLock()
        self._made: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="upwell-aws")
        self._config = Config(
            retries={"mode": "standard", "max_attempts": 6},
            max_pool_connections=threads,
            tcp_keepalive=True,
            connect_timeout=5,
            read_timeout=30,  # a long poll of SQS takes 20 s
            user_agent_extra="upwell",
            # What is given stands for all of it: an endpoint of this process is not mixed in.
            ignore_configured_endpoint_urls=environment is not None,  # type: ignore[call-arg]  # the stubs lack it
        )

    def copy(self) -> Clients:
        """Return clients of the same configuration that are closed on their own."""
        return Clients(
            region=self._region,
            profile=self._profile,
            environment=self._environment,
            threads=self._size,
            meter=self._meter,
            throttled=self._throttled,
        )

    async def call(self, request: Callable[[], T]) -> T:
        """Make a blocking request in a thread.

        Args:
            request: Makes the call, for instance `lambda: clients.sqs.list_queues()`. A client that is
                named there for the first time is created in the thread, too.

        Raises:
            BotoCoreError, ClientError: as botocore raises them; `_aws.errors.clear_errors` makes them clear.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, request)

    def close(self) -> None:
        """Close connections and let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    @cached_property
    def _session(self) -> boto3.Session:
        if self._environment is None:
            # Lambda, ECS and people set AWS_REGION, which boto3 itself does not read.
            region = self._region or os.environ.get("AWS_REGION")
            return boto3.Session(region_name=region, profile_name=self._profile)
        return boto3.Session(
            region_name=self._environment["AWS_REGION"],
            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"],
        )

    def _client(self, service: str) -> Any:
        client = self._made.get(service)
        if client is not None:
            return client
        with self._lock:  # making clients from one session is not thread-safe, using them is
            if service not in self._made:
                made: Any = self._session
                endpoint = (self._environment or {}).get("AWS_ENDPOINT_URL") or None
                client = made.client(service, endpoint_url=endpoint, config=self._config)
                if self._meter is not None:
                    self._meter.watch(client)
                if self._throttled is not None:
                    tell_of_throttles(client, self._throttled)
                self._made[service] = client
            return self._made[service]

    def credentials(self) -> Credentials | None:
        """Return what requests are signed with, which renews itself; None when there are no credentials."""
        with self._lock:
            found: Credentials | None = self._session.get_credentials()
            return found

    @property
    def region(self) -> str:
        """Region of the clients; empty when none is configured."""
        with self._lock:
            return self._session.region_name or ""

    @property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @property
    def s3(self) -> S3Client:
        """S3."""
        client: S3Client = self._client("s3")
        return client

    @property
    def sqs(self) -> SQSClient:
        """SQS."""
        client: SQSClient = self._client("sqs")
        return client

    @property
    def stepfunctions(self) -> SFNClient:
        """Step Functions."""
        client: SFNClient = self._client("stepfunctions")
        return client

    @property
    def ecs(self) -> ECSClient:
        """ECS."""
        client: ECSClient = self._client("ecs")
        return client

    @property
    def events(self) -> Any:  # its stubs are not among the dependencies, for one request
        """EventBridge."""
        return self._client("events")

    @property
    def secretsmanager(self) -> Any:  # its stubs are not among the dependencies, for one request
        """Secrets Manager."""
        return self._client("secretsmanager")

    @property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        client: CloudFormationClient = self._client("cloudformation")
        return client

    @property
    def lambda_(self) -> LambdaClient:
        """Lambda."""
        client: LambdaClient = self._client("lambda")
        return client

    @property
    def sts(self) -> STSClient:
        """Security Token Service."""
        client: STSClient = self._client("sts")
        return client

    @property
    def service_quotas(self) -> Any:
        """Service Quotas."""
        return self._client("service-quotas")

    @property
    def logs(self) -> CloudWatchLogsClient:
        """CloudWatch Logs."""
        client: CloudWatchLogsClient = self._client("logs")
        return client
