"""Time of `import upwell`, and of what a program needs, against that of `import pydantic`: medians.

Run it with `python -m bench.import_time`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 15
STATEMENTS = {
    "import pydantic": "import pydantic; pydantic.BaseModel",
    "import upwell": "import upwell",
    "from upwell import TaskEnvironment, trace, map": "from upwell import TaskEnvironment, trace, map",
}
CLOCK = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def seconds(statement: str) -> float:
    command = [sys.executable, "-c", CLOCK.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(ROUNDS):  # interleaved, so that a busy moment hits all of them
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians["import pydantic"]
    for name, median in medians.items():
        print(f"{name:<50} {1000 * median:7.1f} ms  {median / base:5.2f} x")


if __name__ == "__main__":
    main()
