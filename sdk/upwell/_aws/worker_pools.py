"""Worker pools as the scaler sees them: ECS services with a queue each."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.dynamodb_items import text
from upwell._aws.errors import clear_errors, is_code
from upwell._aws.queue import SqsQueue
from upwell._aws.scaling_events import ScalingEvents, scaler_pk
from upwell._core.metrics import Metric, Metrics, NoMetrics
from upwell._core.scaling import Load, ScalePolicy, ScaleState, ScalingEvent, desired_workers, scaling_event
from upwell._core.settings import Settings

log = logging.getLogger("upwell.scale")

SERVICES_PER_CALL = 10
CONDITION_FAILED = "ConditionalCheckFailedException"
LOOKS = 3
"""So often a look is repeated whose memory was changed meanwhile by another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPool:
    """A service, its policy and what it is set to."""

    name: str
    service: str
    desired: int
    policy: ScalePolicy


class WorkerPools:
    """Sets each service's desired count from its queue.

    Args:
        clients: Makes the requests.
        settings: Names the cluster, the queues and the table that holds the scaler's memory.
        queue: Tells how much waits.
        metrics: Takes how many workers pools are to have.
    """

    def __init__(
        self, clients: Clients, settings: Settings, queue: SqsQueue, metrics: Metrics | None = None
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._queue = queue
        self._metrics = metrics or NoMetrics()
        self._events = ScalingEvents(clients, settings)

    async def scale_all(self, now: float) -> dict[str, int]:
        """Look at every pool and set what must change; return the desired workers by pool.

        Raises:
            ExceptionGroup: some pools could not be scaled; the others were.
        """
        pools = await self._pools()
        results = await asyncio.gather(*(self._scale(pool, now) for pool in pools), return_exceptions=True)
        if failures := [result for result in results if isinstance(result, Exception)]:
            raise ExceptionGroup("some pools could not be scaled", failures)
        return {
            pool.name: desired for pool, desired in zip(pools, results, strict=True) if isinstance(desired, int)
        }

    async def scale_one(self, name: str, sent: int, now: float) -> dict[str, int]:
        """Look at one pool, to which messages were just sent; return its desired workers.

        Args:
            name: Of the pool. One that has no workers, such as a Lambda pool's, is left alone.
            sent: As many messages wait at least: SQS shows what was just sent only after a while.
            now: The time, epoch seconds.
        """
        pools = await self._described([f"{self._settings.prefix}-{name}"])
        return {pool.name: await self._scale(pool, now, sent) for pool in pools}

    async def _scale(self, pool: WorkerPool, now: float, sent: int = 0) -> int:
        depth = await self._queue.depth(pool.name)
        load = Load(waiting=max(depth.visible, sent), in_flight=depth.in_flight, workers=pool.desired)
        for _ in range(LOOKS):
            text = await self._remembered(pool.name)
            before = _state_of(text)
            desired, after = desired_workers(pool.policy, before, load, now=now)
            if after == before or await self._remember(pool.name, after, text):
                break
        event = scaling_event(pool.policy, load, desired, now=now)
        if event is not None:
            await self._change(pool, event)
        if desired or pool.desired:  # a pool that is not used costs nothing
            self._metrics.add(Metric.WORKERS, desired, pool=pool.name)
        return desired

    async def _change(self, pool: WorkerPool, event: ScalingEvent) -> None:
        """Set the size of a pool, then record that it was done."""
        fields = {"before": event.before, "after": event.after, "why": event.why.value}
        log.info("scaling", extra={"pool": pool.name, **fields})
        ecs, cluster = self._clients.ecs, self._settings.prefix
        with clear_errors(f"service {pool.service}"):
            await self._clients.call(
                lambda: ecs.update_service(cluster=cluster, service=pool.service, desiredCount=event.after)
            )
        self._metrics.add(Metric.SCALING_DECISIONS, pool=pool.name)
        try:
            await self._events.record(pool.name, event)
        except Exception:  # the pool has its size; that nobody reads of it must not stop the look at others
            log.warning("a scaling event could not be recorded", extra={"pool": pool.name}, exc_info=True)

    async def _pools(self) -> list[WorkerPool]:
        ecs, cluster = self._clients.ecs, self._settings.prefix
        with clear_errors(f"cluster {cluster}"):
            arns = await self._clients.call(
                lambda: [
                    arn
                    for page in ecs.get_paginator("list_services").paginate(cluster=cluster)
                    for arn in page["serviceArns"]
                ]
            )
        return await self._described(arns)

    async def _described(self, services: list[str]) -> list[WorkerPool]:
        """Return those of the services, given by ARN or name, that are pools."""
        ecs, cluster = self._clients.ecs, self._settings.prefix
        pools: list[WorkerPool] = []
        with clear_errors(f"cluster {cluster}"):
            for start in range(0, len(services), SERVICES_PER_CALL):
                some = services[start : start + SERVICES_PER_CALL]
                answer = await self._clients.call(
                    lambda some=some: ecs.describe_services(cluster=cluster, services=some, include=["TAGS"])  # type: ignore[misc]  # mypy does not infer lambdas with defaults
                )
                for service in answer["services"]:
                    tags = {tag["key"]: tag["value"] for tag in service.get("tags", [])}
                    if service.get("status") == "ACTIVE" and "upwell:replicas-max" in tags:
                        pools.append(self._pool(service["serviceName"], service["desiredCount"], tags))
        return pools

    def _pool(self, service: str, desired: int, tags: dict[str, str]) -> WorkerPool:
        return WorkerPool(
            name=service.removeprefix(f"{self._settings.prefix}-"),
            service=service,
            desired=desired,
            policy=ScalePolicy(
                replicas_min=int(tags["upwell:replicas-min"]),
                replicas_max=int(tags["upwell:replicas-max"]),
                concurrency=int(tags["upwell:concurrency"]),
                scaledown_ttl_s=float(tags["upwell:scaledown-ttl-s"]),
                idle_ttl_s=float(tags["upwell:idle-ttl-s"]),
            ),
        )

    async def _remembered(self, pool: str) -> str | None:
        dynamodb, key = self._clients.dynamodb, _memory_key(pool)
        with clear_errors(f"table {self._settings.runs_table}"):
            answer = await self._clients.call(
                lambda: dynamodb.get_item(TableName=self._settings.runs_table, Key=key, ConsistentRead=True)
            )
        return answer.get("Item", {}).get("state", {}).get("S")

    async def _remember(self, pool: str, state: ScaleState, before: str | None) -> bool:
        """Write the memory; return whether it was still what this look has read."""
        request: dict[str, Any] = {
            "TableName": self._settings.runs_table,
            "Item": {**_memory_key(pool), "state": {"S": json.dumps(asdict(state))}},
            "ConditionExpression": "attribute_not_exists(#state)" if before is None else "#state = :before",
            "ExpressionAttributeNames": {"#state": "state"},
        }
        if before is not None:
            request["ExpressionAttributeValues"] = {":before": {"S": before}}
        dynamodb = self._clients.dynamodb
        with clear_errors(f"table {self._settings.runs_table}"):
            try:
                await self._clients.call(lambda: dynamodb.put_item(**request))
            except ClientError as e:
                if is_code(e, (CONDITION_FAILED,)):
                    return False
                raise
        return True


def _state_of(text: str | None) -> ScaleState:
    """Return the memory that was written; what an older scaler wrote besides is left out."""
    told = json.loads(text) if text else {}
    return ScaleState(busy_at=told.get("busy_at", 0.0), needs=tuple((n, at) for n, at in told.get("needs", ())))


def _memory_key(pool: str) -> dict[str, dict[str, str]]:
    return {"pk": text(scaler_pk(pool)), "sk": text("scale")}
