"""Executors that die, a parent that sleeps, its children, a careless queue: each ends once."""

from __future__ import annotations

import inspect
from random import Random
from typing import Any, ClassVar, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.property.family import Actor, Choice, Family
from tests.property.household import BREAKS, LEASE_S, PARENT, Break

from upwell._core.model import Status

EXAMPLES, SEEDS, STEPS_TO_DRAIN, ACTORS = 2500, 2500, 5000, 4
EVENTS: list[str] = (
    ["receive"] * 12 + ["succeed"] * 14 + ["go on"] * 14 + ["suspend"] * 10 + ["fail"] * 2 + ["extend"] * 8
) + (["release"] + ["crash"] * 2 + ["repeat"] * 2 + ["a moment"] * 2 + ["half a lease", "a lease"])
"""What may happen next, as often as it stands here."""
DURATIONS = {"a moment": 0.001, "half a lease": LEASE_S / 2, "a lease": LEASE_S}
STAGES = [
    (("a",),),
    (("a", "b"),),
    (("a",), ("b",), ("c",)),
    (("a", "b", "c"), ("d",)),
]


class Play:
    """One interleaving of all that happens in a family."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.actors: list[Actor] = []
        self.story: list[tuple[str, int]] = []
        family.begin()

    def happen(self, event: str, which: int) -> None:
        """Let one thing happen."""
        family = self.family
        self.story.append((event, which))
        if event in DURATIONS:
            family.now += DURATIONS[event]
        elif event == "receive" or not self.actors:
            if (ready := family.receivable()) and len(self.actors) < ACTORS:
                self.actors.append(family.receive(ready[which % len(ready)]))
        elif event == "crash":
            self.actors.pop(which % len(self.actors)).close()
        elif event == "repeat":
            if family.letters:
                family.send(family.letters[which % len(family.letters)].spec)
        else:
            self.step(self.actors[which % len(self.actors)], cast(Choice, event))
        family.check()

    def step(self, actor: Actor, choice: Choice) -> None:
        """Let an actor do its next step."""
        try:
            if inspect.getgeneratorstate(actor) == inspect.GEN_CREATED:
                next(actor)
            else:
                actor.send(choice)
        except StopIteration:
            self.actors.remove(actor)

    def interleave(self, chance: Random, steps: int) -> None:
        """Let so many things happen."""
        for _ in range(steps):
            self.happen(chance.choice(EVENTS), chance.randrange(12))

    def drain(self, chance: Random) -> None:
        """Nobody dies any more, tasks succeed and the queue is fair: everything comes to its end."""
        self.settle(chance)
        family = self.family
        assert not family.letters, "messages go round for ever"
        parent = family.records[PARENT]
        assert {record.status for record in family.records.values()} <= ENDS, "an action has no end"
        assert family.told, "nobody was told"
        assert set(map(repr, family.told)) == {repr(parent.outcome)}

    def settle(self, chance: Random) -> None:
        """Go on until there is no message and nobody at work."""
        family = self.family
        for _ in range(STEPS_TO_DRAIN):
            if ready := family.receivable():
                self.actors.append(family.receive(chance.choice(ready)))
            elif self.actors:
                choices: list[Choice] = ["succeed", "succeed", "suspend"]
                self.step(chance.choice(self.actors), chance.choice(choices))
                family.now += 0.01
            elif family.letters:
                family.now = min(letter.visible_at for letter in family.letters)
            else:
                break
            family.check()


ENDS = {Status.SUCCEEDED, Status.FAILED, Status.ABORTED}


class FamilyMachine(RuleBasedStateMachine):
    """Interleaves executors, step by step."""

    stories: ClassVar[set[int]] = set()
    suspensions = wakes = steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.play: Play

    @initialize(stages=st.sampled_from(STAGES), tells=st.booleans(), retries=st.integers(0, 1))
    def begin(self, stages: Any, tells: bool, retries: int) -> None:
        self.play = Play(Family(stages, tells, retries))

    @rule(seed=st.integers(0, 2**32 - 1), steps=st.integers(10, 60))
    def interleave(self, seed: int, steps: int) -> None:
        """One draw for many steps: far more of them in the same time."""
        self.play.interleave(Random(seed), steps)

    @rule()
    def everybody_dies(self) -> None:
        """As in an outage: all that is left is the store and the queue."""
        while self.play.actors:
            self.play.actors.pop().close()

    @invariant()
    def somebody_will_come_back_for_the_parent(self) -> None:
        if hasattr(self, "play"):
            self.play.family.check()

    def teardown(self) -> None:
        if not hasattr(self, "play"):
            return
        self.play.drain(Random(len(self.play.story)))
        cls = FamilyMachine
        cls.stories.add(hash(tuple(self.play.story)))
        cls.suspensions += self.play.family.suspensions
        cls.wakes += self.play.family.wakes
        cls.steps += len(self.play.story)


class TestFamilyMachine(FamilyMachine.TestCase):  # type: ignore[name-defined,misc]  # made by Hypothesis
    """Runs the machine, and says how much has happened."""

    settings = settings(max_examples=EXAMPLES, stateful_step_count=6)

    def runTest(self) -> None:  # noqa: N802  # unittest's name
        super().runTest()
        print(
            f"{len(FamilyMachine.stories)} interleavings of {FamilyMachine.steps} steps, "
            f"{FamilyMachine.suspensions} suspensions, {FamilyMachine.wakes} wakes"
        )
        assert len(FamilyMachine.stories) > EXAMPLES / 2
        assert min(FamilyMachine.suspensions, FamilyMachine.wakes) > EXAMPLES / 5


@pytest.mark.parametrize("broken", [None, *BREAKS])
def test_the_checks_see_what_is_missing(broken: Break | None) -> None:
    """With one step left out some interleaving fails; with none left out, none does."""
    seen: list[str] = []
    for seed in range(SEEDS):
        chance = Random(seed)
        family = Family(chance.choice(STAGES), tells=bool(seed % 2), retries=1, broken=broken)
        play = Play(family)
        try:
            play.interleave(chance, 150)
            while play.actors:
                play.actors.pop().close()
            play.drain(chance)
        except AssertionError as e:
            seen.append(str(e))
            break
    assert bool(seen) is (broken is not None), seen
