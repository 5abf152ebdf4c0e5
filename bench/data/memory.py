"""Peak memory of moving a large file, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.data.place import BUCKET, Place, data_place
from upwell._types.io_context import use_io_context
from upwell.io import Directory, File

MIB = 1 << 20
URI = f"s3://{BUCKET}/large"
KINDS = ("upload", "download", "write", "read", "directory_upload", "directory_download")


def measure(mb: int, files: int = 10_000, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """Return the peak resident memory of each kind of transfer, all of the interpreter included.

    Args:
        mb: Size of the file in MiB.
        files: Of the directory.
        kinds: Of `KINDS`.
    """
    figures: dict[str, Any] = {"mb": mb}
    with data_place() as place:
        source = place.make_file("source", mb * MIB)
        for number in range(files):
            place.make_file(f"many/{number // 100:03}/{number:05}", 1000)
        for kind in kinds:
            command = [sys.executable, "-m", "bench.data.memory", kind, place.url, str(source)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ))
            figures[f"{kind}_peak_mb"] = json.loads(done.stdout)
    return figures


async def move(kind: str, source: Path) -> None:
    """Move a file, or its bytes through this process."""
    file: File[bytes] = File(path=URI)
    if kind == "upload":
        await File.from_local(source, URI)
    elif kind == "download":
        await file.download(source.with_name("copy"))
    elif kind == "directory_upload":
        await Directory.from_local(source.with_name("many"), f"s3://{BUCKET}/many")
    elif kind == "directory_download":
        await Directory(path=f"s3://{BUCKET}/many").download(source.with_name("many-copy"))
    elif kind == "write":
        with source.open("rb") as pieces:
            async with file.open("wb") as target:
                while piece := pieces.read(MIB):
                    await target.write(piece)
    else:
        async with file.open("rb") as stream:
            while await stream.read(MIB):
                pass


def peak_mb() -> float:
    """Return the most memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(line.split()[1]) / 1024, 1)


def main() -> None:
    kind, url, source = sys.argv[1:]
    place = Place(url=url, folder=Path(source).parent)
    with use_io_context(place.io()):
        asyncio.run(move(kind, Path(source)))
    print(peak_mb())


if __name__ == "__main__":
    main()
