"""What a run costs, as a JSON document: names that stay, amounts of money in dollars."""

from __future__ import annotations

import time
from typing import Any

from upwell._client.backend import Backend
from upwell._client.run_efforts import run_efforts
from upwell._core.cost import BASIS, RunCost, cost_of
from upwell._core.model import RunRecord
from upwell._core.prices import PRICES_OF, REGION, alternatives, price


async def load_cost(backend: Backend, run: RunRecord) -> tuple[str, RunCost]:
    """Return the backend's name and what a run costs."""
    return backend.mode, cost_of(run, await run_efforts(backend, run), time.time())


def cost_document(run_id: str, backend: str, cost: RunCost) -> dict[str, Any]:
    """Return what a run costs as `get cost --json` prints it; amounts of money are dollars."""
    actions = max(1, cost.actions)
    return {
        "run": run_id,
        "backend": backend,
        "region": REGION,
        "prices_of": PRICES_OF,
        "actions": cost.actions,
        "usd": _usd(cost.bill.usd),
        "control_usd": _usd(price(cost.control).usd),
        "compute_usd": _usd(price(cost.compute).usd),
        "run_usd": _usd(price(cost.submissions).usd),
        "view_usd": _usd(price(cost.views).usd),
        "control_usd_per_million_actions": round(cost.control_usd_per_million, 4),
        "requests_per_action": round(cost.control.requests / actions, 3),
        "write_units_per_action": round(cost.control.write_units / actions, 3),
        "services": {name: _usd(usd) for name, usd in cost.bill.services.items()},
        "usage": {name: round(n, 6) for name, n in (cost.control + cost.compute).amounts().items()},
        "tasks": {
            name: {
                "actions": task.actions,
                "attempts": task.attempts,
                "run_s": round(task.run_s, 3),
                "control_usd": _usd(price(task.control).usd),
                "compute_usd": _usd(price(task.compute).usd),
                "usd": _usd(task.usd),
            }
            for name, task in sorted(cost.tasks.items())
        },
        "basis": dict(BASIS),
        "alternatives_usd_per_million": alternatives(),
    }


def _usd(amount: float) -> float:
    return round(amount, 9)
