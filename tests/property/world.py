"""A small world around `decide`: a store, a queue that repeats and reorders, and actors that may die anywhere.

Actors are generators that pause before each of their effects, so that a test can run others in between or never
resume one: a crash.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Literal

from tests.unit.core.actions import FAILURE, SUCCESS, in_generation

from upwell._core.commands import (
    Abort,
    Acknowledge,
    Claim,
    Command,
    Decision,
    Extend,
    Finish,
    GiveUp,
    Postpone,
    Release,
    Reply,
    Resend,
    Run,
)
from upwell._core.decide import decide
from upwell._core.model import ActionRecord, ActionSpec, Executor, Lease, Outcome, Status

LEASE_S, VISIBILITY_S, MAX_RECEIVES, MAX_LOSSES = 30.0, 30.0, 3, 2

Choice = Literal["go on", "succeed", "fail", "extend", "release"]
Actor = Generator[str, Choice, None]
"""Yields what it is about to do; `running` asks how the task goes on."""


@dataclass(eq=False)
class Letter:
    """A message in the queue."""

    spec: ActionSpec
    visible_at: float
    received: int = 0
    is_dead: bool = False


@dataclass
class World:
    """One action, and everybody who does something to it."""

    spec: ActionSpec
    deletes_by_old_receipts: bool
    """SQS may take an outdated receipt, or not."""
    now: float = 1000.0
    generation: int = 1
    record: ActionRecord | None = None
    letters: list[Letter] = field(default_factory=list)
    replies: list[tuple[int, Outcome]] = field(default_factory=list)
    failures: int = 0
    losses: int = 0
    cancelled: int = 0
    """The newest generation whose parent has cancelled the call for good."""
    _leases: int = 0

    # --- ports ---

    def save(self, record: ActionRecord, expected: int | None, command: Command) -> bool:
        """Write conditionally, and check what every write must keep to."""
        before = self.record
        if (before.version if before else None) != expected:
            return False
        assert record.version == (expected or 0) + 1
        if isinstance(command, Finish):
            assert before is not None
            assert before.status is Status.RUNNING, "a finish was accepted from somebody who does not run it"
            assert before.lease is not None
            assert before.lease.id == command.lease_id, "a lost lease was accepted"
        if before is not None and before.outcome is not None:
            assert before.status is not Status.SUCCEEDED, "a success was overwritten"
            assert record.generation > before.generation, "an end was overwritten in its own generation"
        assert record.status is not Status.RUNNING or record.generation > self.cancelled, (
            "it runs though cancelled"
        )
        self._count(before, record, command)
        self.record = record
        return True

    def _count(self, before: ActionRecord | None, record: ActionRecord, command: Command) -> None:
        if before is not None and record.generation > before.generation:
            self.failures = self.losses = 0
        elif isinstance(command, Finish) and command.outcome.error is not None:
            self.failures += 1
        elif isinstance(command, Claim) and before is not None and before.status is Status.RUNNING:
            self.losses += 1
        assert (record.failures, record.losses) == (self.failures, self.losses)

    def send(self, spec: ActionSpec, delay_s: float = 0.0) -> None:
        """Put a message into the queue."""
        self.letters.append(Letter(spec, self.now + delay_s))

    def recover(self) -> None:
        """Start the next generation: its parent sends the action again."""
        self.generation += 1
        self.send(in_generation(self.spec, self.generation))

    def receivable(self) -> list[Letter]:
        """Return the messages that can be received now."""
        return [letter for letter in self.letters if letter.visible_at <= self.now]

    def receive(self, letter: Letter) -> Actor:
        """Receive a message: by an executor, or by the dead-letter handler."""
        letter.received += 1
        letter.visible_at = self.now + VISIBILITY_S
        if letter.is_dead:
            return self.give_up(letter)
        if letter.received > MAX_RECEIVES:
            letter.is_dead, letter.visible_at = True, self.now
            return self.idle()
        return self.execute(letter)

    # --- actors ---

    def idle(self) -> Actor:
        """Do nothing."""
        yield from ()

    def execute(self, letter: Letter) -> Actor:
        """Claim, run, finish: what the executor does with a delivery."""
        self._leases += 1
        lease = Lease(id=str(self._leases), expires_at=self.now + LEASE_S)
        executor = Executor(kind="worker", id=lease.id)
        receipt = letter.received
        decision = yield from self._transition(
            Claim(spec=letter.spec, executor=executor, lease=lease, max_losses=MAX_LOSSES)
        )
        if Run() not in decision.effects:
            yield from self._carry_out(decision, letter, receipt, letter.spec)
            return
        known = decision.record or self.record
        command = yield from self._attempt(lease, known)
        if command is not None:
            decision = yield from self._transition(command, known)
            spec = decision.record.spec if decision.record is not None else letter.spec
            yield from self._carry_out(decision, letter, receipt, spec)

    def _attempt(self, lease: Lease, known: ActionRecord | None) -> Generator[str, Choice, Command | None]:
        while True:
            choice = yield "running"
            if choice == "succeed":
                return Finish(lease_id=lease.id, outcome=SUCCESS)
            if choice == "fail":
                return Finish(lease_id=lease.id, outcome=FAILURE)
            if choice == "release":
                return Release(lease_id=lease.id)
            if choice == "extend":
                extended = replace(lease, expires_at=self.now + LEASE_S)
                decision = yield from self._transition(Extend(lease=extended), known)
                if decision.record is None:
                    return None  # the lease is gone

    def give_up(self, letter: Letter) -> Actor:
        """Handle a dead letter."""
        receipt = letter.received
        decision = yield from self._transition(GiveUp(spec=letter.spec, reason="dead"))
        yield from self._carry_out(decision, letter, receipt, letter.spec)

    def abort(self, generation: int) -> Actor:
        """Cancel the call, as the parent of a generation."""
        yield from self._transition(Abort(spec=in_generation(self.spec, generation), reason="cancelled"))
        self.cancelled = max(self.cancelled, generation)

    def _transition(
        self, command: Command, record: ActionRecord | None = None
    ) -> Generator[str, Choice, Decision]:
        while True:
            decision = decide(record, command, self.now)
            yield "write"
            if decision.record is None or self.save(
                decision.record, record.version if record else None, command
            ):
                return decision
            yield "read"
            record = self.record

    def _carry_out(self, decision: Decision, letter: Letter, receipt: int, spec: ActionSpec) -> Actor:
        for effect in decision.effects:
            yield type(effect).__name__
            match effect:
                case Reply(outcome):
                    self.replies.append((spec.run.generation, outcome))
                    assert self.record is not None
                    assert spec.run.generation < self.record.generation or self.record.outcome == outcome
                case Resend(delay_s):
                    self.send(spec, delay_s)
                case Postpone(delay_s):
                    letter.visible_at = self.now + delay_s
                case Acknowledge():
                    if letter in self.letters and (self.deletes_by_old_receipts or receipt == letter.received):
                        self.letters.remove(letter)
                case _:
                    pass
