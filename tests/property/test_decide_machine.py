"""Whatever the queue, the clock and dying executors do: one outcome, and always one."""

from __future__ import annotations

import inspect
from random import Random
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.property.world import LEASE_S, Actor, Choice, World
from tests.unit.core.actions import spec

from upwell._core.model import Status

STEPS_TO_DRAIN = 3000
ACTORS = 4
EVENTS: list[str] = (
    ["receive"] * 10 + ["succeed"] * 16 + ["fail"] * 12 + ["extend"] * 12 + ["release"] * 2 + ["crash"] * 3
) + ["a moment", "half a lease", "a lease", "a lease", "three leases"]
"""What may happen next, as often as it stands here."""
DURATIONS = {"a moment": 0.001, "half a lease": LEASE_S / 2, "a lease": LEASE_S, "three leases": 3 * LEASE_S}


class ActionMachine(RuleBasedStateMachine):
    """Interleaves actors step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.actors: list[Actor] = []
        self.world: World
        self.cancels = 0

    @initialize(
        retries=st.integers(0, 2),
        base_s=st.sampled_from([0.0, 20.0]),
        bounds=st.sampled_from([{}, {}, {}, {"deadline_s": 100.0}, {"max_queued_s": 40.0}]),
        old_receipts=st.booleans(),
        cancels=st.sampled_from([0, 0, 1, 2]),
    )
    def begin(
        self, retries: int, base_s: float, bounds: dict[str, Any], old_receipts: bool, cancels: int
    ) -> None:
        action = spec(retries=retries, base_s=base_s, cache_key="k", **bounds)
        self.world = World(action, old_receipts)
        self.world.send(action)
        self.cancels = cancels

    @rule(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 100))
    def interleave(self, seed: int, steps: int) -> None:
        """Let messages be received, and actors go on or die, and time pass, step by step."""
        chance = Random(seed)  # one draw for many steps: far more of them in the same time
        for _ in range(steps):
            self.happen(chance.choice(EVENTS), chance.randrange(ACTORS))

    def happen(self, event: str, which: int) -> None:
        if event in DURATIONS:
            self.world.now += DURATIONS[event]
        elif event == "receive" or not self.actors:
            if (ready := self.world.receivable()) and len(self.actors) < ACTORS:
                self.actors.append(self.world.receive(ready[which % len(ready)]))
        elif event == "crash":
            self.actors.pop(which % len(self.actors)).close()
        else:
            self.step(self.actors[which % len(self.actors)], cast(Choice, event))

    @precondition(lambda self: self.world.letters)
    @rule(which=st.integers(0, 3))
    def repeat_a_message(self, which: int) -> None:
        letter = self.world.letters[which % len(self.world.letters)]
        if not letter.is_dead:
            self.world.send(letter.spec)

    @precondition(lambda self: self.cancels and len(self.actors) < ACTORS)
    @rule(age=st.integers(0, 2))
    def cancel_the_call(self, age: int) -> None:
        """As the parent of this generation, or as a straggler of an older one."""
        self.cancels -= 1
        self.actors.append(self.world.abort(max(1, self.world.generation - age)))

    @precondition(lambda self: self.world.generation < 3)
    @rule()
    def recover_the_run(self) -> None:
        self.world.recover()

    def step(self, actor: Actor, choice: Choice) -> bool:
        """Let an actor do its next step; whether there is one more."""
        try:
            if inspect.getgeneratorstate(actor) == inspect.GEN_CREATED:
                next(actor)
            else:
                actor.send(choice)
        except StopIteration:
            self.actors.remove(actor)
            return False
        return True

    # --- what always holds, besides what `World` checks with each write ---

    @invariant()
    def the_replies_of_a_generation_agree(self) -> None:
        if not hasattr(self, "world"):
            return
        for generation in range(1, self.world.generation + 1):
            told = [outcome for of, outcome in self.world.replies if of == generation]
            assert all(outcome == told[0] for outcome in told)

    @invariant()
    def an_action_has_an_outcome_exactly_when_it_has_ended(self) -> None:
        record = getattr(self, "world", None) and self.world.record
        if record:
            assert (record.outcome is not None) == record.status.is_terminal == (record.ended_at is not None)
            assert record.outcome is None or record.outcome.status is record.status
            assert (record.status is Status.RUNNING) == bool(
                record.attempts and record.attempts[-1].ended_at is None
            )

    def teardown(self) -> None:
        """Nobody dies any more and tasks succeed: the action comes to its end, and its parent hears of it."""
        if not hasattr(self, "world"):
            return
        world = self.world
        for _ in range(STEPS_TO_DRAIN):
            if self.actors:
                self.step(self.actors[0], "succeed")
            elif world.receivable():
                self.actors.append(world.receive(world.receivable()[0]))
            elif world.letters:
                world.now = min(letter.visible_at for letter in world.letters)
            else:
                break
        assert not world.letters, "messages go round for ever"
        assert world.record is not None
        assert world.record.status.is_terminal
        assert world.record.generation == world.generation or world.record.status is Status.SUCCEEDED
        told = [outcome for of, outcome in world.replies if of == world.generation]
        assert told
        assert told[-1] == world.record.outcome


ActionMachine.TestCase.settings = settings(max_examples=1200, stateful_step_count=8)
TestActionMachine = ActionMachine.TestCase
