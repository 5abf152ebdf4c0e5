"""Files between tasks, through the async interface, with content hashes."""

import hashlib
import tempfile
from os import PathLike
from pathlib import Path

from scenario import ANYTHING, Observed, Scenario, in_folder, note

import upwell
from upwell.io import File, HashFunction

env = upwell.TaskEnvironment("case-files")
CSV = b"id,value\n1,100\n2,200\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@env.task
async def write(text: str) -> File:
    file = File.new_remote("written.txt")
    assert not await file.exists()
    async with file.open("w") as f:
        await f.write(text)
    return file


@env.task
async def upload() -> File:
    path = Path(tempfile.gettempdir()) / "upwell-case-files.csv"
    path.write_bytes(CSV)
    return await File.from_local(path, hash_method=HashFunction.from_fn(sha256))


@env.task
async def read(file: File) -> str:
    assert await file.exists()
    async with file.open("rb") as f:
        data: bytes = await f.read()
    assert content_of(await file.download()) == content_of(file.download()) == data
    return data.decode()


def content_of(path: str | PathLike[str]) -> bytes:
    return Path(path).read_bytes()


@env.task
async def pass_on(files: list[File]) -> dict[str, File]:
    return {file.name or "": file for file in files}


@env.task(cache=upwell.Cache("auto", version_override="v1"))
async def count(folder: str, file: File) -> int:
    note(folder, "counted")
    return len(await read(file))


@env.task
async def main(folder: str) -> tuple[dict[str, str], File, int]:
    written, uploaded = await write("Grüße"), await upload()
    passed = await pass_on([written, uploaded])
    contents = {name: await read(file) for name, file in passed.items()}
    again = await upload()
    total = await count(folder, uploaded) + await count(folder, again)
    return contents, uploaded, total


def check(observed: Observed) -> None:
    contents, file, total = observed.value
    assert contents == {"written.txt": "Grüße", "upwell-case-files.csv": CSV.decode()}
    assert file.hash == sha256(CSV)
    assert total == 2 * len(CSV)
    assert observed.notes == ["counted"]  # the content is the key, not the path


SCENARIO = Scenario(main, in_folder, value=ANYTHING, check=check)
