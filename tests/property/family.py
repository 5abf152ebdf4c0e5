"""A small world around `decide`: a parent, its children, and a queue that repeats, reorders and delays.

The parent calls its children stage by stage, replays, is suspended and woken. Everybody who does something is a
generator that pauses before each effect, so that others can go on in between, or it is never resumed: a crash.
What `_exec` does around the decisions is told here in the same order of writes; `BREAKS` leaves single steps
out, to see whether the checks would notice.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from tests.property.household import LEASE_S, PARENT, VISIBILITY_S, Hold, Household, LateError, Letter
from tests.unit.core.actions import FAILURE, SUCCESS, spec

from upwell._core.commands import (
    Abort,
    Acknowledge,
    Claim,
    Command,
    Decision,
    Extend,
    Finish,
    GiveUp,
    LookAgain,
    Postpone,
    Release,
    Reply,
    Resend,
    Run,
    StopChildren,
    Subscribe,
    Suspend,
    TellNow,
    Wake,
)
from upwell._core.decide import decide
from upwell._core.journal import Completed, Journal, Scheduled, Sent
from upwell._core.model import ActionRecord, ActionSpec, Executor, Lease, Payload, Status

MAX_RECEIVES, MAX_LOSSES = 6, 2

Choice = Literal["go on", "succeed", "fail", "extend", "release", "suspend"]
Actor = Generator[str, Choice, None]
Step = Generator[str, Choice, Decision]


class Family(Household):
    """The parent, its children, and everybody who does something to them."""

    def receive(self, letter: Letter) -> Actor:
        """Receive a message: by an executor, or by the dead-letter handler."""
        letter.received += 1
        letter.visible_at = self.now + VISIBILITY_S
        if letter.is_dead:
            return self._late_or(self._give_up(Hold(letter, letter.visible_at)))
        if letter.received > MAX_RECEIVES:
            letter.is_dead, letter.visible_at = True, self.now
            return self._idle()
        self.leases += 1
        lease = Lease(id=str(self.leases), expires_at=self.now + LEASE_S)
        return self._late_or(self._execute(Hold(letter, letter.visible_at), lease))

    # --- executors ---

    def _idle(self) -> Actor:
        yield from ()

    def _late_or(self, actor: Actor) -> Actor:
        with suppress(LateError):
            yield from actor

    def _execute(self, hold: Hold, lease: Lease) -> Actor:
        letter = hold.letter
        claim = Claim(
            spec=letter.spec, executor=Executor(kind="worker", id=lease.id), lease=lease, max_losses=MAX_LOSSES
        )
        decision = yield from self._transition(claim, letter.spec.action_id, None, hold)
        if Run() not in decision.effects:
            yield from self._carry_out(decision, hold)
            return
        known = decision.record or self.records[letter.spec.action_id]
        if letter.spec.action_id == PARENT:
            yield from self._run_parent(hold, known)
        else:
            yield from self._run_child(hold, known)

    def _run_child(self, hold: Hold, known: ActionRecord) -> Actor:
        letter, lease = hold.letter, known.lease
        assert lease is not None
        while (choice := (yield "running")) not in {"succeed", "fail"}:
            if choice == "extend":
                known = yield from self._extend(hold, lease, known)
                if not self._is_held(known, lease):
                    return
        outcome = SUCCESS if choice == "succeed" else FAILURE
        decision = yield from self._transition(
            Finish(lease_id=lease.id, outcome=outcome), letter.spec.action_id, known
        )
        yield from self._carry_out(decision, hold)

    def _run_parent(self, hold: Hold, known: ActionRecord) -> Actor:
        lease = known.lease
        assert lease is not None
        journal = Journal(1)
        yield "replay"
        journal.apply(self.journal)
        for stage in self.stages:
            new = [name for name in stage if journal.must_send(name) and name not in journal.outcomes]
            if new:
                yield from self._call(new, journal)
            while any(name not in journal.outcomes for name in stage):
                choice = yield "waiting"
                if choice == "extend":
                    known = yield from self._extend(hold, lease, known)
                    if not self._is_held(known, lease):
                        return
                elif choice == "release":
                    decision = yield from self._transition(Release(lease_id=lease.id), PARENT, known)
                    yield from self._carry_out(decision, hold)
                    return
                elif choice == "suspend":
                    open_ = [name for name in stage if name not in journal.outcomes]
                    yield from self._suspend(hold, known, open_)
                    return
                else:
                    journal.apply(self.journal)
                    if journal.lost:
                        yield from self._call(journal.lost, journal)
        finish = Finish(lease_id=lease.id, outcome=SUCCESS)
        decision = yield from self._transition(finish, PARENT, known)
        yield from self._carry_out(decision, hold)

    def _child(self, name: str) -> ActionSpec:
        return replace(
            spec(action_id=name, retries=self.retries),
            parent_id=PARENT,
            parent_sleeps=self.tells,
            queued_at=self.now,
        )

    def _call(self, names: list[str], journal: Journal) -> Actor:
        for name in names:
            yield "send"
            self.send(self._child(name))
        yield "Scheduled"
        sent = tuple(Sent(action_id=name, task="env.task", pool="default") for name in names)
        entry = Scheduled(at=self.now, generation=1, shard=0, children=sent)
        self.journal.append(entry)
        journal.apply([entry])

    def _suspend(self, hold: Hold, known: ActionRecord, open_: list[str]) -> Actor:
        assert known.lease is not None
        command = Suspend(lease_id=known.lease.id, open_children=len(open_), waiting_since=self.now)
        decision = yield from self._transition(command, PARENT, known)
        if LookAgain() not in decision.effects:
            return
        if decision.record is not None:
            self.awaited = frozenset(open_)
        yield from self._fall_asleep(hold, open_)
        yield "Acknowledge"
        if self.now < hold.hidden_until or self.broken == "receipt":
            self.delete(hold.letter)

    def _fall_asleep(self, hold: Hold, open_: list[str]) -> Actor:
        has_ended = False
        if not self.tells and self.broken != "subscribe":
            for name in open_:
                asked = replace(self._child(name), inputs=Payload(size_bytes=2))
                known = self.records.get(name)
                answer = yield from self._transition(Subscribe(spec=asked), name, known)
                has_ended = has_ended or TellNow() in answer.effects
        yield "look again"
        ended = {entry.action_id for entry in self.journal if isinstance(entry, Completed)}
        if (has_ended or ended & set(open_)) and self.broken != "look":
            yield from self._wake(hold, again=False)

    def _wake(self, hold: Hold, *, again: bool) -> Actor:
        yield "read the parent"
        known = self.records.get(PARENT)
        decision = yield from self._transition(Wake(again=again), PARENT, known, hold)
        for effect in decision.effects:
            if isinstance(effect, Resend):
                yield "send"
                self.send(self.records[PARENT].spec, effect.delay_s)

    def _extend(self, hold: Hold, lease: Lease, known: ActionRecord) -> Generator[str, Choice, ActionRecord]:
        extend = Extend(lease=replace(lease, expires_at=self.now + LEASE_S))
        decision = yield from self._transition(extend, known.spec.action_id, known)
        if decision.record is None:
            return self.records[known.spec.action_id]
        yield "hide"
        hold.hide(self.now)
        return decision.record

    def _is_held(self, known: ActionRecord, lease: Lease) -> bool:
        return known.status is Status.RUNNING and known.lease is not None and known.lease.id == lease.id

    def _give_up(self, hold: Hold) -> Actor:
        letter = hold.letter
        decision = yield from self._transition(GiveUp(spec=letter.spec, reason="dead"), letter.spec.action_id)
        yield from self._carry_out(decision, hold)

    def _transition(
        self, command: Command, key: str, record: ActionRecord | None = None, hold: Hold | None = None
    ) -> Step:
        while True:
            decision = decide(record, command, self.now)
            yield "write"
            if hold is not None and self.now >= hold.hidden_until:
                raise LateError
            if decision.record is None or self.save(
                decision.record, record.version if record else None, command
            ):
                return decision
            yield "read"
            record = self.records.get(key)

    def _carry_out(self, decision: Decision, hold: Hold) -> Actor:
        letter, action = hold.letter, hold.letter.spec
        effects = decision.effects
        if self.broken == "order":
            effects = tuple(sorted(effects, key=lambda effect: not isinstance(effect, Acknowledge)))
        for effect in effects:
            yield type(effect).__name__
            match effect:
                case Reply():
                    yield from self._reply(hold, effect)
                case Resend(delay_s):
                    self.send(action, delay_s)
                case Postpone(delay_s):
                    letter.visible_at = self.now + delay_s
                case Acknowledge():
                    if self.now >= hold.hidden_until and self.broken != "receipt":
                        raise LateError
                    self.delete(letter)
                case StopChildren() if action.action_id == PARENT:
                    yield from self._stop_children()
                case _:
                    pass

    def _reply(self, hold: Hold, reply: Reply) -> Actor:
        action = hold.letter.spec
        assert self.records[action.action_id].outcome == reply.outcome, "an outcome was told that is none"
        if action.action_id == PARENT:
            self.told.append(reply.outcome)
            return
        self.journal.append(
            Completed(at=self.now, generation=1, action_id=action.action_id, outcome=reply.outcome)
        )
        yield "wake?"
        if reply.wakes and self.broken != "wake":
            yield from self._wake(hold, again=hold.letter.received > 1)

    def _stop_children(self) -> Actor:
        journal = Journal(1)
        journal.apply(self.journal)
        for name in list(journal.open):
            command = Abort(spec=self._child(name), reason="its parent ended")
            yield from self._transition(command, name, self.records.get(name))
