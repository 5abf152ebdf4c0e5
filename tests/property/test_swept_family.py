"""A family whose queue also loses messages, and a sweeper that looks on: whatever is lost, everything ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from tests.property.family import Family
from tests.property.household import PARENT
from tests.property.test_family_machine import ENDS, EVENTS, STAGES, Play
from tests.unit.core.actions import spec

from upwell._core.children import Children
from upwell._core.commands import Reply, Resend, Wake
from upwell._core.decide import decide
from upwell._core.journal import Completed, Missed
from upwell._core.model import ActionRecord, Status
from upwell._core.sweep import Look, Remedy, is_unclaimed, judge, judge_child, must_wake

PATIENCE_S, SWEEPS = 60.0, 100
LOSSES = ["lose", "lose all", "sweep", "sweep"]
REMEDIES = {Remedy.SEND, Remedy.WAKE, Remedy.TELL, Remedy.MISS}


@dataclass
class SweptFamily(Family):
    """A family that nobody may come back for, except the sweeper."""

    looked_at: float = 1000.0
    remedies: Counter[Remedy] = field(default_factory=Counter)

    def check(self) -> None:
        """Anything may be lost here."""

    def sweep(self) -> None:
        """Do what `_exec.inspection` does, with the same decisions."""
        look = Look(now=self.now, before=self.looked_at, patience_s=PATIENCE_S)
        self.looked_at = self.now
        for record in list(self.records.values()):
            waiting = bool(self.letters)
            verdict = judge(record, run=record.spec.run, is_over=False, waiting=waiting, look=look)
            if verdict.remedy is Remedy.SEND:
                self._remedy(Remedy.SEND)
                self.send(record.spec)
        parent = self.records.get(PARENT)
        if parent is None:
            if look.repeats(1000.0):
                self._remedy(Remedy.SEND)
                self.send(spec(action_id=PARENT))
        elif parent.outcome is not None:
            if not self.told and look.repeats(parent.ended_at or 0.0):
                self._remedy(Remedy.TELL)
                self.told.append(parent.outcome)
        elif parent.status in {Status.RUNNING, Status.SUSPENDED}:
            self._look_after_children(parent, look)

    def _look_after_children(self, parent: ActionRecord, look: Look) -> None:
        children = Children(1).apply(self.journal)
        ended = [name for name in children.open if self._has_ended(name)]
        still_open = len(children.open) - len(ended)
        missed: list[str] = []
        for name, child in children.open.items():
            record = self.records.get(name)
            waiting = is_unclaimed(record, 1) and bool(self.letters)
            remedy = judge_child(child, record, generation=1, waiting=waiting, look=look).remedy
            if remedy is Remedy.MISS:
                self._remedy(remedy)
                missed.append(name)
            elif remedy is Remedy.TELL and parent.status is Status.SUSPENDED:
                self._remedy(remedy)
                assert record is not None
                assert record.outcome is not None
                self._tell(name, Reply(record.outcome, wakes=True))
        if missed:
            until = max(children.open[name].last_at for name in missed)
            entry = Missed(at=self.now, generation=1, action_ids=tuple(missed), sent_until=until)
            self.journal.append(entry)
        parent = self.records[PARENT]
        if parent.status is Status.SUSPENDED and (missed or must_wake(parent, children, still_open, look)):
            self._remedy(Remedy.WAKE)
            self._wake_at_once()

    def _has_ended(self, name: str) -> bool:
        record = self.records.get(name)
        return record is not None and record.outcome is not None

    def _tell(self, name: str, reply: Reply) -> None:
        self.journal.append(Completed(at=self.now, generation=1, action_id=name, outcome=reply.outcome))
        self._wake_at_once()

    def _wake_at_once(self) -> None:
        before = self.records[PARENT]
        decision = decide(before, Wake(), self.now)
        if decision.record is not None:
            assert self.save(decision.record, before.version, Wake())
        for effect in decision.effects:
            if isinstance(effect, Resend):
                self.send(self.records[PARENT].spec, effect.delay_s)

    def _remedy(self, remedy: Remedy) -> None:
        self.remedies[remedy] += 1


class LossyPlay(Play):
    """One interleaving, in which messages get lost now and then."""

    family: SweptFamily

    def happen(self, event: str, which: int) -> None:
        """Let one thing happen."""
        if event == "lose":
            if self.family.letters:
                self.family.letters.pop(which % len(self.family.letters))
        elif event == "lose all":
            if which == 0:
                self.family.letters.clear()
        elif event == "sweep":
            self.family.sweep()
        else:
            super().happen(event, which)

    def end(self, chance: Random) -> None:
        """Nobody dies any more and nothing is lost, but what was: sweep until everything has ended."""
        family = self.family
        for _ in range(SWEEPS):
            self.settle(chance)
            if family.told and all(record.status in ENDS for record in family.records.values()):
                break
            family.now += PATIENCE_S
            family.sweep()
        assert {record.status for record in family.records.values()} <= ENDS, "an action has no end"
        assert family.told, "nobody was told"
        assert set(map(repr, family.told)) == {repr(family.records[PARENT].outcome)}


def play(seed: int) -> SweptFamily:
    """Play one story, lossy for a while, to its end."""
    chance = Random(seed)
    family = SweptFamily(chance.choice(STAGES), tells=bool(seed % 2), retries=seed % 3 and 1)
    lossy = LossyPlay(family)
    for _ in range(chance.randrange(60, 240)):
        lossy.happen(chance.choice(EVENTS + LOSSES), chance.randrange(12))
    lossy.end(chance)
    return family


def play_all(seeds: range) -> Counter[Remedy]:
    """Play many stories; return what they took to end."""
    remedies: Counter[Remedy] = Counter()
    for seed in seeds:
        remedies += play(seed).remedies
    return remedies


@pytest.mark.parametrize("batch", range(8))
def test_whatever_the_queue_loses_everything_ends(batch: int) -> None:
    remedies = play_all(range(batch * 400, (batch + 1) * 400))
    assert set(remedies) == REMEDIES, "each of them was needed"


def test_without_a_sweeper_something_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SweptFamily, "sweep", lambda self: None)
    with pytest.raises(AssertionError, match=r"has no end|nobody was told"):
        play_all(range(100))
