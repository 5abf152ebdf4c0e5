"""What a run costs on AWS, worked out from what its actions took.

Their records tell how often they were written, who ran their attempts and how long. What is not recorded is
taken from the requests of a fan-out of small actions as `bench.meter` counts them: `BASIS` says which is which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from upwell._core.effort import Amounts, effort_of
from upwell._core.efforts import Efforts
from upwell._core.limits import ACTION_SHARDS, LAMBDA_MIB_PER_VCPU
from upwell._core.model import ActionRecord, PoolSize, RunRecord
from upwell._core.prices import MILLION, Bill, price
from upwell._core.usage import MIB_PER_GB, RUN, Usage, total, write_units

BASIS: Mapping[str, str] = {
    "record writes": "recorded: the version of each record; their size, of the last versions of some",
    "compute": "recorded: how long attempts ran; of one that was suspended, at most 5 s each time it was awake",
    "lambda invocations, state transitions": "recorded: attempts on Lambda; submissions",
    "journals, queues, reads, views": "estimated: as metered for small actions in a fan-out",
    "not counted": "traces, logs, storage, idle workers, timers of the platform, polls of empty queues",
}
DEFAULT_SIZE = PoolSize(kind="lambda", memory_mib=LAMBDA_MIB_PER_VCPU)
"""Of the default pool, and of a pool that a run does not know."""

SEND = Usage(requests=0.19, sqs_requests=0.19, fair_requests=0.19)
RECEIVE = Usage(requests=0.33, sqs_requests=0.33, fair_requests=0.33)
DELETE = Usage(requests=0.36, sqs_requests=0.36, fair_requests=0.36)
DELIVERY = total([SEND, RECEIVE, DELETE])
"""Of each attempt: its message is sent, received and deleted, in batches."""
REPLY = Usage(requests=0.38)
"""Of each child that ended: its entry in the parent's journal; the write units go by its size."""
SCHEDULED = Usage(requests=0.02, write_units=0.17)
LOOK = Usage(requests=0.06, read_units=0.34)
"""What the parent reads of its journal, per child."""
LANE = Usage(requests=2, write_units=1.5, read_units=1)
"""Of each lane of the run's view, whenever it is brought up to date."""
CHANGES = 2
"""Of an action that the view counts: it began, and it ended."""
VIEW_EVERY_S = 1.0
"""How long the stream's function gathers changes."""
HIT = Usage(requests=0.02, write_units=0.06, read_units=1)
"""Of each call that the cache answered in its parent: the look, and its share of an entry of the journal."""
KEPT = Usage(write_units=1)
"""Of each result that is kept: its place in the index of its task."""
HEARTBEAT = Usage(requests=0.5, sqs_requests=0.5, fair_requests=0.5)
"""Of each extension of a lease, besides the write: the message is hidden for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCost:
    """What the actions of one task cost.

    Attributes:
        run_s: Time of attempts, in seconds.
        control: What the engine's own requests use.
        compute: What the executors use.
    """

    actions: int
    attempts: int
    run_s: float
    control: Usage
    compute: Usage

    @property
    def usd(self) -> float:
        """Dollars in all."""
        return price(self.control + self.compute).usd


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """What a run costs.

    Attributes:
        tasks: By name of the task.
        submissions: Executions of the state machine.
        views: What it takes to count the actions for `get run`.
    """

    tasks: Mapping[str, TaskCost]
    submissions: Usage
    views: Usage

    @property
    def actions(self) -> int:
        """How many there are."""
        return sum(task.actions for task in self.tasks.values())

    @property
    def control(self) -> Usage:
        """What the engine's own requests use."""
        return total([self.submissions, self.views, *(task.control for task in self.tasks.values())])

    @property
    def compute(self) -> Usage:
        """What the executors use."""
        return total(task.compute for task in self.tasks.values())

    @property
    def bill(self) -> Bill:
        """Everything in dollars."""
        return price(self.control + self.compute)

    @property
    def control_usd_per_million(self) -> float:
        """Dollars of a million such actions without their compute."""
        return price(self.control).usd / max(1, self.actions) * MILLION


def cost_of(run: RunRecord, efforts: Efforts, now: float) -> RunCost:
    """Return what a run costs.

    Args:
        run: The run.
        efforts: What its actions took.
        now: The time, epoch seconds: attempts that run have lasted until now.
    """
    tasks: dict[str, TaskCost] = {}
    for (name, pool), task in sorted(efforts.tasks.items(), key=itemgetter(0)):
        size = run.pools.get(pool, DEFAULT_SIZE)
        found = _task_cost(task.amounts, size, now)
        tasks[name] = found if name not in tasks else _both(tasks[name], found)
    for name, hits in sorted(efforts.hits.items()):
        found = TaskCost(actions=hits, attempts=0, run_s=0.0, control=HIT * hits, compute=Usage())
        tasks[name] = found if name not in tasks else _both(tasks[name], found)
    return RunCost(
        tasks={name: task for name, task in tasks.items() if task.actions},
        submissions=(RUN + Usage(requests=1)) * run.spec.generation,
        views=_views(efforts.actions, (run.ended_at or now) - run.spec.created_at),
    )


def efforts_of(records: Iterable[ActionRecord]) -> Efforts:
    """Return what actions took, by their records: the same that is folded of them."""
    efforts = Efforts()
    for record in records:
        efforts.count(record.spec.task.name, effort_of(record), record.hits, 1)
    return efforts


def _task_cost(amounts: Amounts, size: PoolSize, now: float) -> TaskCost:
    run_s = (amounts.run_us + max(0, amounts.open * round(now * 1e6) - amounts.open_since_us)) / 1e6
    control = _control(amounts)
    if size.kind == "lambda":
        control += Usage(lambda_requests=amounts.attempts + amounts.awakenings)
    return TaskCost(
        actions=amounts.actions,
        attempts=amounts.attempts,
        run_s=run_s,
        control=control,
        compute=_compute(size, run_s),
    )


def _both(one: TaskCost, other: TaskCost) -> TaskCost:
    return TaskCost(
        actions=one.actions + other.actions,
        attempts=one.attempts + other.attempts,
        run_s=one.run_s + other.run_s,
        control=one.control + other.control,
        compute=one.compute + other.compute,
    )


def _views(actions: int, lasted_s: float) -> Usage:
    """Return what keeping the view takes: once a second, each lane in which something changed."""
    changes = CHANGES * actions
    batches = min(changes, 1 + max(0.0, lasted_s) / VIEW_EVERY_S)
    return LANE * min(changes, batches * ACTION_SHARDS) + Usage(lambda_requests=batches)


def _control(amounts: Amounts) -> Usage:
    size_bytes = amounts.sized_bytes // max(1, amounts.sized)
    return total(
        [
            Usage(requests=1, write_units=write_units(size_bytes)) * amounts.writes,
            DELIVERY * amounts.messages,
            HEARTBEAT * amounts.heartbeats,
            (REPLY + LOOK) * amounts.replies,
            SCHEDULED * amounts.scheduled,
            Usage(requests=1, read_units=1) * amounts.keyed,
            (Usage(requests=1) + KEPT) * amounts.kept,
            Usage(write_units=amounts.reply_units + amounts.kept_units),
            Usage(requests=2, s3_puts=1, s3_gets=1) * amounts.blobs,
        ]
    )


def _compute(size: PoolSize, seconds: float) -> Usage:
    gb = size.memory_mib / MIB_PER_GB
    if size.kind == "lambda":
        return Usage(lambda_gb_s=seconds * gb)
    share_s = seconds / size.slots
    return Usage(fargate_vcpu_s=share_s * size.vcpus, fargate_gb_s=share_s * gb)
