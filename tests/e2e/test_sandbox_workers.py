"""The ECS agent against the emulated ECS: tasks are real processes."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from upwell_runtime.sandbox import ecs_agent
from upwell_runtime.sandbox.aws import Aws
from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.ecs_agent import EcsAgent
from upwell_runtime.sandbox.emulator import Emulator
from upwell_runtime.sandbox.state import StateDir, process_started

pytestmark = pytest.mark.e2e

WORKER = """
import json, os, pathlib, signal, sys
def drain(*_):
    pathlib.Path(os.environ["NOTES"], f"drained-{os.getpid()}").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, drain if "STUBBORN" not in os.environ else signal.SIG_IGN)
told = {name: os.environ[name] for name in ("UPWELL_POOL", "ECS_CONTAINER_METADATA_URI_V4", "ECS_AGENT_URI")}
pathlib.Path(os.environ["NOTES"], f"up-{os.getpid()}").write_text(json.dumps(told))
while True:
    signal.pause()
"""
SERVICE = "upwell-dev-gpu"


class Cluster:
    """A cluster with one service, and the agent that runs its tasks."""

    def __init__(self, aws: Aws, children: Children, notes: Path) -> None:
        self.aws = aws
        self.notes = notes
        self.agent = EcsAgent(aws, children, "upwell-dev", "http://meta", (sys.executable, "-c", WORKER))

    async def create(self, desired: int, **environment: str) -> None:
        ecs = self.aws.client("ecs")
        given = {"UPWELL_POOL": "gpu", "NOTES": str(self.notes)} | environment
        container: Any = {
            "name": "worker",
            "image": "python",
            "environment": [{"name": name, "value": value} for name, value in given.items()],
            "stopTimeout": 1,
        }
        await self.aws.call(ecs.create_cluster, clusterName="upwell-dev")
        await self.aws.call(ecs.register_task_definition, family="gpu", containerDefinitions=[container])
        await self.aws.call(
            ecs.create_service,
            cluster="upwell-dev",
            serviceName=SERVICE,
            taskDefinition="gpu",
            desiredCount=desired,
        )

    async def scale(self, desired: int) -> None:
        ecs = self.aws.client("ecs")
        await self.aws.call(ecs.update_service, cluster="upwell-dev", service=SERVICE, desiredCount=desired)

    def protect(self, task_arn: str, until: float | None) -> None:
        told = self.agent.protect(task_arn.rpartition("/")[2], until)
        assert told is not None
        assert told["ProtectionEnabled"] is (until is not None)

    def workers(self) -> dict[int, str]:
        """Return the workers that are up: pid -> task ARN."""
        return {
            worker["pid"]: worker["task_arn"]
            for worker in self.agent.status("upwell-dev")
            if worker["state"] == "running" and (self.notes / f"up-{worker['pid']}").exists()
        }

    async def wait(self, count: int) -> dict[int, str]:
        await until(lambda: len(self.workers()) == count)
        return self.workers()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - it is other processes that change it
            await asyncio.sleep(0.02)


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    monkeypatch.setattr(ecs_agent, "SYNC_S", 0.02)
    (tmp_path / "notes").mkdir()
    directory = StateDir(tmp_path / "state")
    directory.create()
    children = Children(directory)
    emulator = Emulator(children, directory, region="us-east-1", account="000000000000")
    await emulator.start()
    aws = Aws(endpoint=emulator.endpoint, region="us-east-1", account="000000000000")
    started = Cluster(aws, children, tmp_path / "notes")
    running = asyncio.create_task(started.agent.run())
    yield started
    running.cancel()
    await emulator.stop()
    await children.stop_all(0)
    children.close()
    aws.close()


async def test_as_many_workers_run_as_the_service_desires(cluster: Cluster) -> None:
    await cluster.create(desired=0)
    await cluster.scale(2)
    assert len(await cluster.wait(2)) == 2
    await cluster.scale(3)
    assert len(await cluster.wait(3)) == 3


async def test_a_worker_has_the_environment_of_its_container_and_knows_its_task(cluster: Cluster) -> None:
    await cluster.create(desired=1)
    ((pid, task_arn),) = (await cluster.wait(1)).items()
    told = json.loads((cluster.notes / f"up-{pid}").read_text())
    task_id = task_arn.rpartition("/")[2]
    assert told == {
        "UPWELL_POOL": "gpu",
        "ECS_CONTAINER_METADATA_URI_V4": f"http://meta/{task_id}",
        "ECS_AGENT_URI": f"http://meta/{task_id}",
    }
    metadata = cluster.agent.metadata(task_id)
    assert metadata is not None
    assert metadata["TaskARN"] == task_arn


async def test_a_killed_worker_is_replaced_by_another_task(cluster: Cluster) -> None:
    await cluster.create(desired=1)
    ((pid, task_arn),) = (await cluster.wait(1)).items()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pid not in cluster.workers() and len(cluster.workers()) == 1)
    ((new_pid, new_task_arn),) = cluster.workers().items()
    assert new_pid != pid
    assert new_task_arn != task_arn
    described = await cluster.aws.call(
        cluster.aws.client("ecs").describe_tasks, cluster="upwell-dev", tasks=[task_arn]
    )
    assert described["tasks"][0]["lastStatus"] == "STOPPED"


async def test_scaling_down_lets_workers_drain(cluster: Cluster) -> None:
    await cluster.create(desired=2)
    before = await cluster.wait(2)
    await cluster.scale(1)
    after = await cluster.wait(1)
    (gone,) = before.keys() - after.keys()
    await until(lambda: process_started(gone) is None)
    assert (cluster.notes / f"drained-{gone}").exists()


async def test_scaling_down_spares_the_protected_and_takes_an_idle_one(cluster: Cluster) -> None:
    await cluster.create(desired=1)
    (old,) = await cluster.wait(1)
    await cluster.scale(2)
    ((busy, task_arn),) = [(pid, arn) for pid, arn in (await cluster.wait(2)).items() if pid != old]
    cluster.protect(task_arn, time.time() + 600)  # the newest, which the emulator drops first
    await cluster.scale(1)
    await until(lambda: process_started(old) is None)
    assert list(cluster.workers()) == [busy]
    await cluster.scale(2)
    assert busy in await cluster.wait(2)


async def test_a_protected_worker_outlives_its_service_s_count_until_it_is_released(cluster: Cluster) -> None:
    await cluster.create(desired=2)
    workers = await cluster.wait(2)
    for task_arn in workers.values():
        cluster.protect(task_arn, time.time() + 600)
    await cluster.scale(0)
    await until(lambda: cluster.agent.placeless(SERVICE) == 2)
    await cluster.scale(1)  # they count: none is started
    await until(lambda: cluster.agent.placeless(SERVICE) == 1)
    assert cluster.workers() == workers
    for task_arn in workers.values():
        cluster.protect(task_arn, None)
    assert len(await cluster.wait(1)) == 1


async def test_a_task_that_somebody_stops_is_not_saved_by_its_protection(cluster: Cluster) -> None:
    await cluster.create(desired=1)
    ((pid, task_arn),) = (await cluster.wait(1)).items()
    cluster.protect(task_arn, time.time() + 600)
    ecs = cluster.aws.client("ecs")
    await cluster.aws.call(ecs.stop_task, cluster="upwell-dev", task=task_arn, reason="by hand")
    await until(lambda: process_started(pid) is None)


async def test_a_worker_that_does_not_drain_is_killed_after_its_stop_timeout(cluster: Cluster) -> None:
    await cluster.create(desired=1, STUBBORN="1")
    ((pid, _),) = (await cluster.wait(1)).items()
    await cluster.scale(0)
    await until(lambda: process_started(pid) is None)
    assert not (cluster.notes / f"drained-{pid}").exists()


async def test_a_deleted_service_has_no_workers(cluster: Cluster) -> None:
    await cluster.create(desired=2)
    pids = list(await cluster.wait(2))
    await cluster.aws.call(
        cluster.aws.client("ecs").delete_service, cluster="upwell-dev", service=SERVICE, force=True
    )
    await until(lambda: not any(process_started(pid) for pid in pids))
    assert cluster.workers() == {}
