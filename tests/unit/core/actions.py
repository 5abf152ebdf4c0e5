"""Builders of actions in every state, for the tests of the engine's decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from upwell._core.commands import Claim, Command, Decision, Effect, Finish, Release
from upwell._core.decide import decide
from upwell._core.model import (
    ActionRecord,
    ActionSpec,
    Bounds,
    ErrorInfo,
    Executor,
    Lease,
    Outcome,
    Payload,
    RetryPolicy,
    RunSpec,
    Status,
    TaskSpec,
)

LEASE_S = 30.0
NOW = 1000.0
OUTPUT = Payload(text="42", size_bytes=2)
SUCCESS = Outcome(status=Status.SUCCEEDED, output=OUTPUT)
BOOM = ErrorInfo(code="ValueError", message="boom")
FAILURE = Outcome(status=Status.FAILED, error=BOOM)
LOSS = ErrorInfo(code="RuntimeSystemError", message="its process was killed by SIGSEGV", kind="system")


def spec(
    *,
    action_id: str = "child",
    generation: int = 1,
    retries: int = 0,
    base_s: float = 0.0,
    cache_key: str | None = None,
    queued_at: float = NOW,
    **bounds: Any,
) -> ActionSpec:
    task = TaskSpec(
        name="env.task",
        module="program",
        pool="default",
        retry=RetryPolicy(count=retries, base_s=base_s),
        bounds=Bounds(**bounds),
        cache_key=cache_key,
    )
    return ActionSpec(
        run=RunSpec(run_id="run", generation=generation),
        action_id=action_id,
        task=task,
        inputs=Payload(text="{}", size_bytes=2),
        parent_id="a0",
        queued_at=queued_at,
    )


def claim(action: ActionSpec, lease_id: str = "lease-1", *, now: float = NOW, max_losses: int = 5) -> Claim:
    return Claim(
        spec=action,
        executor=Executor(kind="worker", id=f"of {lease_id}"),
        lease=Lease(id=lease_id, expires_at=now + LEASE_S),
        max_losses=max_losses,
    )


def finish(outcome: Outcome = SUCCESS, lease_id: str = "lease-1") -> Finish:
    return Finish(lease_id=lease_id, outcome=outcome)


def step(record: ActionRecord | None, command: Command, now: float = NOW) -> ActionRecord:
    """Decide, and return the record as it is stored afterwards."""
    stored = decide(record, command, now).record or record
    assert stored is not None
    return stored


def running(action: ActionSpec | None = None, *, now: float = NOW) -> ActionRecord:
    return step(None, claim(action or spec(), now=now), now)


def succeeded(action: ActionSpec | None = None) -> ActionRecord:
    return step(running(action), finish())


def failed(action: ActionSpec | None = None) -> ActionRecord:
    return step(running(action), finish(FAILURE))


def released(action: ActionSpec | None = None) -> ActionRecord:
    return step(running(action), Release(lease_id="lease-1"))


def retrying(*, base_s: float = 10.0, retries: int = 3) -> ActionRecord:
    return step(running(spec(retries=retries, base_s=base_s)), finish(FAILURE))


def in_generation(action: ActionSpec, generation: int) -> ActionSpec:
    return replace(action, run=replace(action.run, generation=generation))


def kinds(decision: Decision) -> list[type[Effect]]:
    return [type(effect) for effect in decision.effects]
