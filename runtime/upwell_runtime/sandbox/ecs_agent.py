"""Runs the tasks of the emulated ECS as worker processes, as Fargate runs them as containers.

The emulator knows no scale-in protection: it drops the newest task. Where that one is protected, another one of
the service is stopped, and its *place* (the task that the emulator keeps) is the protected one's from then on.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.children import Child, Children
from upwell_runtime.sandbox.tuning import TUNING

log = logging.getLogger(__name__)

SYNC_S = 0.25
STOP_TIMEOUT_S = 30.0
"""Of a container that names none, as on Fargate."""
SCALED_IN = "Service scaling down"
"""Why a task was stopped, where protection counts. `StopTask` ends protected tasks too."""
SHORT_LIFE_S = 5.0
"""A worker that ends sooner counts as failing; its service waits before it starts the next."""
BACKOFF_MAX_S = 10.0
WORKER_COMMAND = (sys.executable, "-m", "upwell_runtime.worker")


@dataclass(slots=True, kw_only=True)
class Worker:
    """A task of a service and the process that runs it."""

    task_arn: str
    service: str
    stop_timeout_s: float
    memory_mib: int
    child: Child
    started: float
    stopping: asyncio.Task[None] | None = None
    place: str | None = None
    """The running task of the emulator that this worker stands for; None while it is only protected."""
    protected_until: float = 0.0
    """Epoch seconds."""

    @property
    def is_protected(self) -> bool:
        """Whether scale-in must spare it."""
        return time.time() < self.protected_until

    @property
    def task_id(self) -> str:
        """The last part of the task's ARN."""
        return self.task_arn.rpartition("/")[2]


@dataclass(slots=True)
class Backoff:
    """How a service's failures in a row delay its next start."""

    failures: int = 0
    not_before: float = 0.0

    def note(self, life_s: float, now: float) -> None:
        """Take note of an end that nobody asked for."""
        self.failures = self.failures + 1 if life_s < SHORT_LIFE_S else 0
        self.not_before = now + (min(BACKOFF_MAX_S, 0.25 * 2**self.failures) if self.failures else 0.0)


@dataclass(slots=True)
class EcsAgent:
    """Follows the services of one cluster: a process for every task that should run."""

    aws: Aws
    children: Children
    cluster: str
    metadata_url: str
    """Base of the task metadata endpoint; the task's id is added."""
    command: tuple[str, ...] = WORKER_COMMAND
    """What a container runs. The template's own command fetches the code first, which is here already."""
    _workers: dict[str, Worker] = field(default_factory=dict, init=False)
    _backoff: dict[str, Backoff] = field(default_factory=dict, init=False)
    _watches: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Follow the services for ever."""
        while True:
            try:
                await self._sync()
            except (ClientError, BotoCoreError) as e:
                log.warning("cannot read the services", extra={"error": str(e)})
            await asyncio.sleep(SYNC_S)

    async def _sync(self) -> None:
        ecs = self.aws.client("ecs")
        listed = await self.aws.call(ecs.list_services, cluster=self.cluster, maxResults=100)
        wanted: dict[str, str] = {}
        for arn in listed["serviceArns"]:
            service = arn.rpartition("/")[2]
            tasks = await self.aws.call(
                ecs.list_tasks, cluster=self.cluster, serviceName=service, desiredStatus="RUNNING"
            )
            wanted |= dict.fromkeys(tasks["taskArns"], service)
        for worker in [worker for worker in self._workers.values() if worker.place not in wanted]:
            if worker.stopping is None:
                await self._drop(worker, wanted)
        now = asyncio.get_running_loop().time()
        taken = {worker.place for worker in self._workers.values()}
        for task_arn, service in wanted.items():
            if task_arn in taken:
                continue
            if spared := next((w for w in self._running(service) if w.place is None), None):
                spared.place = task_arn
            elif now >= self._backoff.setdefault(service, Backoff()).not_before:
                await self._start(task_arn, service)

    def _running(self, service: str) -> list[Worker]:
        return [w for w in self._workers.values() if w.service == service and w.stopping is None]

    async def _drop(self, worker: Worker, wanted: Mapping[str, str]) -> None:
        """Stop a worker whose task is not wanted any more, or another one of its service in its stead."""
        if worker.place is not None and worker.is_protected and await self._was_scaled_in(worker.place):
            worker.place = None
        if worker.place is None and worker.is_protected:
            others = [w for w in self._running(worker.service) if w.place in wanted and not w.is_protected]
            if not others:
                return
            worker.place, others[-1].place = others[-1].place, None
            worker = others[-1]
        worker.stopping = asyncio.create_task(self._stop(worker))

    async def _was_scaled_in(self, task_arn: str) -> bool:
        ecs = self.aws.client("ecs")
        described = await self.aws.call(ecs.describe_tasks, cluster=self.cluster, tasks=[task_arn])
        return any(task.get("stoppedReason") == SCALED_IN for task in described["tasks"])

    async def _start(self, task_arn: str, service: str) -> None:
        definition = await self._definition(task_arn)
        container = definition["containerDefinitions"][0]
        environment = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
        task_id = task_arn.rpartition("/")[2]
        child = await self.children.start(
            f"{service}/{task_id}",
            self.command,
            environment=environment
            | TUNING
            | {
                "ECS_CONTAINER_METADATA_URI_V4": f"{self.metadata_url}/{task_id}",
                "ECS_AGENT_URI": f"{self.metadata_url}/{task_id}",
            },
            log_name=service,
        )
        self._workers[task_arn] = Worker(
            task_arn=task_arn,
            service=service,
            stop_timeout_s=float(container.get("stopTimeout") or STOP_TIMEOUT_S),
            memory_mib=int(definition.get("memory") or container["memory"]),
            child=child,
            started=asyncio.get_running_loop().time(),
            place=task_arn,
        )
        watch = asyncio.create_task(self._watch(self._workers[task_arn]))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        log.info("worker started", extra={"service": service, "task": task_id, "pid": child.pid})

    async def _definition(self, task_arn: str) -> Mapping[str, Any]:
        """Return the definition of a task, which has one container."""
        ecs = self.aws.client("ecs")
        described = await self.aws.call(ecs.describe_tasks, cluster=self.cluster, tasks=[task_arn])
        answer = await self.aws.call(
            ecs.describe_task_definition, taskDefinition=described["tasks"][0]["taskDefinitionArn"]
        )
        definition: Mapping[str, Any] = answer["taskDefinition"]
        return definition

    async def _stop(self, worker: Worker) -> None:
        code = await worker.child.stop(worker.stop_timeout_s)
        log.info("worker stopped", extra={"task": worker.task_id, "pid": worker.child.pid, "exit_code": code})

    async def _watch(self, worker: Worker) -> None:
        code = await worker.child.wait()
        del self._workers[worker.task_arn]
        if worker.stopping is not None or worker.place is None:
            return
        now = asyncio.get_running_loop().time()
        self._backoff[worker.service].note(now - worker.started, now)
        log.warning(
            "worker ended by itself; its service starts another",
            extra={"task": worker.task_id, "pid": worker.child.pid, "exit_code": code},
        )
        await self._replace(worker, worker.place)

    async def _replace(self, worker: Worker, place: str) -> None:
        """Tell ECS that the task is over, and have its service bring a new one."""
        ecs = self.aws.client("ecs")
        try:
            await self.aws.call(
                ecs.stop_task,
                cluster=self.cluster,
                task=place,
                reason="Essential container in task exited",
            )
            # The emulator looks at a service's tasks only when the service is written to.
            await self.aws.call(ecs.update_service, cluster=self.cluster, service=worker.service)
        except (ClientError, BotoCoreError) as e:
            log.warning("task not replaced", extra={"task": worker.task_id, "error": str(e)})

    async def stop_service(self, service: str, grace_s: float = 1.0) -> None:
        """End the processes of a service that was deleted."""
        workers = [worker for worker in self._workers.values() if worker.service == service]
        for worker in workers:
            if worker.stopping is None:
                worker.stopping = asyncio.create_task(self._stop(worker))
        await asyncio.gather(*(worker.child.stop(grace_s) for worker in workers))
        self._backoff.pop(service, None)

    async def stop(self, grace_s: float) -> None:
        """End all workers."""
        services = {worker.service for worker in self._workers.values()}
        await asyncio.gather(*(self.stop_service(service, grace_s) for service in services))

    def metadata(self, task_id: str) -> dict[str, Any] | None:
        """Return what the task metadata endpoint tells a task about itself."""
        for worker in self._workers.values():
            if worker.task_id == task_id:
                return {
                    "Cluster": self.cluster,
                    "TaskARN": worker.task_arn,
                    "ServiceName": worker.service,
                    "DesiredStatus": "RUNNING" if worker.stopping is None else "STOPPED",
                    "KnownStatus": "RUNNING",
                    "LaunchType": "FARGATE",
                    "Limits": {"Memory": worker.memory_mib},
                }
        return None

    def placeless(self, service: str) -> int:
        """Return how many workers of a service run for no other reason than their protection."""
        return sum(worker.place is None for worker in self._running(service))

    def protection(self, task_id: str) -> dict[str, Any] | None:
        """Return what the endpoint of scale-in protection tells a task about itself."""
        for worker in self._workers.values():
            if worker.task_id == task_id:
                until = {"ExpirationDate": worker.protected_until} if worker.is_protected else {}
                return {"ProtectionEnabled": worker.is_protected, "TaskArn": worker.task_arn, **until}
        return None

    def protect(self, task_id: str, until: float | None) -> dict[str, Any] | None:
        """Protect a task from scale-in until then, epoch seconds; None ends that."""
        for worker in self._workers.values():
            if worker.task_id == task_id:
                worker.protected_until = until or 0.0
        return self.protection(task_id)

    def status(self, prefix: str) -> list[dict[str, Any]]:
        """Return pid, task, pool and state of every worker process."""
        return [
            {
                "pid": worker.child.pid,
                "task_arn": worker.task_arn,
                "service": worker.service,
                "pool": worker.service.removeprefix(f"{prefix}-"),
                "state": "running" if worker.stopping is None else "stopping",
            }
            for worker in self._workers.values()
        ]
