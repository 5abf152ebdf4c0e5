"""`python -m bench.data`: how fast data moves and what it takes, beside plain boto3, in one run.

The other end is `bench.data.s3_server`, a process on this machine that keeps files in memory and checks
nothing: figures are those of the clients, not of S3. Data frames go to a folder, as bare pyarrow's do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from bench.data import directories, files, frames, memory

Row = Callable[[argparse.Namespace], dict[str, Any]]
ROWS: dict[str, Row] = {
    "files": lambda o: files.measure(o.mb, o.reps),
    "memory": lambda o: memory.measure(o.memory_mb),
    "directory": lambda o: directories.measure(o.count, o.size, o.looped, o.latency_ms, min(o.reps, 3)),
    "frames": lambda o: frames.measure(o.rows, min(o.reps, 5)),
}
GOALS = {
    "upload_to_boto3": ">= 1",
    "download_to_boto3": ">= 1",
    "upload_peak_mb": "< 200",
    "download_peak_mb": "< 200",
    "upload_to_loop": ">= 5",
    "download_to_loop": ">= 5",
    **{f"{kind}_to_pyarrow": "<= 1.3" for kind in frames.FRAMES},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", choices=[[], *ROWS], help="which figures; all by default")
    parser.add_argument("--mb", type=int, default=256, help="size of the file whose throughput is measured")
    parser.add_argument(
        "--memory-mb", type=int, default=1024, help="size of the file that memory is measured with"
    )
    parser.add_argument("--count", type=int, default=10_000, help="files of the directory")
    parser.add_argument("--size", type=int, default=1_000, help="bytes of each")
    parser.add_argument("--looped", type=int, default=1_000, help="files that the loop moves")
    parser.add_argument("--latency-ms", type=float, default=5.0, help="of each request for the directory")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the data frames")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {name: row(options) for name, row in ROWS.items() if name in (options.figures or ROWS)}
    if options.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(f"{name}:")
        for key, value in figures.items():
            print(f"{key:>28}  {value}{f'  (goal {GOALS[key]})' if key in GOALS else ''}")


if __name__ == "__main__":
    main()
