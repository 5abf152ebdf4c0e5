"""Throughput of a File's upload and download, and of boto3's `upload_file` and `download_file`."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.data.place import BUCKET, Place, data_place
from upwell._types.io_context import use_io_context
from upwell.io import File

MIB = 1 << 20


def measure(mb: int, reps: int) -> dict[str, Any]:
    """Return medians in MB/s and their ratios; the two take turns, on one server, from one process.

    Args:
        mb: Size of the file in MiB.
        reps: Transfers of each kind.
    """
    with data_place() as place, use_io_context(place.io()):
        return asyncio.run(_measured(place, mb, reps))


async def _measured(place: Place, mb: int, reps: int) -> dict[str, Any]:
    source = place.make_file("source", mb * MIB)
    client = place.boto3()
    target, theirs = f"s3://{BUCKET}/ours", place.folder / "theirs"
    ours = place.folder / "ours"

    async def upload() -> None:
        await File.from_local(source, target)

    async def download() -> None:
        await File(path=target).download(ours)

    async def boto3_upload() -> None:
        await asyncio.to_thread(client.upload_file, str(source), BUCKET, "theirs")

    async def boto3_download() -> None:
        await asyncio.to_thread(client.download_file, BUCKET, "theirs", str(theirs))

    work = {
        "upload": upload,
        "boto3_upload": boto3_upload,
        "download": download,
        "boto3_download": boto3_download,
    }
    times = await timed(work, reps)
    if not source.read_bytes() == ours.read_bytes() == theirs.read_bytes():
        raise SystemExit("what was downloaded is not what was uploaded")
    figures: dict[str, Any] = {"mb": mb, "reps": reps}
    for name, seconds in times.items():
        figures[f"{name}_mb_per_s"] = round(mb / statistics.median(seconds), 1)
    for name in ("upload", "download"):
        ratio = figures[f"{name}_mb_per_s"] / figures[f"boto3_{name}_mb_per_s"]
        figures[f"{name}_to_boto3"] = round(ratio, 2)
    return figures


async def timed(work: dict[str, Callable[[], Any]], reps: int) -> dict[str, list[float]]:
    """Return the seconds of each piece of work, which take turns; the first turn is not counted."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(reps + 1):
        for name, do in work.items():
            start = time.perf_counter()
            await do()
            if turn:
                times[name].append(time.perf_counter() - start)
    return times
