"""The ports of the engine, and nothing of their adapters.

`_local` has SQLite, memory and folders behind them, `_aws` DynamoDB, SQS, S3 and Step Functions.

All are asynchronous and safe to use from many coroutines of one event loop. A conditional write that loses says
so by its result; everything else that fails raises. `tests/contract` holds every adapter to one suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from upwell._core.aggregates import Aggregates
from upwell._core.garbage import BlobInfo
from upwell._core.holds import Hold
from upwell._core.journal import Entry, JournalItem
from upwell._core.log_lines import LogPage, LogQuery
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    CacheEntry,
    CacheSummary,
    Executor,
    Outcome,
    RunRecord,
    SecretSpec,
    Status,
)
from upwell._core.wire import Message


class Clock(Protocol):
    """Time. `testing` has one that can be skipped."""

    def now(self) -> float:
        """Return the time, epoch seconds."""

    async def sleep(self, delay_s: float) -> None:
        """Return after so many seconds of this clock."""


class Actions(Protocol):
    """Action records: one item each, guarded by its version."""

    async def get(self, key: ActionKey) -> ActionRecord | None:
        """Return a record, strongly consistent."""

    async def get_many(self, keys: Sequence[ActionKey]) -> dict[ActionKey, ActionRecord]:
        """Return those of the records that exist; any number of keys."""

    async def save(self, record: ActionRecord, *, expected: int | None) -> bool:
        """Write a record if the stored version is `expected` (None: if there is none).

        Returns:
            False when the condition did not hold; nothing was written then.
        """

    def list_actions(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield every record of a run, in no particular order."""

    async def find_actions(
        self, run_id: str, kinds: Sequence[tuple[str, str]], after: str | None, limit: int
    ) -> tuple[list[ActionRecord], str | None]:
        """Return some of a run's records, in an order that stays the same; what it reads of others is bounded.

        Args:
            run_id: Of the run.
            kinds: Their tasks, by full name, with a status each.
            after: What the call before returned; None begins.
            limit: How many at most.

        Returns:
            Records, which may be fewer although there are more, and where to go on; None at the end.
        """

    def list_open(self, run_id: str) -> AsyncIterator[ActionRecord]:
        """Yield the records of a run that have not ended; what was written a moment ago may be missing."""


class Journals(Protocol):
    """Journals of parents: append-only, ordered by sort key within a shard."""

    async def append(self, parent: ActionKey, shard: int, entries: Sequence[Entry]) -> None:
        """Add entries at their `sort_key`; repeating an entry changes nothing."""

    async def read(self, parent: ActionKey, shard: int, after: str = "") -> list[JournalItem]:
        """Return the entries above a sort key, in order, strongly consistent."""


class Cache(Protocol):
    """Results kept under cache keys."""

    async def get_cached(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        """Return those of the entries that exist; any number of keys."""

    async def put_cached(self, entries: Sequence[CacheEntry]) -> None:
        """Keep entries; the last one under a key wins. One that is long past its `max_age_s` may be gone."""

    def list_cached(
        self, task: str | None = None, *, before: float | None = None, limit: int | None = None
    ) -> AsyncIterator[CacheSummary]:
        """Yield what there is to know of entries, page by page; what was kept a moment ago may be missing.

        Args:
            task: Only those of this task, newest first. Without it all come, in no particular order, those
                included that do not say whose they are.
            before: Only those of this task that were kept earlier than that, epoch seconds.
            limit: Yield so many at most, and read little more.
        """

    async def drop_cached(self, keys: Sequence[str]) -> None:
        """Delete entries; nothing happens to those that do not exist."""


@dataclass(frozen=True, slots=True)
class RunView:
    """The folded state of a run: how many actions of each task are in each status."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Task name -> status -> number of actions."""


class Runs(Protocol):
    """Run records and their views."""

    async def get_run(self, run_id: str) -> RunRecord | None:
        """Return a run."""

    async def save_run(self, run: RunRecord, *, expected: int | None) -> bool:
        """Write a run if the stored version is `expected` (None: if there is none)."""

    async def list_runs(
        self, limit: int = 100, *, before: float | None = None, statuses: Collection[Status] = ()
    ) -> list[RunRecord]:
        """Return the newest runs, newest first.

        Args:
            limit: How many at most.
            before: Only those that were created earlier than that, epoch seconds.
            statuses: Only those in one of these, which an index finds; empty takes all.
        """

    async def view(self, run_id: str) -> RunView:
        """Return the folded counts; they may be slightly behind."""

    async def aggregates(self, run_id: str) -> Aggregates:
        """Return what was folded of a run's actions so far; nothing of what older versions wrote."""

    async def due_runs(self, now: float, limit: int) -> list[str]:
        """Return the runs whose `look_at` has come, the longest overdue first."""

    async def plan_look(self, run: RunRecord, look_at: float | None, *, looked_at: float) -> bool:
        """Say when a run is looked at next (None: never), leaving its version alone.

        Args:
            run: As it was read.
            look_at: When to look next.
            looked_at: When it was looked at.

        Returns:
            False when somebody has planned another look since it was read, or it has succeeded.
        """


class Holds(Protocol):
    """Places under limits, one item each; every write is fenced by the lease that holds the place."""

    async def list_holds(self, scope: str | None = None) -> list[Hold]:
        """Return what is stored of a scope (None: of all), by scope and place, expired or not; consistent."""

    async def take_hold(self, hold: Hold, *, replaces: Hold | None) -> bool:
        """Write a hold if nobody is in its place, or `replaces` is, unchanged, or the same lease.

        Returns:
            False when somebody else is there; nothing was written then.
        """

    async def renew_hold(self, hold: Hold) -> bool:
        """Write a hold anew if its lease is in its place; False if it isn't."""

    async def release_hold(self, hold: Hold) -> None:
        """Leave a place; nothing happens when another lease is there, or none."""


class StateStore(Actions, Journals, Cache, Runs, Holds, Protocol):
    """Everything that must survive the processes."""


class BlobStore(Protocol):
    """Bytes under keys (see `keys`); content-addressed ones are written once."""

    async def put(self, key: str, data: bytes) -> None:
        """Write a blob; when the key exists already, keep what is there.

        What is shared between runs and was written more than `REFRESH_S` ago counts as written now.
        """

    async def get(self, key: str) -> bytes:
        """Return a blob.

        Raises:
            BlobNotFoundError: there is none.
        """

    async def exists(self, key: str) -> bool:
        """Whether there is such a blob."""

    async def is_younger(self, key: str, age_s: float) -> bool:
        """Whether there is such a blob, written less than so many seconds ago."""

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield the blobs whose keys start with a prefix that ends in a slash, in no particular order."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete blobs; nothing happens to those that do not exist."""

    def uri(self, key: str) -> str:
        """Return the address of a key for `upwell.io`: `s3://bucket/key` or a path."""


class BlobNotFoundError(LookupError):
    """No blob under this key."""


class PoolNotFoundError(LookupError):
    """No queue for this pool: its environment is not deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A received message. The receipt is the adapter's; only the newest one counts."""

    pool: str
    message: Message
    receipt: str
    received: int = 1
    """How often this message was received, this time included."""


class ActionQueue(Protocol):
    """One queue per pool; at least once, in any order."""

    async def send(self, pool: str, messages: Sequence[Message], delay_s: float = 0.0) -> None:
        """Send messages, in batches of what the queue takes; fair between runs.

        Args:
            delay_s: Not to be received earlier. A queue may cap it (SQS: 900 s).

        Raises:
            PoolNotFoundError: no such queue.
        """

    async def waiting(self, pool: str) -> int:
        """Return about how many messages are ready to be received, or delayed.

        Raises:
            PoolNotFoundError: no such queue.
        """

    async def receive(self, pool: str, max_messages: int, wait_s: float, visibility_s: float) -> list[Delivery]:
        """Wait for messages and hide them from other receivers for `visibility_s`.

        Raises:
            PoolNotFoundError: no such queue.
        """

    async def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Remove messages for good."""

    async def hide(self, delivery: Delivery, visibility_s: float) -> None:
        """Change how long a received message stays hidden, from now; 0 shows it at once."""


class Orchestrator(Protocol):
    """Starts runs and learns how their root actions ended: Step Functions, or a stand-in on the same store."""

    async def start(self, run: RunRecord, *, timeout_s: float | None = None) -> None:
        """Write the run record and send the root action.

        Raises:
            RunExistsError: a run of this name and generation was started before.
        """

    async def root_ended(self, run_id: str, task_token: str | None, outcome: Outcome) -> None:
        """Record how the root action ended; repeating it changes nothing."""

    async def stop(self, run_id: str, reason: str) -> None:
        """End a run as ABORTED; nothing happens when it has ended already."""

    async def settle(self, run: RunRecord, outcome: Outcome) -> None:
        """End a run as its root ended, where the orchestrator could not be told; repeating changes nothing."""


class SecretStore(Protocol):
    """Where secrets are."""

    async def variables(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """Return values by the name of the variable; what the process has already may be left out.

        Raises:
            SecretNotFoundError: there is no such secret.
        """


class Logs(Protocol):
    """Where the lines are that tasks printed and logged."""

    async def read(self, query: LogQuery, *, cursor: str | None, limit: int) -> LogPage:
        """Return lines of a query, as a page: fewer than `limit` need not be the last.

        Args:
            query: Which lines.
            cursor: Of the page before; None begins. With the last one's, later lines are found.
            limit: The most lines.

        Raises:
            LogCursorError: the cursor is of something else.
        """


class RunExistsError(ValueError):
    """A run of this name and generation was started before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything that the engine needs of its surroundings."""

    store: StateStore
    blobs: BlobStore
    queue: ActionQueue
    orchestrator: Orchestrator
    clock: Clock
    executor: Executor
