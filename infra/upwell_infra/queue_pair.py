"""A pool's queue and the queue of its dead letters."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from upwell._core.limits import SQS_BATCH_BYTES, SQS_RECEIVES_MAX
from upwell_infra.deployment import Deployment
from upwell_infra.function import visibility_for

"""A message that came back so often is a dead letter: above the losses that an action survives."""
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
        self.dead = self._queue("Dead", f"{name}-dead", visibility_for(DEAD_LETTERS_TIMEOUT_S))
        self.queue = self._queue(
            "Queue",
            name,
            visibility_s,
            sqs.DeadLetterQueue(queue=self.dead, max_receive_count=SQS_RECEIVES_MAX),
        )
        lambda_.CfnEventSourceMapping(
            self,
            "DeadLetters",
            event_source_arn=self.dead.queue_arn,
            function_name=deployment.function_arn("dead-letters"),
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
        )

    def _queue(
        self,
        construct_id: str,
        name: str,
        visibility_s: float,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
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
