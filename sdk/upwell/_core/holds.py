"""Who may be where: places under limits, held for a time, so that a dead holder frees its place by itself.

A limit has places `0 .. n - 1`, each an item of its own: nothing is counted in one item. A place is taken,
renewed and released by conditional writes that the holder's lease id fences. Who wants a place reads those of
the scope, and this module says which of them may be taken:

    place            may be taken
    nobody there     yes
    held             no
    expired          yes: its holder is dead, or does not know yet that it has lost the place
    asleep           no, while its action sleeps or waits to go on; only that action may
    of an attempt    by the next attempt of the same action, once the record says that the earlier one is over
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upwell._core.model import ActionKey, ActionRecord, ActionSpec, Executor, Limit, Status, TaskSpec

HOLD_MAX_S = 30.0
"""A place is held for so long, or for a lease if that is shorter, unless it is renewed."""
SHARE_OF_WAIT = 0.05
WAIT_MIN_S, WAIT_MAX_S = 0.02, 2.0
"""Between two looks for a free place: 5 % of the time waited, within these bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A place, and who holds it."""

    scope: str
    place: int
    lease_id: str
    """Of the attempt; fences each write."""
    run_id: str
    action_id: str
    generation: int
    task: str
    executor: Executor
    since: float
    expires_at: float
    asleep: bool = False
    """Whether its action was suspended with it: then the action's record says how long it is held."""

    @property
    def action(self) -> ActionKey:
        """The action that holds it."""
        return ActionKey(self.run_id, self.action_id)


def task_scope(task: str) -> str:
    """Return the scope of a task's limit."""
    return f"task:{task}"


def environment_scope(environment: str) -> str:
    """Return the scope of an environment's limit."""
    return f"env:{environment}"


def lock_of(task: TaskSpec) -> Limit | None:
    """Return the limit that lets one attempt at a time compute a cached result; None if it is not so."""
    if task.cache_key is None or not task.cache_serialize:
        return None
    return Limit(scope=f"cache:{task.cache_key}", places=1)


def limits_of(task: TaskSpec) -> tuple[Limit, ...]:
    """Return all that bounds how often a task runs at once, in the order in which places are taken."""
    lock = lock_of(task)
    return task.limits if lock is None else (lock, *task.limits)


def wanted(
    spec: ActionSpec, limit: Limit, lease_id: str, executor: Executor, now: float, hold_s: float
) -> Hold:
    """Return the hold that an attempt asks for; its place is chosen later."""
    return Hold(
        scope=limit.scope,
        place=0,
        lease_id=lease_id,
        run_id=spec.run.run_id,
        action_id=spec.action_id,
        generation=spec.run.generation,
        task=spec.task.name,
        executor=executor,
        since=now,
        expires_at=now + hold_s,
    )


def doubtful(seen: Sequence[Hold], asker: Hold, now: float) -> list[ActionKey]:
    """Return the actions whose records tell whether their holds are over: see `is_over`."""
    return [
        hold.action
        for hold in seen
        if hold.lease_id != asker.lease_id
        and (hold.action == asker.action or (hold.asleep and hold.expires_at <= now))
    ]


def is_over(hold: Hold, record: ActionRecord | None, asker: Hold, now: float) -> bool:
    """Whether a hold does not keep the asker from its place.

    Args:
        hold: As stored.
        record: Of the hold's action, where `doubtful` asks for it.
        asker: What the asker wants.
        now: The time, epoch seconds.
    """
    if hold.lease_id == asker.lease_id:
        return True
    if hold.action == asker.action:
        return _is_predecessor(hold, record, asker, now) or (not hold.asleep and hold.expires_at <= now)
    return hold.expires_at <= now and not (hold.asleep and _goes_on(record, now))


def _is_predecessor(hold: Hold, record: ActionRecord | None, asker: Hold, now: float) -> bool:
    """Whether a hold is that of an earlier attempt of the same action, which runs no more."""
    if record is None or _runs(record, now, asker.generation):
        return False
    return hold.asleep or (record.lease is not None and record.lease.id == hold.lease_id)


def _goes_on(record: ActionRecord | None, now: float) -> bool:
    """Whether a suspended action will be woken, or is about to run."""
    if record is None:
        return False
    return record.status in {Status.SUSPENDED, Status.QUEUED} or _runs(record, now, record.generation)


def _runs(record: ActionRecord, now: float, generation: int) -> bool:
    is_held = record.lease is not None and record.lease.expires_at > now
    return record.status is Status.RUNNING and is_held and record.generation >= generation


@dataclass(frozen=True, slots=True)
class Choice:
    """A place that may be taken: nobody is there, or a hold that is over."""

    place: int
    replaces: Hold | None


def choices(
    limit: Limit,
    seen: Sequence[Hold],
    records: Mapping[ActionKey, ActionRecord],
    asker: Hold,
    now: float,
) -> list[Choice]:
    """Return the places that the asker may take, the one to try first in front.

    Askers begin at different places, so that they seldom want the same one. Where the limit was lowered, those
    in places beyond it count until they leave.
    """
    over = {h.place for h in seen if is_over(h, records.get(h.action), asker, now)}
    held = {hold.place: hold for hold in seen}
    own = [Choice(h.place, h) for h in seen if h.place in over and h.action == asker.action]
    taken = held.keys() - over
    if len(taken) >= limit.places:
        return []
    first = zlib.crc32(asker.lease_id.encode()) % limit.places
    rotated = [(first + n) % limit.places for n in range(limit.places)]
    mine = {choice.place for choice in own}
    free = [Choice(place, held.get(place)) for place in rotated if place not in taken and place not in mine]
    return own + free


def wait_s(waited_s: float, lease_id: str) -> float:
    """Return when to look for a place again: 5 % of the time waited, give or take half of that.

    Args:
        waited_s: Since the action was called.
        lease_id: Random; spreads those that wait.
    """
    bounded = min(max(waited_s * SHARE_OF_WAIT, WAIT_MIN_S), WAIT_MAX_S)
    return bounded * (0.5 + zlib.crc32(lease_id.encode()) / 2**32)
