"""A Directory of many small files, and a loop over them with boto3."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from bench.data.place import BUCKET, Place, data_place
from upwell._types.io_context import use_io_context
from upwell.io import Directory

PER_FOLDER = 100


def measure(count: int, size_bytes: int, looped: int, latency_ms: float, reps: int) -> dict[str, Any]:
    """Return files a second of a Directory and of a loop that moves one file after the other, and the ratios.

    Args:
        count: Files of the Directory.
        size_bytes: Of each.
        looped: Files that the loop moves: its time a file does not depend on how many they are.
        latency_ms: Of each request; those to S3 take 10 ms and more.
        reps: Uploads and downloads of the Directory.
    """
    with data_place(latency_ms) as place, use_io_context(place.io()):
        made = [
            place.make_file(f"many/{number // PER_FOLDER:03}/{number:05}", size_bytes)
            for number in range(count)
        ]
        figures: dict[str, Any] = {"files": count, "size_bytes": size_bytes, "latency_ms": latency_ms}
        rates = asyncio.run(_directory(place, count, reps)) | _loop(place, made[:looped])
    figures |= {f"{name}_files_per_s": round(rate, 1) for name, rate in rates.items()}
    figures |= {
        f"{name}_to_loop": round(rates[name] / rates[f"loop_{name}"], 2) for name in ("upload", "download")
    }
    return figures


async def _directory(place: Place, count: int, reps: int) -> dict[str, float]:
    times: dict[str, list[float]] = {"upload": [], "download": []}
    for turn in range(reps):
        uri, copy = f"s3://{BUCKET}/many-{turn}", place.folder / f"copy-{turn}"
        start = time.perf_counter()
        directory: Directory[bytes] = await Directory.from_local(place.folder / "many", uri)
        uploaded = time.perf_counter()
        await directory.download(copy)
        times["upload"].append(uploaded - start)
        times["download"].append(time.perf_counter() - uploaded)
        if sum(1 for path in copy.rglob("*") if path.is_file()) != count:
            raise SystemExit("not all files came back")
    return {name: count / statistics.median(seconds) for name, seconds in times.items()}


def _loop(place: Place, paths: list[Path]) -> dict[str, float]:
    client = place.boto3()
    start = time.perf_counter()
    for path in paths:
        client.upload_file(str(path), BUCKET, f"loop/{path.name}")
    uploaded = time.perf_counter()
    for path in paths:
        client.download_file(BUCKET, f"loop/{path.name}", str(place.folder / "one"))
    ended = time.perf_counter()
    return {
        "loop_upload": len(paths) / (uploaded - start),
        "loop_download": len(paths) / (ended - uploaded),
    }
