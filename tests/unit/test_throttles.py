"""Requests that AWS refuses because there are too many are told of, also where a second try succeeds."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from upwell._aws.clients import Clients
from upwell._aws.throttles import is_throttled
from upwell.testing.moto_aws import ENVIRONMENT, REGION, moto_platform

REFUSED = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}'


class Body:
    """What botocore reads of an answer."""

    def stream(self, **_: Any) -> Any:
        """Yield the content."""
        yield REFUSED


def test_a_request_that_is_tried_again_counts_as_often_as_it_was_refused() -> None:
    told: list[None] = []
    left = [2]

    def refuse(request: Any, **_: Any) -> AWSResponse | None:
        if left[0] == 0:
            return None
        left[0] -= 1
        return AWSResponse(request.url, 400, {}, Body())

    with moto_platform() as (_, settings):
        count = partial(told.append, None)
        clients = Clients(region=REGION, environment=ENVIRONMENT, threads=1, throttled=count)
        clients.dynamodb.meta.events.register_first("before-send", refuse)
        clients.dynamodb.list_tables()
        clients.copy().dynamodb.describe_table(TableName=settings.runs_table)
        clients.close()
    assert len(told) == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ProvisionedThroughputExceededException", True),
        (403, "OverLimit", True),  # SQS: too many messages in flight
        (503, "SlowDown", True),
        (429, "", True),
        (400, "ConditionalCheckFailedException", False),
        (500, "InternalServerError", False),
        (200, "", False),
    ],
)
def test_what_counts_as_too_many(status: int, code: str, expected: bool) -> None:
    parsed = {"Error": {"Code": code}} if code else {}
    assert is_throttled(AWSResponse("", status, {}, None), parsed) is expected
