"""Which effects fail in a run, and how: a plan drawn from a seed, and a count of what really happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Literal, Protocol

How = Literal["kill", "throw", "stall"]
When = Literal["before", "after"]

EFFECTS = (
    "send",
    "resend",
    "claim",
    "extend",
    "finish",
    "retry",
    "release",
    "suspend",
    "wake",
    "abort",
    "hit",
    "journal scheduled",
    "journal completed",
    "journal traced",
    "delete",
    "hide",
    "token",
    "blob",
    "cache",
    "take hold",
    "renew hold",
    "release hold",
)
"""Everything by which the engine changes the world; `_exec` carries them out through the ports."""
READS = ("read record", "read journal", "read cache", "read blob", "read holds", "receive")
HOWS: tuple[tuple[How, When], ...] = (
    ("kill", "before"),
    ("kill", "after"),
    ("throw", "before"),
    ("throw", "after"),
    ("stall", "before"),
)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault at an effect."""

    how: How
    when: When

    def kind(self, label: str) -> str:
        """Return the kind of fault that this is at an effect."""
        return f"{self.how} {self.when} {label}"


class Script(Protocol):
    """Says of each effect, as it comes, whether it fails."""

    def strike(self, label: str) -> Strike | None:
        """Return the fault of this effect, if it has one."""


@dataclass(slots=True)
class Plan:
    """The faults of one run.

    Attributes:
        strikes: (effect, how many of its kind came before) -> fault.
        happened: Counts faults as they happen, by kind.
    """

    strikes: dict[tuple[str, int], Strike] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    drains_at_s: tuple[float, ...] = ()
    duplicates: float = 0.0
    """Probability that a message is sent twice; the others likewise."""
    delays: float = 0.0
    redeliveries: float = 0.0
    forgotten_deletes: float = 0.0
    mishaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(kind, action id) -> how often it happened to a message, whichever process sent or received it: copies of
    one that waits for its turn each go on waiting, and many of them are only slow."""

    def strike(self, label: str) -> Strike | None:
        """Return the fault of this effect, if it has one."""
        found = self.strikes.get((label, self.seen[label]))
        self.seen[label] += 1
        if found is not None:
            self.happened[found.kind(label)] += 1
        return found


MESSAGE_KINDS = (
    "message duplicated",
    "message delayed",
    "messages reordered",
    "message redelivered",
    "delete forgotten",
)
OTHER_KINDS = ("drain", "lease expired")


def port_kinds(*, throws: bool = True) -> list[str]:
    """Return every kind of fault that happens at the ports.

    Args:
        throws: Whether errors are made there, rather than below the adapters.
    """
    strikes = [strike.kind(label) for label, strike in strike_kinds(throws=throws)]
    return [*strikes, *MESSAGE_KINDS, *OTHER_KINDS]


def strike_kinds(*, throws: bool = True) -> list[tuple[str, Strike]]:
    """Return every effect with every fault that it can have."""
    hows = [pair for pair in HOWS if throws or pair[0] != "throw"]
    kinds = [(label, Strike(how, when)) for label in EFFECTS for how, when in hows]
    return kinds + ([(label, Strike("throw", "before")) for label in READS] if throws else [])


RARE = frozenset(
    {"retry", "release", "suspend", "wake", "abort", "hit", "cache", "blob", "journal traced"}
    | {"take hold", "renew hold", "release hold", "read cache", "read blob", "read holds"}
)
"""Effects that a program has few of, if any."""
OPS = {
    "blob": "size",
    "read blob": "size",
    "cache": "cached",
    "hit": "cached",
    "read cache": "cached",
    "journal traced": "trace",
    "take hold": "limited",
    "renew hold": "limited",
    "release hold": "limited",
    "read holds": "limited",
    "abort": "cancel",
}
"""Effects that only some steps of a program have."""
SHARE_OF_SINGLES = 0.15
"""Of the runs have one strike and nothing else: they must come to their end without the sweeper."""
KILLS_MAX, STALLS_MAX = 4, 2
"""In one run: few enough that no action loses more executors, or is received more often, than it may."""


def draw_plan(chance: Random, turn: int = 0, *, throws: bool = True, most: int = 9) -> Plan:
    """Return the faults of a run.

    Args:
        chance: Where its randomness comes from.
        turn: Which run of many this is: the kinds of strikes take turns in being the first one.
        throws: Whether errors are made at the ports.
        most: Strikes, at most.
    """
    plan = Plan()
    alone = chance.random() < SHARE_OF_SINGLES
    left = {"kill": KILLS_MAX, "stall": STALLS_MAX, "throw": most}
    kinds = strike_kinds(throws=throws)
    for number in range(chance.randint(2, most)):
        label, strike = kinds[turn % len(kinds)] if number == 0 else chance.choice(kinds)
        left[strike.how] -= 1
        if left[strike.how] < 0:
            continue
        plan.strikes[label, _number(chance, label)] = strike
        if label == "release" and not alone:  # something must be given back
            plan.drains_at_s = (chance.uniform(0, 5), chance.uniform(5, 15), chance.uniform(5, 30))
        if alone:
            return plan
    if chance.random() < 0.25:
        plan.drains_at_s = tuple(chance.uniform(0, 60) for _ in range(chance.randint(1, 2)))
    if chance.random() < 0.7:
        plan.duplicates, plan.delays = chance.choice([0.05, 0.3]), chance.choice([0.05, 0.3])
        plan.redeliveries, plan.forgotten_deletes = chance.choice([0.0, 0.1]), chance.choice([0.0, 0.1])
    return plan


def op_for(turn: int, *, throws: bool = True) -> str | None:
    """Return the step that the first strike of a run needs, if it needs one."""
    kinds = strike_kinds(throws=throws)
    return OPS.get(kinds[turn % len(kinds)][0])


def _number(chance: Random, label: str) -> int:
    """Return how many effects of this label shall pass before the one that is struck."""
    if label == "token":
        return 0
    return int(chance.random() < 0.25) if label in RARE else int(chance.expovariate(0.12))
