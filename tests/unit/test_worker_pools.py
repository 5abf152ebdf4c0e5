"""The scaler on several pools: one that cannot be scaled does not keep the others small."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from upwell._aws.queue import Depth
from upwell._aws.worker_pools import WorkerPools
from upwell._core.ports import PoolNotFoundError
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
