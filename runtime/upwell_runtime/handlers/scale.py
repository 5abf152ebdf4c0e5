"""Sets the number of workers of every worker pool."""

from __future__ import annotations

import asyncio
from typing import Any

from upwell_runtime import wiring


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Look at every pool once; return the desired workers by pool."""
    return asyncio.run(wiring.worker_pools().scale_all(wiring.ports().clock.now()))
