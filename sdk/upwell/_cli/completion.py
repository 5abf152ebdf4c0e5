"""What a shell completes by itself, besides commands and options: names of runs on this machine."""

from __future__ import annotations

import os

OFFERED = 50
"""Runs that are offered, the newest ones."""


def names_of_runs(incomplete: str) -> list[str]:
    """Return the local runs whose names begin so; none on other backends, which a key press must not ask."""
    import asyncio

    from upwell._client.config import current_config, init_from_config
    from upwell._local.sqlite import SqliteStore

    init_from_config()
    config = current_config()
    file = config.state_dir / "state.db"
    if config.mode != "local" or os.environ.get("UPWELL_BACKEND", "local") != "local" or not file.is_file():
        return []
    store = SqliteStore(file)
    try:
        runs = asyncio.run(store.list_runs(OFFERED))
    finally:
        store.close()
    return [run.spec.run_id for run in runs if run.spec.run_id.startswith(incomplete)]
