"""A message is taken out of a queue by hand, on the sandbox: the deployed sweeper ends the run all the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import boto3
import pytest

import upwell
from upwell import Backoff, RetryStrategy, TaskEnvironment
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.model import ActionRecord, Status

pytestmark = pytest.mark.e2e

env = TaskEnvironment("swept")
RETRY = RetryStrategy(1, backoff=Backoff(base=timedelta(seconds=15)))
WITHIN_S = 60


@env.task(retries=RETRY)
async def fails_at_first(n: int) -> int:
    if upwell.ctx().attempt == 1:
        raise ValueError("the first attempt fails")
    return 2 * n


@env.task
async def main() -> int:
    return await fails_at_first(21)


async def actions(run_id: str) -> dict[str, ActionRecord]:
    async with open_backend("sandbox", current_config()) as backend:
        return {action.spec.task.name: action async for action in backend.store.list_actions(run_id)}


async def until_only_a_message_brings_it_on(run_id: str) -> None:
    """Wait until the child waits for its retry, and its parent sleeps."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await actions(run_id)
            states = {task.partition(".")[2]: action.status for task, action in found.items()}
            if states == {"main": Status.SUSPENDED, "fails_at_first": Status.QUEUED}:
                return
            await asyncio.sleep(0.2)


async def take_out_the_message(sandbox: dict[str, Any]) -> None:
    """Empty the default pool's queue, once nothing but the message of the retry is in it.

    A record says what its action waits for before the message that brought it there is deleted.
    """
    sqs = boto3.client(
        "sqs",
        endpoint_url=sandbox["endpoint"],
        region_name=sandbox["region"],
        aws_access_key_id=sandbox["environment"]["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=sandbox["environment"]["AWS_SECRET_ACCESS_KEY"],
    )
    url = sandbox["settings"]["UPWELL_QUEUE_URL_PREFIX"] + "default"

    def count() -> int:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(attributes[f"ApproximateNumberOfMessages{of}"]) for of in ("", "Delayed", "NotVisible"))

    async with asyncio.timeout(WITHIN_S):
        while True:
            if count() == 1:
                break
            await asyncio.sleep(0.1)
    sqs.purge_queue(QueueUrl=url)
    assert count() == 0


@pytest.mark.slow
def test_a_message_that_is_lost_is_sent_again(sandbox: dict[str, Any]) -> None:
    run = upwell.run(main)
    asyncio.run(until_only_a_message_brings_it_on(run.name))
    asyncio.run(take_out_the_message(sandbox))
    assert run.outputs() == (42,)
    found = asyncio.run(actions(run.name))
    assert [attempt.end for attempt in found["swept.fails_at_first"].attempts] == ["failed", "succeeded"]
