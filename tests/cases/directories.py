"""Directories between tasks: upload, walk, list, download, a cache key of one's own."""

import hashlib
import tempfile
from pathlib import Path

from scenario import Scenario

import upwell
from upwell.io import Dir, Directory, File

env = upwell.TaskEnvironment("case-directories")
FILES = {"file1.txt": "Content of file 1", "file2.txt": "Content of file 2", "sub/deep.txt": "Deep"}


@env.task
async def upload() -> Dir:
    folder = Path(tempfile.mkdtemp())
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    key = hashlib.sha256(FILES["file1.txt"].encode()).hexdigest()
    return await Dir.from_local(f"{folder}/", dir_cache_key=key)


@env.task
async def walk(folder: Dir, recursive: bool, max_depth: int | None) -> list[str]:
    files = [file async for file in folder.walk(recursive=recursive, max_depth=max_depth)]
    return [file.name or "" for file in files]


@env.task
async def list_files(folder: Dir) -> list[File]:
    return await folder.list_files()


@env.task
async def get(folder: Dir, name: str) -> File | None:
    return await folder.get_file(name)


@env.task
async def read(file: File) -> str:
    async with file.open("r") as f:
        return str(await f.read())


@env.task
async def download(folder: Dir) -> dict[str, str]:
    contents = content_of(await folder.download())
    assert content_of(await folder.download(tempfile.mkdtemp())) == contents
    return contents


def content_of(folder: str) -> dict[str, str]:
    paths = sorted(Path(folder).rglob("*.txt"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@env.task
async def main() -> dict[str, list[str] | dict[str, str] | bool]:
    folder = await upload()
    first = await get(folder, "file1.txt")
    assert first is not None
    return {
        "exists": await folder.exists(),
        "is a Directory": type(folder) is Directory,
        "key": (folder.hash or "")[:4] == hashlib.sha256(b"Content of file 1").hexdigest()[:4],
        "all": await walk(folder, True, None),
        "one level": await walk(folder, False, None),
        "top": await walk(folder, True, 1),
        "listed": [await read(file) for file in await list_files(folder)],
        "read": [await read(first)],
        "missing": await get(folder, "file9.txt") is None,
        "downloaded": await download(folder),
        "by path": await download(Dir.from_existing_remote(folder.path)),
    }


SCENARIO = Scenario(
    main,
    value={
        "exists": True,
        "is a Directory": True,
        "key": True,
        "all": ["file1.txt", "file2.txt", "deep.txt"],
        "one level": ["file1.txt", "file2.txt", "deep.txt"],
        "top": ["file1.txt", "file2.txt"],
        "listed": ["Content of file 1", "Content of file 2", "Deep"],
        "read": ["Content of file 1"],
        "missing": True,
        "downloaded": FILES,
        "by path": FILES,
    },
)
