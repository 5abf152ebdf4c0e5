"""Two executors race for places with leases that expire: never more valid holders than places.

The store is SQLite's. Each executor acts on what it read some time ago, loses answers, and may die.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from upwell._core.holds import HOLD_MAX_S, Hold, choices, wanted
from upwell._core.model import ActionSpec, Executor, Limit, Payload, RunSpec, TaskSpec
from upwell._local import sqlite_statements as statements
from upwell._local.connection import HOLDS

SCOPE = "task:e.t"
TASK = TaskSpec(name="e.t", module="m", pool="p")


def action(name: str) -> ActionSpec:
    return ActionSpec(run=RunSpec(run_id="r"), action_id=name, task=TASK, inputs=Payload(size_bytes=0))


@dataclass
class Attempt:
    """An attempt that wants, or believes to have, a place."""

    lease_id: str
    seen: list[Hold] = field(default_factory=list)
    has: Hold | None = None


class HoldsMachine(RuleBasedStateMachine):
    @initialize(places=st.integers(1, 3))
    def begin(self, places: int) -> None:
        self.limit = Limit(scope=SCOPE, places=places)
        self.store = sqlite3.connect(":memory:", isolation_level=None)
        self.store.executescript(HOLDS)
        self.now = 1000.0
        self.attempts = [Attempt(f"lease-{n}") for n in range(4)]
        self.count = len(self.attempts)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def _asker(self, attempt: Attempt) -> Hold:
        spec = action(f"action of {attempt.lease_id}")
        executor = Executor(kind="worker", id=attempt.lease_id[-1])
        return wanted(spec, self.limit, attempt.lease_id, executor, self.now, HOLD_MAX_S)

    numbers = st.integers(0, 3)

    @rule(n=numbers)
    def look(self, n: int) -> None:
        self.attempts[n].seen = statements.list_holds(self.store, SCOPE)

    @rule(n=numbers, looks=st.booleans(), lost_answer=st.booleans())
    def take(self, n: int, looks: bool, lost_answer: bool) -> None:
        """Take a place by what was seen, which may be outdated."""
        if looks:
            self.look(n)
        attempt = self.attempts[n]
        asker = self._asker(attempt)
        for choice in choices(self.limit, attempt.seen, {}, asker, self.now):
            hold = replace(asker, place=choice.place)
            if statements.take_hold(hold, choice.replaces)(self.store):
                if attempt.has is None and not lost_answer:
                    attempt.has = hold
                return

    @rule(n=numbers)
    def renew(self, n: int) -> None:
        attempt = self.attempts[n]
        if attempt.has is None:
            return
        renewed = replace(attempt.has, expires_at=self.now + HOLD_MAX_S)
        is_there = statements.renew_hold(renewed)(self.store)
        attempt.has = renewed if is_there else None

    @rule(n=numbers)
    def leave(self, n: int) -> None:
        attempt = self.attempts[n]
        if attempt.has is not None:
            statements.release_hold(attempt.has)(self.store)
            attempt.has = None

    @rule(n=numbers)
    def die(self, n: int) -> None:
        """An executor dies without a word; another attempt, with a lease of its own, comes in its stead."""
        self.attempts[n] = Attempt(f"lease-{self.count}")
        self.count += 1

    @rule(seconds=st.sampled_from([HOLD_MAX_S / 3, HOLD_MAX_S / 2, HOLD_MAX_S]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: hasattr(self, "limit"))
    @rule()
    def after_a_while_without_holders_all_places_are_free(self) -> None:
        later = self.now + HOLD_MAX_S
        asker = replace(self._asker(Attempt("late")), expires_at=later + HOLD_MAX_S)
        seen = statements.list_holds(self.store, SCOPE)
        assert len(choices(self.limit, seen, {}, asker, later)) == self.limit.places

    @invariant()
    def no_more_valid_holders_than_places(self) -> None:
        if not hasattr(self, "limit"):
            return
        valid = [a for a in self.attempts if a.has is not None and a.has.expires_at > self.now]
        assert len(valid) <= self.limit.places

    @invariant()
    def who_believes_to_be_in_a_place_is_there(self) -> None:
        if not hasattr(self, "limit"):
            return
        stored = {hold.lease_id for hold in statements.list_holds(self.store, SCOPE)}
        for attempt in self.attempts:
            if attempt.has is not None and attempt.has.expires_at > self.now:
                assert attempt.lease_id in stored


TestHolds = HoldsMachine.TestCase
TestHolds.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
