"""Sets by API what the emulator's CloudFormation drops, from the same template."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from botocore.exceptions import ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.intrinsics import Resolver
from upwell_runtime.sandbox.stacks import Stack
from upwell_runtime.sandbox.state import SandboxError


class Corrections:
    """Completes the resources of one created stack."""

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self._aws = aws
        self._stack = stack
        pseudo = {
            "AWS::AccountId": aws.account,
            "AWS::Region": aws.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack.name,
        }
        self._resolver = Resolver(pseudo | stack.parameters | stack.physical_ids, self._attribute)

    async def apply(self) -> None:
        """Set redrive policies of queues, TTL and recovery of tables, lifecycle and access of buckets."""
        for logical_id, properties in self._stack.resources("AWS::SQS::Queue").items():
            await self._queue(self._stack.physical_ids[logical_id], properties)
        for logical_id, properties in self._stack.resources("AWS::DynamoDB::Table").items():
            await self._table(self._stack.physical_ids[logical_id], properties)
        for logical_id, properties in self._stack.resources("AWS::S3::Bucket").items():
            await self._bucket(self._stack.physical_ids[logical_id], properties)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        """Return the ARN of a queue: the only attribute that the properties here refer to."""
        if logical_id in self._stack.resources("AWS::SQS::Queue") and attribute == "Arn":
            name = self._stack.physical_ids[logical_id].rpartition("/")[2]
            return f"arn:aws:sqs:{self._aws.region}:{self._aws.account}:{name}"
        raise SandboxError(f"the sandbox cannot tell {attribute!r} of {logical_id!r} in {self._stack.name!r}")

    async def _queue(self, url: str, properties: dict[str, Any]) -> None:
        if "RedrivePolicy" in properties:
            policy = json.dumps(self._resolver.resolve(properties["RedrivePolicy"]))
            sqs = self._aws.client("sqs")
            await self._aws.call(sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": policy})

    async def _table(self, name: str, properties: dict[str, Any]) -> None:
        dynamodb = self._aws.client("dynamodb")
        if expiry := self._resolver.resolve(properties.get("TimeToLiveSpecification")):
            # An emulator that did set it refuses to set it again.
            with contextlib.suppress(ClientError):
                await self._aws.call(
                    dynamodb.update_time_to_live, TableName=name, TimeToLiveSpecification=expiry
                )
        if recovery := self._resolver.resolve(properties.get("PointInTimeRecoverySpecification")):
            await self._aws.call(
                dynamodb.update_continuous_backups, TableName=name, PointInTimeRecoverySpecification=recovery
            )

    async def _bucket(self, name: str, properties: dict[str, Any]) -> None:
        s3 = self._aws.client("s3")
        if lifecycle := self._resolver.resolve(properties.get("LifecycleConfiguration")):
            rules = [lifecycle_rule(rule) for rule in lifecycle["Rules"]]
            await self._aws.call(
                s3.put_bucket_lifecycle_configuration,
                Bucket=name,
                LifecycleConfiguration={"Rules": rules},  # type: ignore[typeddict-item]  # built from JSON
            )
        if access := self._resolver.resolve(properties.get("PublicAccessBlockConfiguration")):
            await self._aws.call(s3.put_public_access_block, Bucket=name, PublicAccessBlockConfiguration=access)


def lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a bucket's lifecycle rule in the API's shape, given it in CloudFormation's."""
    api: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        api["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        api["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "AbortIncompleteMultipartUpload" in rule:
        days = int(rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"])
        api["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return api
