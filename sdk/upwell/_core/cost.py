"""What a run costs on AWS, worked out from its records.

A record tells how often it was written, who ran its attempts and how long. What is not recorded is taken from
the requests of a fan-out of small actions as `bench.meter` counts them: `BASIS` says which is which.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from upwell._core.limits import ACTION_SHARDS, LAMBDA_MIB_PER_VCPU
from upwell._core.model import ROOT_ID, ActionRecord, PoolSize, RunRecord
from upwell._core.prices import MILLION, Bill, price
from upwell._core.usage import MIB_PER_GB, RUN, WRITE_UNIT_BYTES, Usage, sqs_units, total, write_units
from upwell._core.wire import dump_record

BASIS: Mapping[str, str] = {
    "record writes": "recorded: the version of each record; their size is that of the last version",
    "compute": "recorded: how long attempts ran; of one that was suspended, at most 5 s each time it was awake",
    "lambda invocations, state transitions": "recorded: attempts on Lambda; submissions",
    "journals, queues, reads, views": "estimated: as metered for small actions in a fan-out",
    "not counted": "traces, logs, storage, idle workers, timers of the platform, polls of empty queues",
}
DEFAULT_SIZE = PoolSize(kind="lambda", memory_mib=LAMBDA_MIB_PER_VCPU)
"""Of the default pool, and of a pool that a run does not know."""
SIZED = 100
"""Records of a task whose size is taken; the others count as their mean."""
AWAKE_S = 5.0
"""How long a parent stays in a process that it could leave, each time it waits."""

SEND = Usage(requests=0.19, sqs_requests=0.19, fair_requests=0.19)
RECEIVE = Usage(requests=0.33, sqs_requests=0.33, fair_requests=0.33)
DELETE = Usage(requests=0.36, sqs_requests=0.36, fair_requests=0.36)
DELIVERY = total([SEND, RECEIVE, DELETE])
"""Of each attempt: its message is sent, received and deleted, in batches."""
REPLY = Usage(requests=0.38)
"""Of each child that ended: its entry in the parent's journal; the write units go by its size."""
ENTRY_BYTES = 250
CACHE_ENTRY_BYTES = 800
"""Of a kept result, besides the result: what its key was made of, twice."""
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


@dataclass(slots=True)
class _Sums:
    actions: int = 0
    attempts: int = 0
    run_s: float = 0.0
    control: Usage = field(default_factory=Usage)
    compute: Usage = field(default_factory=Usage)
    sized_bytes: int = 0


class CostTally:
    """Adds up the records of a run, one at a time.

    Args:
        run: The run.
        now: The time, epoch seconds: attempts that run have lasted until now.
    """

    def __init__(self, run: RunRecord, now: float) -> None:
        self._run, self._now = run, now
        self._tasks: dict[str, _Sums] = {}

    def add(self, record: ActionRecord) -> None:
        """Add an action."""
        sums = self._tasks.setdefault(record.spec.task.name, _Sums())
        if sums.actions < SIZED:
            sums.sized_bytes += record_bytes(record)
        sums.actions += 1
        sums.attempts += record.attempt
        size_bytes = sums.sized_bytes // min(sums.actions, SIZED)
        sums.control += _control(record, size_bytes)
        size = self._run.pools.get(record.spec.task.pool, DEFAULT_SIZE)
        seconds = _run_s(record, self._now)
        sums.run_s += seconds
        sums.compute += _compute(size, seconds)
        if size.kind == "lambda":
            awakenings = record.suspension.count if record.suspension is not None else 0
            sums.control += Usage(lambda_requests=record.attempt + awakenings)

    def cost(self) -> RunCost:
        """Return what it comes to."""
        tasks = {
            name: TaskCost(
                actions=sums.actions,
                attempts=sums.attempts,
                run_s=sums.run_s,
                control=sums.control,
                compute=sums.compute,
            )
            for name, sums in self._tasks.items()
        }
        submission = RUN + Usage(requests=1)
        actions = sum(sums.actions for sums in self._tasks.values())
        return RunCost(
            tasks=tasks,
            submissions=submission * self._run.spec.generation,
            views=_views(actions, (self._run.ended_at or self._now) - self._run.spec.created_at),
        )


def record_bytes(record: ActionRecord) -> int:
    """Return the size of the item that DynamoDB has of a record; one above a write unit is deflated."""
    run_id, action_id = record.spec.run.run_id, record.spec.action_id
    names = "pk sk run_id task status version generation record"
    keys = f"{run_id}#0{action_id}{run_id}{record.spec.task.name}{record.status.value}00"
    rest_bytes = len(names.replace(" ", "")) + len(keys.encode())
    content = dump_record(record).encode()
    size_bytes = rest_bytes + len(content)
    return size_bytes if size_bytes <= WRITE_UNIT_BYTES else rest_bytes + len(zlib.compress(content))


def _views(actions: int, lasted_s: float) -> Usage:
    """Return what keeping the view takes: once a second, each lane in which something changed."""
    changes = CHANGES * actions
    batches = min(changes, 1 + max(0.0, lasted_s) / VIEW_EVERY_S)
    return LANE * min(changes, batches * ACTION_SHARDS) + Usage(lambda_requests=batches)


def _control(record: ActionRecord, size_bytes: int) -> Usage:
    spec = record.spec
    if record.cached_from is not None and not record.version:
        return HIT
    parts = [Usage(requests=1, write_units=write_units(size_bytes)) * record.version]
    if record.attempts:
        chunks = sqs_units(spec.inputs.size_bytes if spec.inputs.blob is None else 0)
        parts += [DELIVERY * (record.attempt * chunks)]
        parts += [HEARTBEAT * max(0, record.version - 2 * record.attempt)]
    output = record.outcome.output if record.outcome is not None else None
    output_bytes = 0 if output is None or output.blob is not None else output.size_bytes
    if record.outcome is not None and spec.action_id != ROOT_ID:
        parts += [REPLY, Usage(write_units=write_units(ENTRY_BYTES + output_bytes)), LOOK]
    if spec.action_id != ROOT_ID:
        parts += [SCHEDULED]
    if spec.task.cache_key is not None:
        kept = record.cached_from is None and output is not None
        parts += [Usage(requests=1, read_units=1)]
        entry = Usage(requests=1, write_units=write_units(CACHE_ENTRY_BYTES + output_bytes))
        parts += [entry + KEPT] * kept
    blobs = (spec.inputs.blob is not None) + (output is not None and output.blob is not None)
    parts += [Usage(requests=2, s3_puts=1, s3_gets=1)] * blobs
    return total(parts)


def _run_s(record: ActionRecord, now: float) -> float:
    """Return how long the attempts of an action had an executor, in seconds."""
    seconds = [(attempt.ended_at or now) - attempt.started_at for attempt in record.attempts]
    if seconds and record.suspension is not None and record.suspension.attempt == record.attempt:
        seconds[-1] = min(seconds[-1], (record.suspension.count + 1) * AWAKE_S)
    return sum(max(0.0, s) for s in seconds)


def _compute(size: PoolSize, seconds: float) -> Usage:
    gb = size.memory_mib / MIB_PER_GB
    if size.kind == "lambda":
        return Usage(lambda_gb_s=seconds * gb)
    share_s = seconds / size.slots
    return Usage(fargate_vcpu_s=share_s * size.vcpus, fargate_gb_s=share_s * gb)
