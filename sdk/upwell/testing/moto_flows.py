"""Runs flows in process, on the AWS adapters over moto."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from upwell._author.task import Task
from upwell._aws.clients import Clients
from upwell._aws.platform import AwsPorts, ports_of
from upwell._client.options import RunOptions
from upwell._client.pools import pools_of
from upwell._client.submit import encode_root_inputs
from upwell._core.keys import DEFAULT_POOL
from upwell._core.model import Executor as ExecutorId
from upwell._core.model import RunRecord
from upwell._core.ports import Ports, StateStore
from upwell._core.settings import Settings
from upwell._exec.environment import RandomIds
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.user_code import InProcess
from upwell._exec.worker import Worker
from upwell._local.platform import RegistryLoader, slots_of
from upwell.testing.flows import FlowResult, result_of, submission
from upwell.testing.moto_aws import create_pool, moto_platform
from upwell.testing.moto_logs import WORKER, MotoLogs
from upwell.testing.moto_s3 import moto_s3_access

SLOTS = 64
"""Of the default pool."""
LEASE_S = 60.0
POLL_S = 0.05


class MotoFlows:
    """Runs flows over DynamoDB, SQS, S3 and Step Functions as moto emulates them.

    The state machine of the deployed template starts the root action and records the end; workers in this
    process serve the queues.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    @property
    def clients(self) -> Clients:
        """What the flows' requests go through."""
        return self._clients

    @property
    def store(self) -> StateStore:
        """Where the flows' records and kept results are."""
        return ports_of(self._clients, self._settings).store

    def run(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> FlowResult:
        """Run a flow to its end; see `arun`."""
        return asyncio.run(self.arun(task, *args, **kwargs))

    async def arun(self, task: Task[..., Any], *args: Any, **kwargs: Any) -> FlowResult:
        """Run a flow to its end. A failure is in the result; wrong inputs raise."""
        return await self.arun_with(RunOptions(), task, *args, **kwargs)

    async def arun_with(
        self, options: RunOptions, task: Task[..., Any], *args: Any, **kwargs: Any
    ) -> FlowResult:
        """Run a flow with options."""
        encoded = encode_root_inputs(task, task.interface.bind(args, kwargs))
        aws = ports_of(self._clients, self._settings, moto_s3_access)
        record = await submission(aws.store, aws.blobs, task, encoded, options, aws.clock.now())
        slots = {DEFAULT_POOL: SLOTS} | {pool: slots_of(env) for pool, env in pools_of(task).items()}
        for pool in slots:
            create_pool(self._clients, self._settings, pool)
        logs = MotoLogs(self._clients, self._settings)
        kernel = self._kernel(aws, logs)
        executor = Executor(kernel, lease_s=LEASE_S)
        workers = [
            asyncio.create_task(
                Worker(kernel, executor, pool=pool, slots=size, visibility_s=LEASE_S, long_poll_s=0).serve()
            )
            for pool, size in sorted(slots.items())
        ]
        try:
            await aws.orchestrator.start(record, timeout_s=options.timeout_s)
            ended = await _ended(aws, record)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        await logs.put(aws.store)
        return await result_of(aws.store, aws.blobs, aws.logs, ended, task)

    def _kernel(self, aws: AwsPorts, logs: MotoLogs) -> Kernel:
        ports = Ports(
            store=aws.store,
            blobs=aws.blobs,
            queue=aws.queue,
            orchestrator=aws.orchestrator,
            clock=aws.clock,
            executor=ExecutorId(kind="worker", id=WORKER),
        )
        return Kernel(
            ports=ports,
            settings=self._settings,
            users=InProcess(RegistryLoader(), aws.transfers, lines=logs.write),
            ids=RandomIds(),
            mode="aws",
            scratch=Path(tempfile.gettempdir()) / "upwell",
            secrets=aws.secrets,
        )


async def _ended(aws: AwsPorts, run: RunRecord) -> RunRecord:
    while True:
        record = await aws.store.get_run(run.spec.run_id)
        if record is not None and record.spec.generation == run.spec.generation and record.status.is_terminal:
            return record
        await asyncio.sleep(POLL_S)


@contextmanager
def moto_flows() -> Iterator[MotoFlows]:
    """Provide a platform in moto for the block."""
    with moto_platform() as (clients, settings):
        yield MotoFlows(clients, settings)
