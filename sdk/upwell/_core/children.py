"""The children of a parent as its journal tells of them, to whoever is not the parent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from upwell._core.journal import Completed, Entry, FromCache, Hits, Missed, Scheduled, Sent
from upwell._core.model import ActionRecord, ActionSpec, Bounds, Outcome, Payload, RunSpec, Status, TaskSpec


@dataclass(slots=True)
class Child:
    """A child that was sent and, as far as its parent's journal says, is open."""

    sent: Sent
    shard: int
    first_at: float
    last_at: float
    lost_until: float = 0.0


@dataclass(slots=True)
class Children:
    """What the journal of a parent says of its children.

    Args:
        generation: The parent's.
    """

    generation: int
    open: dict[str, Child] = field(default_factory=dict)
    hits: dict[str, tuple[FromCache, float]] = field(default_factory=dict)
    """Children that were found in the cache, and when."""
    news_at: float = 0.0
    """When the newest end was journaled."""

    def apply(self, entries: Iterable[Entry]) -> Children:
        """Take in a whole journal."""
        ended: set[str] = set()
        missed: list[Missed] = []
        for entry in entries:
            match entry:
                case Scheduled() if entry.generation == self.generation:
                    self._sent(entry)
                case Completed() if entry.generation == self.generation or _succeeded(entry.outcome):
                    ended.add(entry.action_id)
                    self.news_at = max(self.news_at, entry.at)
                case Missed() if entry.generation == self.generation:
                    missed.append(entry)
                case Hits():
                    self.hits |= {hit.action_id: (hit, entry.at) for hit in entry.children}
                    ended.update(hit.action_id for hit in entry.children)
        for action_id in ended:
            self.open.pop(action_id, None)
        for entry in missed:
            for child in (self.open[one] for one in entry.action_ids if one in self.open):
                child.lost_until = max(child.lost_until, entry.sent_until)
        return self

    def _sent(self, entry: Scheduled) -> None:
        for sent in entry.children:
            child = self.open.setdefault(sent.action_id, Child(sent, entry.shard, entry.at, entry.at))
            child.first_at = min(child.first_at, entry.at)
            child.last_at = max(child.last_at, entry.at)


def child_spec(parent: ActionSpec, sent: Sent, shard: int) -> ActionSpec:
    """Return as much of a child as its parent's journal knows: enough to end it."""
    return ActionSpec(
        run=parent.run,
        action_id=sent.action_id,
        task=TaskSpec(
            name=sent.task, module=parent.task.module, pool=sent.pool, bounds=sent.bounds or Bounds()
        ),
        inputs=Payload(size_bytes=0),
        parent_id=parent.action_id,
        shard=shard,
        queued_at=sent.queued_at,
        parent_sleeps=True,
    )


def hit_record(parent: ActionRecord, hit: FromCache, at: float) -> ActionRecord:
    """Return a child that was found in the cache, as a record.

    Args:
        parent: Whose journal tells of it.
        hit: What it tells.
        at: When that was written.
    """
    spec = ActionSpec(
        run=parent.spec.run,
        action_id=hit.action_id,
        task=TaskSpec(name=hit.task, module="", pool=hit.pool),
        inputs=hit.inputs or Payload(size_bytes=0),
        parent_id=parent.spec.action_id,
        group=hit.group,
        depth=parent.spec.depth + 1,
        queued_at=at,
        items=hit.items,
    )
    return ActionRecord(
        spec=spec,
        status=Status.SUCCEEDED,
        version=0,
        generation=parent.generation,
        created_at=at,
        ended_at=at,
        outcome=Outcome(status=Status.SUCCEEDED, output=hit.output),
        cached_from=hit.made_by,
        cached_at=hit.made_at,
    )


def unclaimed_child(sent: Sent) -> ActionRecord:
    """Return a child that has no record, as far as its bounds are concerned."""
    task = TaskSpec(name=sent.task, module="", pool=sent.pool, bounds=sent.bounds or Bounds())
    spec = ActionSpec(
        run=RunSpec(run_id=""),
        action_id=sent.action_id,
        task=task,
        inputs=Payload(size_bytes=0),
        queued_at=sent.queued_at,
    )
    return unclaimed(spec)


def unclaimed(spec: ActionSpec) -> ActionRecord:
    """Return an action that nobody has claimed, as a record."""
    return ActionRecord(spec=spec, status=Status.NEW, version=0, generation=spec.run.generation, created_at=0.0)


def _succeeded(outcome: Outcome) -> bool:
    return outcome.status is Status.SUCCEEDED
