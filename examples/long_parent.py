"""A parent that takes minutes, on a Lambda function whose invocations end after 20 seconds, and costs little.

python examples/long_parent.py                            # ten children of 30 s each, one after the other
python examples/long_parent.py --steps 3 --seconds 3 --lambda-timeout-s 8    # too short to save much

It starts a sandbox of its own. While the parent waits it is suspended: no invocation is open. Each child that
ends wakes it, and it replays: what has returned before returns at once.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import upwell

steps_pool = upwell.TaskEnvironment(
    "long-parent-steps", reuse_policy=upwell.ReusePolicy(replicas=(1, 1), concurrency=4)
)
parents = upwell.TaskEnvironment("long-parent", depends_on=[steps_pool])


@steps_pool.task
async def step(number: int, seconds: float) -> int:
    await asyncio.sleep(seconds)
    return number + 1


@parents.task
async def chain(steps: int, seconds: float) -> int:
    done = 0
    for _ in range(steps):
        done = await step(done, seconds)
    return done


def sandbox(state_dir: str, command: str, *options: str) -> Any:
    """Carry out a command of the sandbox, and return what it says."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "upwell_runtime.sandbox", command),
            *("--dir", f"{state_dir}/sandbox", "--json", *options),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def billed(state_dir: str) -> tuple[float, int]:
    """Return the time of all invocations of the parents' function so far, and their number."""
    usage = sandbox(state_dir, "status")["functions"]["upwell-dev-default-execute"]
    return usage["billed_s"], usage["invocations"]


def measure(state_dir: str, steps: int, seconds: float) -> dict[str, float]:
    """Run the chain and return what it took."""
    upwell.with_runcontext(mode="sandbox").run(chain, 1, 0.0).outputs()  # start what has to be started once
    billed_before_s, invocations_before = billed(state_dir)
    start = time.monotonic()
    outputs = upwell.with_runcontext(mode="sandbox").run(chain, steps, seconds).outputs()
    wall_s = time.monotonic() - start
    if outputs != (steps,):
        raise SystemExit(f"wrong: {outputs}")
    billed_after_s, invocations_after = billed(state_dir)
    parent_s = billed_after_s - billed_before_s
    return {
        "steps": steps,
        "seconds": seconds,
        "wall_s": round(wall_s, 1),
        "billed_parent_s": round(parent_s, 2),
        "billed_share": round(parent_s / wall_s, 3),
        "replays": invocations_after - invocations_before - 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--lambda-timeout-s", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as state_dir:
        os.environ["UPWELL_STATE_DIR"] = state_dir
        sandbox(state_dir, "start", "--lambda-timeout-s", str(options.lambda_timeout_s))
        try:
            figures = measure(state_dir, options.steps, options.seconds)
        finally:
            sandbox(state_dir, "stop")
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>16}  {value}")


if __name__ == "__main__":
    main()
