"""The scaler is told of work that was sent: soon, and not of every message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from upwell._aws import announcer
from upwell._aws.announcer import Announcer
from upwell._aws.clients import Clients
from upwell.testing.moto_aws import moto_platform


@pytest.fixture
def bus() -> Iterator[tuple[Announcer, Clients, str]]:
    """An announcer, and a queue to which a rule like the deployed one sends what it tells."""
    with moto_platform() as (clients, settings):
        url = clients.sqs.create_queue(QueueName="told")["QueueUrl"]
        pattern = {"source": ["upwell"], "detail-type": ["Work Sent"], "detail": {"prefix": [settings.prefix]}}
        clients.events.put_rule(Name="told", EventPattern=json.dumps(pattern))
        arn = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        clients.events.put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])
        yield Announcer(clients, settings), clients, url


def told(bus: tuple[Announcer, Clients, str], *sent: tuple[str, int]) -> list[dict[str, Any]]:
    """Send so much, one after the other, and return the details of the events."""
    announcing, clients, url = bus

    async def send() -> None:
        for pool, messages in sent:
            await announcing.sent(pool, messages)

    asyncio.run(send())
    received = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted((json.loads(m["Body"])["detail"] for m in received), key=lambda d: d["messages"])


def test_the_first_message_is_told_at_once_and_others_only_if_they_are_many_more(
    bus: tuple[Announcer, Clients, str],
) -> None:
    details = told(bus, ("train", 1), ("train", 1), ("train", 50), ("train", 60), ("train", 99))
    assert [detail["messages"] for detail in details] == [1, 50]
    assert {detail["pool"] for detail in details} == {"train"}


def test_after_a_while_it_is_told_again(
    bus: tuple[Announcer, Clients, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcer, "QUIET_S", 0.0)
    assert len(told(bus, ("train", 1), ("train", 1))) == 2


def test_nobody_scales_the_default_pool(bus: tuple[Announcer, Clients, str]) -> None:
    assert told(bus, ("default", 100)) == []


def test_work_is_sent_also_when_nobody_can_be_told(bus: tuple[Announcer, Clients, str]) -> None:
    _, clients, _ = bus

    def denied(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutEvents")

    clients.events.meta.events.register("before-call.events.PutEvents", denied)
    assert told(bus, ("train", 1)) == []
