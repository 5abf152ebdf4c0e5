"""`make demo`: the reference's data pipeline on `local` and on `sandbox`, and a console of the runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

import upwell
from bench.demo_consoles import present
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._client.sandbox import sandbox_command

ITEMS, BATCH_SIZE = 20_000, 100
WARM_UP_ITEMS = 5_000
EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the pipeline."""

    backend: str
    run: str
    actions: int
    executors: str
    wall_s: float

    @property
    def per_action_ms(self) -> float:
        """Wall time over actions; the work itself takes next to nothing, so this is overhead."""
        return 1000 * self.wall_s / self.actions


def measure(backend: str) -> Result:
    """Run the pipeline on a backend, warm: a small run before starts what has to be started once."""
    run_pipeline(backend, WARM_UP_ITEMS)
    start = time.perf_counter()
    run = run_pipeline(backend, ITEMS)
    wall_s = time.perf_counter() - start
    actions, executors = asyncio.run(_looked_up(backend, run.name))
    return Result(backend, run.name, actions, executors, wall_s)


def run_pipeline(backend: str, items: int) -> upwell.Run:
    """Run the pipeline to its end and check what comes out."""
    from data_pipeline import main

    run = upwell.with_runcontext(mode=backend).run(main, items=items, batch_size=BATCH_SIZE)
    (count,) = run.outputs()
    if count != items:
        raise SystemExit(f"{backend}: {count} of {items} items came back right; see run {run.name}")
    return run


async def _looked_up(backend: str, run_id: str) -> tuple[int, str]:
    async with open_backend(backend, current_config()) as opened:  # type: ignore[arg-type]  # one of the modes
        records = [record async for record in opened.store.list_actions(run_id)]
    executors = {record.attempts[-1].executor for record in records}
    kinds = sorted({executor.kind for executor in executors})
    return len(records), ", ".join(f"{sum(e.kind == k for e in executors)} {k}" for k in kinds)


def main() -> None:
    console = Console()
    sys.path.insert(0, str(EXAMPLES))
    console.print(f"examples/data_pipeline.py: {ITEMS:,} items in batches of {BATCH_SIZE}")
    with console.status("running on local"):
        results = [measure("local")]
    with console.status("starting the sandbox (emulated AWS, on this machine)"):
        subprocess.run(
            sandbox_command(current_config().state_dir, "start"), check=True, stdout=subprocess.DEVNULL
        )
    try:
        with console.status("running on sandbox"):
            results.append(measure("sandbox"))
        show(console, results)
        present(console, {result.backend: result.run for result in results})
    finally:
        subprocess.run(
            sandbox_command(current_config().state_dir, "stop"), check=True, stdout=subprocess.DEVNULL
        )


def show(console: Console, results: list[Result]) -> None:
    """Print the figures."""
    table = Table("backend", "actions", "executors", "wall time", "overhead per action")
    for result in results:
        table.add_row(
            result.backend,
            str(result.actions),
            result.executors,
            f"{result.wall_s:.2f} s",
            f"{result.per_action_ms:.1f} ms",
        )
    console.print(table)
    console.print("(wall time over actions is overhead: the work itself takes next to nothing)")


if __name__ == "__main__":
    main()
