"""Runs on the local adapters: SQLite, a queue in memory, a folder."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from bench.faults.breaks import Guard
from bench.faults.fleet import Role, counted
from bench.faults.programs import Writer, warm
from bench.faults.report import RunReport
from bench.faults.strikes import draw_plan, op_for, port_kinds
from bench.faults.virtual_time import LoopClock
from bench.faults.world import Setting, World
from upwell._core.keys import DEFAULT_POOL
from upwell._core.settings import Settings
from upwell._local.blobs import FolderBlobs
from upwell._local.orchestrator import LocalOrchestrator
from upwell._local.queue import MemoryQueue
from upwell._local.sqlite import SqliteStore

ROLES = [
    Role("cold", DEFAULT_POOL, 6, suspends=True),
    Role("cold", DEFAULT_POOL, 6, suspends=True),
    Role("warm", warm.name, 8, suspends=False),
    Role("warm", warm.name, 8, suspends=False),
]
SETTINGS = Settings(
    prefix="local",
    bucket="",
    queue_url_prefix="",
    lease_s=30.0,
    heartbeat_s=10.0,
    poll_min_s=0.1,
    poll_max_s=2.0,
)


class LocalBackend:
    """Runs programs one after the other, on one store.

    Args:
        root: A folder.
        broken: The guard that is taken out.
    """

    name = "local"
    seeds = range(0)
    kinds = tuple(port_kinds())

    def __init__(self, root: Path, broken: Guard | None = None) -> None:
        self._root, self._broken = root, broken
        self._store = SqliteStore(root / "state.db")
        self._blobs = FolderBlobs(root / "blobs")

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def run(self, seed: int) -> RunReport:
        """Run the program of a seed under the faults of the seed, and check it."""
        chance = Random(seed)
        program, plan = Writer(chance).program(op_for(seed)), draw_plan(chance, seed)
        return World(self._setting(), seed, program, plan, chance).run()

    def _setting(self) -> Setting:
        queues: list[MemoryQueue] = []

        def adapters(clock: LoopClock, _: bool) -> dict[str, Any]:
            if not queues:
                queues.append(MemoryQueue(clock))
            orchestrator = LocalOrchestrator(self._store, queues[0], clock)
            return {
                "store": self._store,
                "queue": queues[0],
                "blobs": self._blobs,
                "orchestrator": orchestrator,
            }

        return Setting(
            settings=SETTINGS,
            roles=ROLES,
            adapters=adapters,
            counted=counted(throws_reads=True),
            scratch=self._root / "scratch",
            long_poll_s=20.0,
            broken=self._broken,
        )
