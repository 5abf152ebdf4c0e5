"""What the components may do: exact actions on the platform's own resources."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from upwell._core.keys import BUNDLES, DATA, RUNTIME, VALUES

from upwell_infra.deployment import Deployment


def executor_statements(deployment: Deployment, pool: str) -> list[iam.PolicyStatement]:
    """Return what it takes to execute actions: their state, any pool's queue, blobs, the root's token."""
    return [
        *engine_statements(deployment),
        _allow("Cache", ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
                         "dynamodb:DeleteItem"], [deployment.table_arn("cache")]),
        _allow("RunRecord", ["dynamodb:GetItem"], [deployment.table_arn("runs")]),
        receive_statement(deployment.queue_arn(pool)),
        _allow("ReadCode", ["s3:GetObject"], _objects(deployment, BUNDLES, RUNTIME)),
        _allow("Blobs", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
               _objects(deployment, VALUES, DATA)),
        # Without it S3 answers 403, not 404, for a blob that does not exist.
        _allow("ListBlobs", ["s3:ListBucket"], [deployment.bucket_arn]),
    ]


def engine_statements(deployment: Deployment) -> list[iam.PolicyStatement]:
    """Return what it takes to end an action: its record, its parent's journal and queue, the root's token."""
    return [
        _allow("Actions", ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem",
                           "dynamodb:UpdateItem"], [deployment.table_arn("actions")]),
        _allow("Journal", ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchWriteItem"],
               [deployment.table_arn("journal")]),
        _allow("SendToPools", ["sqs:SendMessage"], [deployment.queue_arn("*")]),
        _allow("EndRuns", ["states:SendTaskSuccess", "states:SendTaskFailure"], [deployment.state_machine_arn]),
    ]


def receive_statement(queue_arn: str) -> iam.PolicyStatement:
    """Return the permission to work off a queue."""
    return _allow("Receive", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility",
                              "sqs:GetQueueAttributes"], [queue_arn])


def dead_letters_statements(deployment: Deployment) -> list[iam.PolicyStatement]:
    """Return what it takes to fail the actions of dead letters."""
    return [*engine_statements(deployment), receive_statement(deployment.queue_arn("*-dead"))]


def fold_statements(deployment: Deployment) -> list[iam.PolicyStatement]:
    """Return what it takes to fold the stream of actions into views of runs."""
    return [
        _allow("ReadStream", ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
               [f"{deployment.table_arn('actions')}/stream/*"]),
        # ListStreams knows no resource.
        _allow("ListStreams", ["dynamodb:ListStreams"], ["*"]),
        _allow("Views", ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
               [deployment.table_arn("runs")]),
    ]


def run_ended_statements(deployment: Deployment) -> list[iam.PolicyStatement]:
    """Return what it takes to record a run that ended from outside, and to end its actions."""
    return [
        _allow("RunRecord", ["dynamodb:GetItem", "dynamodb:UpdateItem"], [deployment.table_arn("runs")]),
        _allow("Actions", ["dynamodb:Query", "dynamodb:UpdateItem"], [deployment.table_arn("actions")]),
    ]


def scale_statements(deployment: Deployment) -> list[iam.PolicyStatement]:
    """Return what it takes to set the size of worker services from the backlog of their queues."""
    services = deployment.service_arn("*")
    listing = iam.PolicyStatement(
        sid="ListServices",
        actions=["ecs:ListServices"],
        resources=["*"],  # it knows no resource; the condition holds it to our cluster
        conditions={"ArnEquals": {"ecs:cluster": deployment.cluster_arn}},
    )
    return [
        listing,
        _allow("SizeServices", ["ecs:DescribeServices", "ecs:UpdateService", "ecs:ListTagsForResource",
                                "ecs:TagResource"], [services]),
        _allow("Backlog", ["sqs:GetQueueAttributes"], [deployment.queue_arn("*")]),
    ]


def _objects(deployment: Deployment, *prefixes: str) -> list[str]:
    return [f"{deployment.bucket_arn}/{prefix}*" for prefix in prefixes]


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources))
