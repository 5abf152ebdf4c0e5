"""What a family shares: a store, a queue that repeats and delays, and what must always hold of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tests.unit.core.actions import spec

from upwell._core.commands import Command, Finish, Release, Suspend, Wake
from upwell._core.journal import Entry
from upwell._core.model import ActionRecord, ActionSpec, Outcome, Status

LEASE_S, VISIBILITY_S = 30.0, 30.0
PARENT = "p"

Break = Literal["subscribe", "look", "wake", "order", "receipt", "fence"]
BREAKS: tuple[Break, ...] = ("subscribe", "look", "wake", "order", "receipt", "fence")


@dataclass(eq=False)
class Letter:
    """A message in the queue."""

    spec: ActionSpec
    visible_at: float
    received: int = 0
    is_dead: bool = False


@dataclass
class Hold:
    """What a receiver knows of the message it has: until when nobody else can have received it."""

    letter: Letter
    hidden_until: float

    def hide(self, now: float) -> None:
        """Keep it hidden. Once it was visible, somebody else may have it, and nothing is known any more."""
        self.letter.visible_at = max(self.letter.visible_at, now + VISIBILITY_S)
        if now < self.hidden_until:
            self.hidden_until = now + VISIBILITY_S


class LateError(Exception):
    """A receiver whose message may be somebody else's by now stops."""


@dataclass
class Household:
    """The records, journal and messages of a parent and its children."""

    stages: tuple[tuple[str, ...], ...]
    """Names of the children that the parent calls together, one group after the other."""
    tells: bool
    """Whether children learn that their parent may sleep when they are called, or when it does."""
    retries: int = 0
    broken: Break | None = None
    now: float = 1000.0
    records: dict[str, ActionRecord] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    awaited: frozenset[str] = frozenset()
    """What the parent waited for when it was last suspended."""
    told: list[Outcome] = field(default_factory=list)
    suspensions: int = 0
    wakes: int = 0
    leases: int = 0

    def begin(self) -> None:
        """Send the parent."""
        self.send(spec(action_id=PARENT))

    # --- ports ---

    def save(self, record: ActionRecord, expected: int | None, command: Command) -> bool:
        """Write conditionally, and check what every write must keep to."""
        key = record.spec.action_id
        before = self.records.get(key)
        if self.broken != "fence" and (before.version if before else None) != expected:
            return False
        if isinstance(command, Finish | Suspend | Release):
            assert before is not None
            assert before.status is Status.RUNNING, f"{command} of one that does not run was accepted"
            assert before.lease is not None
            assert before.lease.id == command.lease_id, "a lost lease was accepted"
        assert before is None or before.outcome is None, "an end was overwritten"
        self.suspensions += isinstance(command, Suspend)
        self.wakes += isinstance(command, Wake)
        self.records[key] = record
        return True

    def send(self, action: ActionSpec, delay_s: float = 0.0) -> None:
        """Put a message into the queue."""
        self.letters.append(Letter(action, self.now + delay_s))

    def receivable(self) -> list[Letter]:
        """Return the messages that can be received now."""
        return [letter for letter in self.letters if letter.visible_at <= self.now]

    def check(self) -> None:
        """Check what holds at every moment, whoever dies in the next: somebody comes back for the parent."""
        parent = self.records.get(PARENT)
        if parent is None or parent.outcome is not None:
            return
        if self._letters_of(PARENT):
            return
        assert parent.attempts[-1].end == "suspended", f"{parent.status}, and forgotten"
        ended = {name for name, record in self.records.items() if record.outcome is not None}
        if parent.status is Status.SUSPENDED and not ended & self.awaited:
            assert any(map(self._letters_of, self.awaited)), "it sleeps, and nothing will ever end"
            return
        # A child's message that comes again repeats the reply, and with it the waking.
        assert any(map(self._letters_of, ended)), f"{parent.status}, and nobody will send it"

    def _letters_of(self, name: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.spec.action_id == name]

    def delete(self, letter: Letter) -> None:
        """Delete a message: SQS may take an outdated receipt, so it always does here."""
        if letter in self.letters:
            self.letters.remove(letter)
