"""`python -m bench.latency`: the critical path that a run has on AWS, without AWS.

The engine runs on the AWS adapters over moto, in a loop whose time passes only while somebody waits (see
`bench.faults.virtual_time`), and every request takes as long as it typically takes on AWS. How long the run
takes then is the model. If each request takes 1 and nothing else takes anything, it is the number of sequential
round trips. A long poll takes the time of its answer, from when there is a message.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from bench.faults.virtual_time import LoopClock, VirtualTimeLoop
from bench.flows import chain, echo, fan_out, warm_chain, warm_fan_out
from upwell._author.task import Task
from upwell._aws.clients import Clients
from upwell._aws.meter import Meter
from upwell._aws.platform import ports_of
from upwell._client.options import RunOptions
from upwell._client.pools import with_dependencies
from upwell._client.submit import encode_root_inputs
from upwell._core.keys import DEFAULT_POOL
from upwell._core.model import Executor as ExecutorId
from upwell._core.model import Outcome, Status
from upwell._core.ports import Delivery, Ports
from upwell._core.settings import Settings
from upwell._core.usage import Usage
from upwell._core.wire import Message
from upwell._exec.environment import RandomIds
from upwell._exec.executor import Executor
from upwell._exec.kernel import Kernel
from upwell._exec.user_code import InProcess
from upwell._exec.worker import Worker
from upwell._local.platform import RegistryLoader
from upwell.testing.flows import submission
from upwell.testing.moto_aws import ENVIRONMENT, REGION, create_pool, moto_platform

T = TypeVar("T")

TYPICAL_MS: Mapping[str, float] = {
    "dynamodb": 4.0,
    "sqs.SendMessageBatch": 15.0,
    "sqs.ReceiveMessage": 15.0,
    "sqs": 10.0,
    "s3": 25.0,
    "stepfunctions": 25.0,
}
"""Typical latencies in us-east-1, by operation, else by service. None is guaranteed: DynamoDB is documented
with single-digit milliseconds, of which gets and puts show 2 to 6; a send to SQS takes 10 to 20, a message is
received 10 to 50 after it was sent; a small object of S3 takes 15 to 30. Step Functions publishes none."""
BEFORE = ("stepfunctions.StartExecution", "dynamodb.PutItem", "sqs.SendMessageBatch")
"""What comes before the root's message is there: the state machine starts, WriteRun, RunRoot."""
AFTER = ("dynamodb.UpdateItem", "dynamodb.GetItem")
"""What comes after SendTaskSuccess: RecordSuccess, and the client's look."""
JOURNAL_WRITE = "batch_write_item"
"""The method of a client that is called for it."""
UNIT_S = 0.001
"""What a request takes when round trips are counted."""
LEFT_S = 10.0
"""What was under way at the end, as deletions of messages, may take so long."""
CPU_S = 300.0
LEASE_S = 600.0
SLOTS = 1000
POLL_MAX_S = 2.0
"""As deployed; over moto it is shorter elsewhere."""
GOALS = {"apart": 6.0, "together": 4.0}
"""Round trips a hop: parent and child in two processes that are up, and in one."""


def typical_s(operation: str) -> float:
    """Return how long a request typically takes, in seconds."""
    return TYPICAL_MS.get(operation, TYPICAL_MS.get(operation.partition(".")[0], 0.0)) / 1000


def one_each(_: str) -> float:
    """Return the same for every request."""
    return UNIT_S


class _SlowClients(Clients):
    """Clients whose requests take their time.

    Moto does them at once. Journal entries are written at the end of their time, so that nobody reads them
    sooner; of other requests the answer comes so late.
    """

    def __init__(self, takes_s: Callable[[str], float]) -> None:
        self._asked: list[str] = []
        self.counts: Counter[str] = Counter()
        self._takes_s = takes_s
        super().__init__(region=REGION, environment=ENVIRONMENT, threads=1, meter=Meter(self._note))

    def _note(self, operation: str, _: Usage) -> None:
        self._asked.append(operation)

    async def call(self, request: Callable[[], T]) -> T:
        """Make a request, and wait as long as it takes on AWS."""

        def noted() -> tuple[T | None, Exception | None, list[str]]:
            self._asked = []
            try:
                return request(), None, self._asked
            except Exception as e:
                return None, e, self._asked

        code = getattr(request, "__code__", None)
        early = code is not None and JOURNAL_WRITE in code.co_names
        if early:
            await self.pay("dynamodb.BatchWriteItem")
        answer, error, asked = await super().call(noted)
        for operation in () if early else asked:
            await self.pay(operation)
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # there is one where there is no error

    async def pay(self, operation: str) -> None:
        """Let the time of a request pass."""
        self.counts[operation] += 1
        await asyncio.sleep(self._takes_s(operation))


@dataclass(slots=True)
class _LongPolled:
    """The queue, whose receives answer as soon as there is a message, and take the time of an answer."""

    sends: Any
    looks: Any
    clients: _SlowClients
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sends, name)

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages, and let everybody look."""
        await self.sends.send(pool, messages, delay_s)
        self.arrived()

    def arrived(self) -> None:
        """Let everybody look who waits."""
        news, self.news = self.news, asyncio.Event()
        news.set()

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Wait until there are messages, however long it is."""
        while True:
            news = self.news
            deliveries: list[Delivery] = await self.looks.receive(pool, max_messages, 0, visibility_s)
            if deliveries:
                await self.clients.pay("sqs.ReceiveMessage")
                return deliveries
            await news.wait()


class _End:
    """Stands for the state machine: it is told how the root ended."""

    def __init__(self, clients: _SlowClients) -> None:
        self._clients = clients
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def root_ended(self, run_id: str, task_token: str | None, outcome: Outcome) -> None:
        """Take note of the end."""
        await self._clients.pay("stepfunctions.SendTaskSuccess")
        if not self.outcome.done():
            self.outcome.set_result(outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """A run in virtual time.

    Attributes:
        engine_s: From the root's message to SendTaskSuccess.
        platform_s: What the state machine and the client add.
        requests: How many there were, by operation.
    """

    engine_s: float
    platform_s: float
    requests: Counter[str]

    @property
    def total_s(self) -> float:
        """From submit to result."""
        return self.engine_s + self.platform_s


def model(takes_s: Callable[[str], float], task: Task[..., Any], *args: Any, poll_s: float | None) -> Modelled:
    """Run a task in virtual time. Each environment has a process of its own, which is up.

    Args:
        takes_s: How long a request takes.
        task: The root.
        args: Its inputs.
        poll_s: How often a parent reads its journal; None leaves it to the settings.
    """
    with moto_platform() as (quiet, settings), tempfile.TemporaryDirectory() as scratch:
        settings = replace(settings, poll_max_s=POLL_MAX_S, max_in_flight=SLOTS)
        if poll_s is not None:
            settings = replace(settings, poll_min_s=poll_s, poll_max_s=poll_s)
        loop = VirtualTimeLoop(CPU_S)
        try:
            return loop.run_until_complete(_modelled(loop, quiet, settings, Path(scratch), takes_s, task, args))
        finally:
            loop.close()


async def _modelled(
    loop: VirtualTimeLoop,
    quiet: Clients,
    settings: Settings,
    scratch: Path,
    takes_s: Callable[[str], float],
    task: Task[..., Any],
    args: Sequence[Any],
) -> Modelled:
    clock, clients = LoopClock(loop), _SlowClients(takes_s)
    looks = ports_of(quiet, settings)
    queue = _LongPolled(ports_of(clients, settings).queue, looks.queue, clients)
    end, workers = _End(clients), []
    encoded = encode_root_inputs(task, task.interface.bind(args, {}))
    run = await submission(looks.store, looks.blobs, task, encoded, RunOptions(), clock.now())
    for pool in {environment.pool for environment in with_dependencies([task.env])}:
        if pool != DEFAULT_POOL:
            create_pool(quiet, settings, pool)
        own = ports_of(clients, settings)
        ports: Any = Ports(
            store=own.store,
            blobs=own.blobs,
            queue=queue,
            orchestrator=end,  # type: ignore[arg-type]  # no other of its methods is called
            clock=clock,
            executor=ExecutorId(kind="worker", id=pool),
        )
        kernel = Kernel(
            ports=ports,
            settings=settings,
            users=InProcess(RegistryLoader(), own.transfers),
            ids=RandomIds(),
            mode="aws",
            scratch=scratch,
        )
        executor = Executor(kernel, lease_s=LEASE_S)
        worker = Worker(kernel, executor, pool=pool, slots=SLOTS, visibility_s=LEASE_S)
        workers.append(asyncio.create_task(worker.serve()))
    await looks.queue.send(run.root.task.pool, [Message(action=run.root)])
    queue.arrived()
    begun = loop.time()
    outcome = await end.outcome
    engine_s = loop.time() - begun
    for one in workers:
        one.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left, timeout=LEFT_S) if left else None
    clients.close()
    if outcome.status is not Status.SUCCEEDED:
        raise SystemExit(f"the run ended {outcome.status}: {outcome.error}")
    platform_s = sum(map(takes_s, (*BEFORE, *AFTER)))
    return Modelled(engine_s=engine_s, platform_s=platform_s, requests=clients.counts)


def round_trips(task: Task[..., Any], *args: Any) -> float:
    """Return the sequential round trips from submit to result."""
    return model(one_each, task, *args, poll_s=UNIT_S / 1000).total_s / UNIT_S


def milliseconds(task: Task[..., Any], *args: Any) -> float:
    """Return the modelled time from submit to result, in ms."""
    return model(typical_s, task, *args, poll_s=None).total_s * 1000


def figures(hops: int = 100, width: int = 100) -> dict[str, Any]:
    """Return round trips and modelled times of a single action, a chain and a fan-out."""
    found: dict[str, Any] = {"hops": hops, "width": width, "goal_trips_per_hop": GOALS}
    for name, measure in {"trips": round_trips, "ms": milliseconds}.items():
        found[f"{name}_single"] = round(measure(echo, 1), 2)
        for kind, chained, fanned in (("apart", chain, fan_out), ("together", warm_chain, warm_fan_out)):
            one, many = measure(chained, 1), measure(chained, hops)
            found[f"{name}_per_hop_{kind}"] = round((many - one) / (hops - 1), 2)
            found[f"{name}_chain_{kind}"] = round(many, 1)
            found[f"{name}_fan_out_{kind}"] = round(measure(fanned, width), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=100)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = figures(options.hops, options.width)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>24}  {value}")


if __name__ == "__main__":
    main()
