"""Files between sync tasks, through the blocking interface."""

import tempfile
from pathlib import Path

from scenario import Scenario

import upwell
from upwell.io import File

env = upwell.TaskEnvironment("case-files-sync")


@env.task
def write() -> File:
    file = File.new_remote("new.txt")
    with file.open_sync("wb") as f:
        f.write(b"first line\nsecond line\n")
    return file


@env.task
def read(file: File) -> list[str]:
    with file.open_sync("r") as f:
        return list(f)


@env.task
def exists(file: File) -> bool:
    return file.exists_sync()


@env.task
def download(file: File) -> str:
    return Path(file.download_sync()).read_text()


@env.task
def upload() -> File:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write("temporary")
        f.flush()
        return File.from_local_sync(f.name, remote_destination=File.new_remote("kept.txt").path)


@env.task
def refer(path: str) -> list[str]:
    existing = File.from_existing_remote(path)
    same = File(path=existing.path)
    return [existing.name or "", same.format, str(same.hash), download(same)]


@env.task
def main() -> dict[str, list[str] | str | bool]:
    file = write()
    missing = File.from_existing_remote(file.path + ".missing")
    return {
        "lines": read(file),
        "exists": exists(file),
        "missing": exists(missing),
        "downloaded": download(file),
        "uploaded": download(upload()),
        "reference": refer(file.path),
    }


SCENARIO = Scenario(
    main,
    value={
        "lines": ["first line\n", "second line\n"],
        "exists": True,
        "missing": False,
        "downloaded": "first line\nsecond line\n",
        "uploaded": "temporary",
        "reference": ["new.txt", "", "None", "first line\nsecond line\n"],
    },
)
