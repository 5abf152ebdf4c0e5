"""Queues: of a pool, of its dead letters, and how all of them are."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from upwell._core.limits import SQS_BATCH_BYTES, SQS_RECEIVES_MAX
from upwell_infra.deployment import Deployment
from upwell_infra.function import visibility_for

DEAD_LETTERS_TIMEOUT_S = 60
"""Timeout of the function that reads dead letters."""


class QueuePair(Construct):
    """A queue `<prefix>-<pool>`, its dead letters `<prefix>-<pool>-dead`, and their way to the handler.

    Args:
        deployment: The platform.
        pool: Name of the pool.
        visibility_s: How long a received message stays hidden.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, deployment: Deployment, pool: str, visibility_s: float
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{deployment.prefix}-{pool}"
        self.dead = private_queue(
            self, "Dead", name=f"{name}-dead", visibility_s=visibility_for(DEAD_LETTERS_TIMEOUT_S)
        )
        self.queue = private_queue(
            self,
            "Queue",
            name=name,
            visibility_s=visibility_s,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=SQS_RECEIVES_MAX),
        )
        lambda_.CfnEventSourceMapping(
            self,
            "DeadLetters",
            event_source_arn=self.dead.queue_arn,
            function_name=deployment.function_arn("dead-letters"),
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
        )


def private_queue(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    visibility_s: float,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """Make an encrypted queue that is spoken to over TLS alone, and that keeps messages for two weeks."""
    return sqs.Queue(
        scope,
        construct_id,
        queue_name=name,
        visibility_timeout=Duration.seconds(visibility_s),
        retention_period=Duration.days(14),
        max_message_size_bytes=SQS_BATCH_BYTES,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        dead_letter_queue=dead_letter_queue,
        removal_policy=RemovalPolicy.DESTROY,
    )
