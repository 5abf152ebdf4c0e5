"""Runs on the AWS adapters over moto, with its state machine: time is skipped there as well."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from moto.core.models import botocore_stubber

from bench.faults.aws_requests import NoPauses, RequestFaults, RequestPlan, request_kinds
from bench.faults.breaks import Guard
from bench.faults.fleet import Role, counted
from bench.faults.ledger import Ledger
from bench.faults.programs import Writer, warm
from bench.faults.report import RunReport
from bench.faults.strikes import draw_plan, op_for, port_kinds
from bench.faults.virtual_time import LoopClock
from bench.faults.world import Setting, World
from upwell._aws.blobs import S3Blobs
from upwell._aws.dynamodb import DynamoStore
from upwell._aws.dynamodb_items import read_action
from upwell._aws.orchestrator import StepFunctionsOrchestrator
from upwell._aws.queue import SqsQueue
from upwell._aws.s3_transfer import S3Transfer
from upwell._core.keys import DEFAULT_POOL
from upwell._core.ports import Clock, Delivery
from upwell._core.wire import Message
from upwell._types.io_context import local_transfers
from upwell.testing.moto_aws import create_pool, moto_platform
from upwell.testing.moto_s3 import moto_s3_access

RUNS_PER_PLATFORM = 1
"""Then a new one: moto scans its tables."""
ACTIONS, SLEEPS_S = 5, (0.5, 3.0, 12.0)
"""Of a program: a request takes moto milliseconds."""
POLL_S = 8.0
"""An empty queue is asked again after so long, or as soon as something is sent."""
CPU_S = 120.0
"""A request takes moto some milliseconds, and who waits for a place under a limit makes many."""
MACHINE_S = 0.005
"""Real time that the state machine's threads are given, whenever the run waits for them."""
ROLES = [
    Role("cold", DEFAULT_POOL, 6, suspends=True),
    Role("cold", DEFAULT_POOL, 6, suspends=True),
    Role("warm", warm.name, 8, suspends=False),
    Role("warm", warm.name, 8, suspends=False),
]


class MotoBackend:
    """Runs programs one after the other, on platforms in moto.

    Args:
        root: A folder.
        broken: The guard that is taken out.
    """

    name = "moto"
    seeds = range(0)
    kinds = (*port_kinds(throws=False), *request_kinds())

    def __init__(self, root: Path, broken: Guard | None = None) -> None:
        self._root, self._broken = root, broken
        self._stack = ExitStack()
        self._runs = 0

    def close(self) -> None:
        """Let go of the platform."""
        self._stack.close()

    def run(self, seed: int) -> RunReport:
        """Run the program of a seed under the faults of the seed, and check it."""
        if self._runs % RUNS_PER_PLATFORM == 0:
            self._stack.close()
            self._open()
        self._runs += 1
        chance = Random(seed)
        program = Writer(chance, ACTIONS, sleeps_s=SLEEPS_S).program(op_for(seed, throws=False))
        plan = draw_plan(chance, seed, throws=False)
        self._faults.plan = RequestPlan(chance, plan.happened, seed)
        world = World(self._setting(), seed, program, plan, chance)
        self._faults.on_put = lambda body: self._note(world.ledger, body)
        with _skipped_time(world.clock):
            return world.run()

    def _open(self) -> None:
        self._clients, settings = self._stack.enter_context(moto_platform())
        for pool in {role.pool for role in ROLES}:
            create_pool(self._clients, settings, pool)
        self._settings = replace(settings, poll_min_s=1.0, poll_max_s=6.0)
        self._quiet_clients = self._clients.copy()
        self._stack.callback(self._quiet_clients.close)
        self._faults = RequestFaults(botocore_stubber)
        for client in (
            self._clients.dynamodb,
            self._clients.sqs,
            self._clients.s3,
            self._clients.stepfunctions,
        ):
            self._faults.watch(client)

    def _note(self, ledger: Ledger, body: dict[str, Any]) -> None:
        """Note a record where it is written: the answer may be lost on its way to the adapter."""
        if body["TableName"] == self._settings.actions_table and "record" in body["Item"]:
            item = body["Item"]
            if "B" in item["record"]:  # as it is sent: boto3 encodes bytes
                item = {**item, "record": {"B": base64.b64decode(item["record"]["B"])}}
            ledger.saved(read_action(item))

    def _setting(self) -> Setting:
        news: list[asyncio.Event] = []

        def adapters(clock: LoopClock, quiet: bool) -> dict[str, Any]:
            if not news:
                news.append(asyncio.Event())
            clients, settings = self._quiet_clients if quiet else self._clients, self._settings
            return {
                "store": DynamoStore(clients, settings),
                "queue": _PolledQueue(SqsQueue(clients, settings), clock, news[0]),
                "blobs": S3Blobs(clients, settings),
                "orchestrator": StepFunctionsOrchestrator(clients, settings, clock),
            }

        return Setting(
            settings=self._settings,
            roles=ROLES,
            adapters=adapters,
            counted=counted(throws_reads=False),
            scratch=self._root / "scratch",
            long_poll_s=0.0,
            broken=self._broken,
            transfers={**local_transfers(), "s3": S3Transfer(moto_s3_access)},
            witnesses_saves=False,
            cpu_s=CPU_S,
            pause=_let_the_machine_work,
        )


async def _let_the_machine_work() -> None:
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, MACHINE_S)


class _PolledQueue:
    """Waits between two looks into an empty queue; moto itself waits in real time."""

    def __init__(self, queue: SqsQueue, clock: Clock, news: asyncio.Event) -> None:
        self._queue, self._clock, self._news = queue, clock, news

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages."""
        await self._queue.send(pool, messages, delay_s)
        self._news.set()

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Receive messages."""
        deliveries = await self._queue.receive(pool, max_messages, 0, visibility_s)
        if not deliveries:
            self._news.clear()
            pause = asyncio.create_task(self._news.wait())
            try:
                await asyncio.wait({pause}, timeout=POLL_S)
            finally:
                pause.cancel()
        return deliveries


@contextmanager
def _skipped_time(clock: LoopClock) -> Iterator[None]:
    """Have moto's queues and botocore's pauses on the clock of the run."""
    with (
        patch("moto.sqs.models.unix_time_millis", lambda: clock.now() * 1000),
        patch("moto.sqs.models.unix_time", clock.now),
        patch("botocore.endpoint.time", NoPauses(clock)),
    ):
        yield
