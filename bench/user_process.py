"""`python -m bench.user_process`: what it costs that user code runs in a process of its own; medians.

Of a bundle that is new to an executor: from asking for its process to the first result. Then the time of an
attempt in a process that is there already, against the same attempt in the engine's own process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.flows import echo
from upwell._core.model import ActionSpec, Payload, RunSpec
from upwell._exec.boundary import Answer, Call, Start, TraceRecord, Users
from upwell._exec.process.pool import Processes
from upwell._exec.process.zygote import Zygote
from upwell._exec.user_code import InProcess
from upwell._local.platform import LOCAL_TRANSFERS, RegistryLoader
from upwell_runtime.user.process import guest

ROOT = Path(__file__).parents[1]
ZYGOTE = (sys.executable, "-m", "upwell_runtime.user")
INPUTS = b'{"x":1}'


class Here:
    """Finds the code in this checkout."""

    async def folder(self, spec: ActionSpec) -> Path:
        return ROOT


class NoHost:
    """For tasks that call nothing."""

    is_waiting = False

    async def call(self, call: Call, inputs: bytes) -> Answer:
        raise NotImplementedError

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        raise NotImplementedError

    def now(self) -> float:
        return time.time()


def start(bundle: str) -> Start:
    spec = ActionSpec(
        run=RunSpec(run_id="bench", bundle=bundle),
        action_id="a0",
        task=echo.spec(INPUTS),
        inputs=Payload(size_bytes=len(INPUTS)),
    )
    with tempfile.TemporaryDirectory() as folder:
        return Start(
            spec=spec,
            attempt=1,
            worker="bench",
            mode="local",
            blob_prefix=folder,
            raw_data_prefix=folder,
            scratch=folder,
        )


async def attempt_s(users: Users, bundle: str) -> float:
    """Run one attempt and return its seconds."""
    begun = time.perf_counter()
    ended = await users.attempt(start(bundle), INPUTS, NoHost()).run()
    elapsed_s = time.perf_counter() - begun
    if ended.data != b'{"value":1}':
        raise SystemExit(f"wrong: {ended}")
    return elapsed_s


async def measure(rounds: int, zygote: Zygote) -> dict[str, float]:
    spawning, processes = Processes(Here(), Zygote(ZYGOTE)), Processes(Here(), zygote)
    here = InProcess(RegistryLoader(), LOCAL_TRANSFERS)
    try:
        spawned_s = await attempt_s(spawning, "first")
        first_s = await attempt_s(processes, "first")
        new_s = [await attempt_s(processes, f"bundle-{n}") for n in range(rounds)]
        warm_s: list[float] = []
        in_process_s: list[float] = []
        for _ in range(50 * rounds):  # interleaved, so that a busy moment hits both
            warm_s.append(await attempt_s(processes, "bundle-0"))
            in_process_s.append(await attempt_s(here, "bundle-0"))
    finally:
        await processes.aclose()
        await spawning.aclose()
    return {
        "first_of_a_new_interpreter_ms": round(1000 * spawned_s, 1),
        "first_ms": round(1000 * first_s, 1),
        "new_bundle_ms": round(1000 * statistics.median(new_s), 1),
        "warm_ms": round(1000 * statistics.median(warm_s), 3),
        "in_process_ms": round(1000 * statistics.median(in_process_s), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    zygote = Zygote(ZYGOTE)
    zygote.split_off(guest)
    figures = asyncio.run(measure(options.rounds, zygote))
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<32}{value:>10}")


if __name__ == "__main__":
    main()
