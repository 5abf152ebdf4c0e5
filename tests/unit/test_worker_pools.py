"""The scaler on several pools: one that cannot be scaled does not keep the others small."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from upwell._aws.queue import Depth
from upwell._aws.scaling_events import EVENTS_SHOWN, KEPT_S, ScalingEvents
from upwell._aws.worker_pools import WorkerPools
from upwell._core.ports import PoolNotFoundError
from upwell._core.scaling import ScalingEvent, Why
from upwell.testing.moto_aws import moto_platform

TAGS = {
    "replicas-min": "0",
    "replicas-max": "3",
    "concurrency": "1",
    "scaledown-ttl-s": "30",
    "idle-ttl-s": "30",
}


class Depths:
    """Five messages in every queue; the queue of `gone` is not there any more."""

    async def depth(self, pool: str) -> Depth:
        """Return how much waits."""
        if pool == "gone":
            raise PoolNotFoundError(pool)
        return Depth(visible=5, in_flight=0)


@pytest.fixture
def pools() -> Iterator[tuple[WorkerPools, Any]]:
    with moto_platform() as (clients, settings):
        ecs, cluster = clients.ecs, settings.prefix
        ecs.create_cluster(clusterName=cluster)
        image: Any = [{"name": "worker", "image": "python", "memory": 128}]
        ecs.register_task_definition(family="worker", containerDefinitions=image)
        tags: Any = [{"key": f"upwell:{key}", "value": value} for key, value in TAGS.items()]
        for pool in ("gone", "train"):
            ecs.create_service(
                cluster=cluster,
                serviceName=f"{cluster}-{pool}",
                taskDefinition="worker",
                desiredCount=0,
                tags=tags,
            )
        queue: Any = Depths()
        yield WorkerPools(clients, settings, queue), clients


def test_a_pool_that_cannot_be_scaled_does_not_hold_up_the_others(pools: tuple[WorkerPools, Any]) -> None:
    scaler, clients = pools
    with pytest.raises(ExceptionGroup, match="could not be scaled"):
        asyncio.run(scaler.scale_all(1000.0))
    answer = clients.ecs.describe_services(cluster="upwell-dev", services=["upwell-dev-train"])
    assert answer["services"][0]["desiredCount"] == 3


def desired(clients: Any) -> int:
    answer = clients.ecs.describe_services(cluster="upwell-dev", services=["upwell-dev-train"])
    count: int = answer["services"][0]["desiredCount"]
    return count


def test_a_pool_that_was_sent_work_is_looked_at_alone(pools: tuple[WorkerPools, Any]) -> None:
    scaler, clients = pools
    assert asyncio.run(scaler.scale_one("train", 1, 1000.0)) == {"train": 3}
    assert desired(clients) == 3


def test_what_was_sent_counts_before_the_queue_shows_it(
    pools: tuple[WorkerPools, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    scaler, clients = pools

    async def empty(self: Depths, pool: str) -> Depth:
        return Depth(visible=0, in_flight=0)

    monkeypatch.setattr(Depths, "depth", empty)
    assert asyncio.run(scaler.scale_one("train", 2, 1000.0)) == {"train": 2}
    assert desired(clients) == 2


def test_a_pool_without_workers_is_left_alone(pools: tuple[WorkerPools, Any]) -> None:
    scaler, _ = pools
    assert asyncio.run(scaler.scale_one("a-lambda-pool", 1, 1000.0)) == {}


def test_looks_at_the_same_time_both_count(pools: tuple[WorkerPools, Any]) -> None:
    """Each reads the memory before the other writes it: one loses, and looks again."""
    scaler, clients = pools
    memory, met = scaler._remembered, asyncio.Barrier(2)
    first = {"a": True, "b": True}

    def meeting(name: str) -> Any:
        async def read(pool: str) -> str | None:
            text = await memory(pool)
            if first.pop(name, False):
                await met.wait()
            return text

        return read

    async def both() -> None:
        other = WorkerPools(scaler._clients, scaler._settings, scaler._queue)
        scaler._remembered = meeting("a")  # type: ignore[method-assign]  # to make them meet
        other._remembered = meeting("b")  # type: ignore[method-assign]  # likewise
        await asyncio.gather(scaler.scale_one("train", 1, 1000.0), other.scale_one("train", 1, 2000.0))

    asyncio.run(both())
    key = {"pk": {"S": "pool#train"}, "sk": {"S": "scale"}}
    state = clients.dynamodb.get_item(TableName="upwell-dev-runs", Key=key)["Item"]["state"]["S"]
    assert json.loads(state)["busy_at"] in {1000.0, 2000.0}
    assert desired(clients) == 3


def test_the_memory_of_an_older_scaler_is_read(pools: tuple[WorkerPools, Any]) -> None:
    scaler, clients = pools
    item = {
        "pk": {"S": "pool#train"},
        "sk": {"S": "scale"},
        "state": {"S": json.dumps({"busy_at": 990.0, "needed_at": 990.0})},
    }
    clients.dynamodb.put_item(TableName="upwell-dev-runs", Item=item)
    assert asyncio.run(scaler.scale_one("train", 1, 1000.0)) == {"train": 3}


def events_of(scaler: WorkerPools) -> list[ScalingEvent]:
    return asyncio.run(ScalingEvents(scaler._clients, scaler._settings).newest("train"))


def test_what_changes_is_recorded_with_its_reason_for_two_weeks(pools: tuple[WorkerPools, Any]) -> None:
    scaler, clients = pools
    assert events_of(scaler) == []
    for at in (1000.0, 1020.0):  # the second look changes nothing
        asyncio.run(scaler.scale_one("train", 1, at))
    up = ScalingEvent(at=1000.0, before=0, after=3, why=Why.BACKLOG, waiting=5, in_flight=0)
    assert events_of(scaler) == [up]
    items = clients.dynamodb.scan(TableName="upwell-dev-runs")["Items"]
    (expires_at,) = [int(item["expires_at"]["N"]) for item in items if "expires_at" in item]
    assert expires_at == 1000 + KEPT_S


def test_the_newest_events_are_read_and_two_looks_at_once_are_one(pools: tuple[WorkerPools, Any]) -> None:
    scaler, _ = pools
    record = ScalingEvents(scaler._clients, scaler._settings).record

    async def change(at: float, before: int, after: int) -> None:
        await record(
            "train",
            ScalingEvent(at=at, before=before, after=after, why=Why.SLOTS, waiting=0, in_flight=1),
        )

    async def many() -> None:
        for n in range(EVENTS_SHOWN):
            await change(100.0 * n, n, n + 1)
        await change(20_000.0, 3, 0)
        await change(20_001.5, 3, 0)  # of another look, that had read the same
        await change(20_500.0, 3, 0)  # somebody has set the service to 3 meanwhile

    asyncio.run(many())
    events = events_of(scaler)
    assert [event.at for event in events[:3]] == [20_500.0, 20_000.0, 9900.0]
    assert len(events) == EVENTS_SHOWN - 1


def test_a_pool_is_scaled_although_its_event_cannot_be_recorded(
    pools: tuple[WorkerPools, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scaler, clients = pools

    async def refuse(self: ScalingEvents, pool: str, event: ScalingEvent) -> None:
        raise ConnectionError("no")

    monkeypatch.setattr(ScalingEvents, "record", refuse)
    assert asyncio.run(scaler.scale_one("train", 1, 1000.0)) == {"train": 3}
    assert desired(clients) == 3
    assert "a scaling event could not be recorded" in caplog.messages
