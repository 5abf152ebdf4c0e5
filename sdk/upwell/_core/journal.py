"""The journal of a parent: what it sent, what came back, what its traces returned.

Entries are written by many executors whose clocks differ, so their order is a hint. A reader therefore starts
each read a little before the newest entry that it has seen and drops what it knows (`Cursor`), and the state
that it builds (`Journal`) does not depend on the order or the number of times an entry arrives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from upwell._core.batch import Mark
from upwell._core.keys import journal_sk
from upwell._core.limits import JOURNAL_SHARD_ENTRIES
from upwell._core.model import ActionKey, Bounds, Outcome, Payload, Status

WINDOW_S = 2.0
"""How far writers' clocks and flushes may lie apart; what is later still is found by reading records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A child as the parent sent it."""

    action_id: str
    task: str
    pool: str
    inputs: str = ""
    """The start of the inputs' digest: enough to tell calls apart when a replay makes others."""
    bounds: Bounds | None = None
    """Where some of them pass while nobody runs it."""
    queued_at: float = 0.0
    """Since when these pass."""
    batch: Mark | None = None
    """Which items of which map it is to run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One batch of children went to a queue."""

    at: float
    generation: int
    shard: int
    children: tuple[Sent, ...]
    failures: int = 0
    """How often the parent had failed by then: which try of it sent them."""

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"s-{self.generation}-{self.children[0].action_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A child ended."""

    at: float
    generation: int
    action_id: str
    outcome: Outcome

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"c-{self.generation}-{self.action_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A call of a traced function returned (or raised what a repetition will not change)."""

    at: float
    trace_id: str
    name: str
    started_at: float
    outcome: Outcome
    generation: int = 0
    """0 in entries that do not say."""
    failures: int = 0
    """Which try of the parent made the call."""
    nested: bool = False
    """Whether it was called by another trace, which a replay gives back without running it."""

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"t-{self.trace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Calls of traced functions that are written together, in one item; readers see them one by one."""

    at: float
    """When they were written."""
    traces: tuple[Traced, ...]

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"g-{self.traces[0].trace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Messages of children were lost: the parent is to send these children again."""

    at: float
    generation: int
    action_ids: tuple[str, ...]
    sent_until: float
    """Of messages sent until then: the time of the newest `Scheduled` that was looked at."""

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"m-{self.generation}-{self.action_ids[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromCache:
    """A child whose result the parent found in the cache: it was never sent, and has no record."""

    action_id: str
    task: str
    pool: str
    output: Payload
    made_by: ActionKey
    made_at: float
    """When the result was computed."""
    inputs: Payload | None = None
    """If they are small; else who made the result had the same."""
    group: str | None = None
    items: int = 0
    """See `ActionSpec.items`; all of a batch were found then, and `made_by` made the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Children that were found in the cache at about the same time."""

    at: float
    generation: int
    children: tuple[FromCache, ...]

    @property
    def entry_id(self) -> str:
        """Distinguishes entries of one instant."""
        return f"h-{self.generation}-{self.children[0].action_id}"


Entry = Scheduled | Completed | Traced | Traces | Missed | Hits


@dataclass(frozen=True, slots=True)
class JournalItem:
    """An entry and its place in a shard."""

    sk: str
    entry: Entry


def sort_key(entry: Entry) -> str:
    """Return an entry's place in its shard."""
    return journal_sk(entry.at, entry.entry_id)


@dataclass(slots=True)
class Cursor:
    """Reads one shard of a journal forward, each entry once."""

    _newest_at: float = 0.0
    _recent: dict[str, float] = field(default_factory=dict)

    @property
    def after(self) -> str:
        """Where the next read starts: everything with a sort key above this."""
        return journal_sk(max(0.0, self._newest_at - WINDOW_S), "")

    def take(self, items: Sequence[JournalItem]) -> list[Entry]:
        """Return the entries not seen before; of those that were written together, each."""
        fresh = [item for item in items if item.sk not in self._recent]
        for item in fresh:
            self._recent[item.sk] = item.entry.at
            self._newest_at = max(self._newest_at, item.entry.at)
        if fresh:
            horizon = self._newest_at - WINDOW_S
            self._recent = {sk: at for sk, at in self._recent.items() if at >= horizon}
        return [entry for item in fresh for entry in _parts(item.entry)]


def _parts(entry: Entry) -> Sequence[Entry]:
    return entry.traces if isinstance(entry, Traces) else (entry,)


class Journal:
    """What a parent knows of its children and traces.

    Args:
        generation: The run's generation. Children that an earlier generation sent but did not hear of are
            sent again; their failures are forgotten, their successes are not.
    """

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.outcomes: dict[str, Outcome] = {}
        self.traces: dict[str, Outcome] = {}
        self.open: dict[str, int] = {}
        """Children sent by this generation and not yet ended, with their shards."""
        self.sent_at: dict[str, float] = {}
        """When those were sent that an earlier attempt sent."""
        self.batches: dict[str, dict[int, int]] = {}
        """How many items of a map were sent together, by the map and the index of the first."""
        self.hits: Counter[str] = Counter()
        """How many children were found in the cache, by task."""
        self._hit_ids: set[str] = set()
        self._trace_ranks: dict[str, tuple[int, float]] = {}
        self._sent = 0
        self._last_shard, self._in_last_shard = 0, set[str]()
        self._last_sent_at: dict[str, float] = {}
        self._lost_until: dict[str, float] = {}

    def apply(self, entries: Iterable[Entry]) -> list[str]:
        """Take in entries and return the children that are newly known to have ended."""
        ended = []
        for entry in entries:
            match entry:
                case Scheduled():
                    self._count(entry)
                    self._take_batches(entry)
                    if entry.generation == self.generation:
                        self._open_all(entry)
                case Traced():
                    self._take_trace(entry)
                case Traces():
                    for trace in entry.traces:
                        self._take_trace(trace)
                case Completed():
                    if self._complete(entry):
                        ended.append(entry.action_id)
                case Missed():
                    if entry.generation == self.generation:
                        self._lose(entry)
                case Hits():
                    ended += [hit.action_id for hit in entry.children if self._take_hit(hit)]
        return ended

    def _count(self, entry: Scheduled) -> None:
        """Know how many were sent at least, however often and in what order entries arrive, our own included.

        The last shard goes on to be filled, so that readers find the n-th child in shard n / 250.
        """
        if entry.shard > self._last_shard:
            self._last_shard, self._in_last_shard = entry.shard, set()
        if entry.shard == self._last_shard:
            self._in_last_shard.update(child.action_id for child in entry.children)
            self._sent = max(self._sent, entry.shard * JOURNAL_SHARD_ENTRIES + len(self._in_last_shard))

    def _lose(self, entry: Missed) -> None:
        for action_id in entry.action_ids:
            if action_id not in self.outcomes:
                until = max(entry.sent_until, self._lost_until.get(action_id, 0.0))
                self._lost_until[action_id] = until

    @property
    def lost(self) -> list[str]:
        """The open children whose messages, as far as they are known, are all lost."""
        return [
            action_id
            for action_id, until in self._lost_until.items()
            if action_id in self.open and self._last_sent_at.get(action_id, 0.0) <= until
        ]

    def must_send(self, action_id: str) -> bool:
        """Whether a child that is called now has no message yet, or lost it."""
        return action_id not in self.open or (bool(self._lost_until) and action_id in self.lost)

    def _take_batches(self, entry: Scheduled) -> None:
        for child in entry.children:
            if child.batch is not None:
                self.batches.setdefault(child.batch.map_id, {}).setdefault(child.batch.first, child.batch.count)

    def _open_all(self, entry: Scheduled) -> None:
        for child in entry.children:
            if child.action_id not in self.outcomes:
                self.open.setdefault(child.action_id, entry.shard)
                self.sent_at.setdefault(child.action_id, entry.at)
                self._last_sent_at[child.action_id] = max(
                    entry.at, self._last_sent_at.get(child.action_id, 0.0)
                )

    def _complete(self, entry: Completed) -> bool:
        usable = entry.generation == self.generation or entry.outcome.status is Status.SUCCEEDED
        return usable and self._end(entry.action_id, entry.outcome)

    def _take_hit(self, hit: FromCache) -> bool:
        if hit.action_id not in self._hit_ids:
            self._hit_ids.add(hit.action_id)
            self.hits[hit.task] += 1
        return self._end(hit.action_id, Outcome(status=Status.SUCCEEDED, output=hit.output))

    def _end(self, action_id: str, outcome: Outcome) -> bool:
        """Note how a child ended; the first end that is known stays."""
        if action_id in self.outcomes:
            return False
        self.outcomes[action_id] = outcome
        self.open.pop(action_id, None)
        self.sent_at.pop(action_id, None)
        self._last_sent_at.pop(action_id, None)
        self._lost_until.pop(action_id, None)
        return True

    def _take_trace(self, entry: Traced) -> None:
        """Keep the entry that says most: a success, else a failure that stays one, else the first failure."""
        error = entry.outcome.error
        rank = (0 if error is None else 1 if not error.recoverable else 2, entry.at)
        if rank < self._trace_ranks.get(entry.trace_id, (3, 0.0)):
            self._trace_ranks[entry.trace_id] = rank
            self.traces[entry.trace_id] = entry.outcome

    def shard_of(self, action_id: str) -> int:
        """Return the shard of a child that is sent now: the one it was sent in before, or the next."""
        known = self.open.get(action_id)
        return self.next_shard() if known is None else known

    def next_shard(self) -> int:
        """Return the shard for one more child: a new one for every 250."""
        shard = self._sent // JOURNAL_SHARD_ENTRIES
        self._sent += 1
        return shard

    def sent(self, action_id: str, shard: int, at: float = 0.0) -> None:
        """Note a child that this attempt has sent."""
        if action_id not in self.outcomes:
            self.open.setdefault(action_id, shard)
            self._last_sent_at[action_id] = max(at, self._last_sent_at.get(action_id, 0.0))

    def shards_of_interest(self) -> list[int]:
        """Return the shards in which something is still expected."""
        return sorted(set(self.open.values()))
