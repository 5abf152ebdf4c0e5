"""`python -m bench.data.frames --rows 1000000 10000000`: a frame to storage and back, against bare pyarrow.

Both make an Arrow table of a pandas frame, write it to a parquet file, read the file and make a pandas frame of
it. With upwell it is what happens when one task returns a frame and another takes it: the frame is also checked
and hashed, and its dtypes are restored. The two take turns in one process; peak memory is that of a process of
its own for each, above what it held before. Storage is a folder; nothing is cached between rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from upwell._types.interface import Interface
from upwell._types.io_context import IoContext, use_io_context

ROUNDS = 5
MIB = 1 << 20

RoundTrip = Callable[[pd.DataFrame, Path], pd.DataFrame]


def numbers(rows: int) -> pd.DataFrame:
    """Eight columns of floats and integers."""
    chance = np.random.default_rng(1)
    floats = {f"x{i}": chance.normal(size=rows) for i in range(4)}
    return pd.DataFrame(floats | {f"n{i}": chance.integers(0, 10**9, rows) for i in range(4)})


def mixed(rows: int) -> pd.DataFrame:
    """Numbers, missing numbers, instants, text, categories and truths, on an index of its own."""
    chance = np.random.default_rng(2)
    cities = np.array(["Rome", "Oslo", "Lima", "Cairo"])
    frame = pd.DataFrame(
        {
            "x": chance.normal(size=rows),
            "n": pd.array(chance.integers(0, 1000, rows), dtype="Int32"),
            "at": pd.Timestamp("2020-01-01", tz="UTC")
            + pd.to_timedelta(chance.integers(0, 10**8, rows), unit="s"),
            "text": pd.Series(chance.integers(0, 10**6, rows)).astype(str),
            "city": pd.Categorical(cities[chance.integers(0, 4, rows)]),
            "is_good": chance.random(rows) < 0.5,
        },
        index=pd.Index(chance.permutation(rows), name="id"),
    )
    frame.loc[frame.index % 10 == 0, ["x", "n"]] = None
    return frame


def texts(rows: int) -> pd.DataFrame:
    """Columns of text, one of them of Python objects, as pandas had it before version 3."""
    words = pd.Series(np.random.default_rng(3).integers(0, 10**9, rows)).astype(str)
    return pd.DataFrame({"word": words, "object": words.astype(object)})


FRAMES = {"numbers": numbers, "mixed": mixed, "texts": texts}


def with_pyarrow(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write and read a frame with nothing else."""
    path = folder / "frame.parquet"
    pq.write_table(pa.Table.from_pandas(frame), path)
    result: pd.DataFrame = pq.read_table(path).to_pandas()
    path.unlink()
    return result


def give_and_take(frame: pd.DataFrame) -> pd.DataFrame:
    """Stand for the two tasks: one returns the frame, the other takes it."""
    return frame


def with_upwell(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Do what is done between two tasks."""
    interface = Interface.of(give_and_take)
    with use_io_context(IoContext(raw_data_prefix=str(folder / "data"), scratch_dir=folder)):
        result: pd.DataFrame = interface.decode_output(interface.encode_output(frame))
    for file in (folder / "data").iterdir():
        file.unlink()
    return result


WAYS: dict[str, RoundTrip] = {"pyarrow": with_pyarrow, "upwell": with_upwell}


def median_times_s(frame: pd.DataFrame, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median time of each way, which take turns, and the median of what all threads computed."""
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            for way, round_trip in WAYS.items():
                began = time.perf_counter(), time.process_time()
                returned = round_trip(frame, Path(folder))
                took_s = time.perf_counter() - began[0], time.process_time() - began[1]
                assert len(returned) == len(frame)
                if number:  # the first round loads code
                    times[way].append(took_s)
    medians = {way: tuple(map(statistics.median, zip(*took, strict=True))) for way, took in times.items()}
    return {way: (wall_s, cpu_s) for way, (wall_s, cpu_s) in medians.items()}


def peak_mib(way: str, kind: str, rows: int) -> float:
    """Return the most memory that a round trip takes above its frame, in a process of its own."""
    command = [sys.executable, "-m", "bench.data.frames", "--peak", way, "--kinds", kind, "--rows", str(rows)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _peak_here_mib(way: str, kind: str, rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        WAYS[way](FRAMES[kind](1000), Path(folder))  # loads code
        frame = FRAMES[kind](rows)
        Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
        before = _memory_mib("VmRSS")
        WAYS[way](frame, Path(folder))
        return _memory_mib("VmHWM") - before


def _memory_mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def measured(kind: str, rows: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the figures of one kind and size of frame."""
    frame = FRAMES[kind](rows)
    took_s = median_times_s(frame, rounds)
    size_mib = float(frame.memory_usage(deep=True).sum()) / MIB
    del frame
    peaks = {way: peak_mib(way, kind, rows) for way in WAYS}
    return {
        "rows": rows,
        "size_mib": round(size_mib, 1),
        **{f"{way}_s": round(wall_s, 3) for way, (wall_s, _) in took_s.items()},
        "to_pyarrow": round(took_s["upwell"][0] / took_s["pyarrow"][0], 2),
        "cpu_to_pyarrow": round(took_s["upwell"][1] / took_s["pyarrow"][1], 2),
        **{f"{way}_peak_mib": round(peak, 1) for way, peak in peaks.items()},
    }


def measure(rows: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the figures of every kind of frame, for `python -m bench.data`."""
    return {f"{kind}_{name}": value for kind in FRAMES for name, value in measured(kind, rows, rounds).items()}


def main() -> None:
    """Print a JSON document per frame."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=FRAMES, default=list(FRAMES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--peak", choices=WAYS, help="Print the peak memory of one way, in MiB.")
    given = parser.parse_args()
    if given.peak:
        print(_peak_here_mib(given.peak, given.kinds[0], given.rows[0]))
        return
    for kind in given.kinds:
        for rows in given.rows:
            print(json.dumps({"frame": kind} | measured(kind, rows, given.rounds)), flush=True)


if __name__ == "__main__":
    main()
