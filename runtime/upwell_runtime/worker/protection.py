"""Keeps this worker's task from scale-in while it computes, by the endpoint that ECS gives every task."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import urllib.request
from collections.abc import Callable

from upwell._core.protection import PROTECTED_S, ProtectionState, Step, look

log = logging.getLogger("upwell.worker")

LOOK_S = 1.0
ANSWER_WITHIN_S = 5.0
PATH = "/task-protection/v1/state"


class ProtectionError(RuntimeError):
    """ECS did not change the protection of this task."""


async def keep_protected(was_busy: Callable[[], bool], look_s: float = LOOK_S) -> None:
    """Follow what the worker does, for ever. Outside of ECS there is nothing to do.

    Args:
        was_busy: Whether anything was computed since it was last called.
        look_s: Between two looks.
    """
    agent = os.environ.get("ECS_AGENT_URI")
    if agent is None:
        return
    state, now = ProtectionState(), asyncio.get_running_loop().time
    while True:
        step, state = look(state, busy=was_busy(), now=now())
        if step is not None:
            try:
                await asyncio.to_thread(_ask, agent, step)
                state = state.granted(step, now())
            except (OSError, ValueError, ProtectionError) as e:
                # The work is safe without it: a worker that is stopped gives back what it has.
                log.warning("protection not changed", extra={"step": step.value, "error": str(e)})
                state = state.refused(now())
        await asyncio.sleep(look_s)


def _ask(agent: str, step: Step) -> None:
    body: dict[str, object] = {"ProtectionEnabled": step is Step.PROTECT}
    if step is Step.PROTECT:
        body["ExpiresInMinutes"] = round(PROTECTED_S / 60)
    request = urllib.request.Request(
        agent + PATH,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:
        told = json.loads(answer.read())
    if refusal := told.get("failure") or told.get("error"):
        raise ProtectionError(f"ECS answered {refusal}")
