"""boto3 against the emulated AWS, awaitable: calls run in threads and share one client per service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

import boto3
from botocore.config import Config

from upwell._aws.meter import meter_of

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 64
"""Calls under way at once; every poller's long poll is one."""
SECRET = "sandbox"  # the emulator checks no signatures


def aws_environment(endpoint: str, region: str, account: str) -> dict[str, str]:
    """Return the variables with which any AWS SDK talks to the emulator. A 12-digit key is the account."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Aws:
    """Clients of the emulated AWS, and threads to call them in."""

    def __init__(self, *, endpoint: str, region: str, account: str) -> None:
        self.endpoint = endpoint
        self.region = region
        self.account = account
        self._session = boto3.Session(
            region_name=region, aws_access_key_id=account, aws_secret_access_key=SECRET
        )
        self._clients: dict[str, Any] = {}
        self._meter = meter_of(os.environ)
        """Counts what Lambda's pollers ask of queues: AWS bills that to who owns them."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")

    @overload
    def client(self, service: Literal["cloudformation"]) -> CloudFormationClient: ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> DynamoDBClient: ...
    @overload
    def client(self, service: Literal["ecs"]) -> ECSClient: ...
    @overload
    def client(self, service: Literal["lambda"]) -> LambdaClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["sqs"]) -> SQSClient: ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> SFNClient: ...
    @overload
    def client(self, service: str) -> Any: ...

    def client(self, service: str) -> Any:
        """Return the shared client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,  # type: ignore[call-overload]  # the stubs know literals only
                endpoint_url=self.endpoint,
                config=Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1}),
            )
            if self._meter is not None and service == "sqs":
                self._meter.watch(self._clients[service])
        return self._clients[service]

    async def call(self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a client's operation in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: operation(*args, **kwargs))

    def close(self) -> None:
        """Let the threads go. Close after the emulator is gone: that ends the polls under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)
