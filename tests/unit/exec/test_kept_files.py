"""A kept result is used only while the files that it names are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import upwell
from upwell._exec.kept_files import has_its_files
from upwell._local.blobs import FolderBlobs
from upwell.io import Directory, File

env = upwell.TaskEnvironment(name="kept-files", cache="auto")


@env.task
async def make(x: int) -> tuple[File, Directory]:
    file: File[str] = File.new_remote("file.txt")
    async with file.open("w") as target:
        await target.write(f"{x} {upwell.ctx().action.run_name}")
    folder: Directory[str] = Directory.new_remote("folder")
    async with File[str](path=f"{folder.path}/one").open("w") as target:
        await target.write("1")
    return file, folder


@env.task(cache="disable")
async def use(x: int) -> str:
    file, folder = await make(x)
    assert [f.name for f in await folder.list_files()] == ["one"]
    async with file.open("r") as source:
        text: str = await source.read()
        return text


@pytest.mark.parametrize("lost", ["file.txt", "folder", None])
def test_a_hit_whose_files_have_expired_is_a_miss(
    lost: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    upwell.init(mode="local", state_dir=tmp_path / "state")
    first, second = upwell.run(use, 1), None
    if lost is not None:
        (found,) = (tmp_path / "state" / "blobs" / "data").rglob(lost)
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    second = upwell.run(use, 1)
    made_by = second.outputs()[0].split()[1]
    assert made_by == (first.name if lost is None else second.name)


async def test_only_files_of_runs_are_looked_for(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    await blobs.put("data/run/a/file", b"x")
    there, gone, other = blobs.uri("data/run/a"), blobs.uri("data/run/b"), "s3://elsewhere/data/run/c"
    assert await has_its_files(blobs, b'{"value": 1}')
    assert await has_its_files(blobs, f'["{there}", "{there}/", "{there}/file", "{other}", "data/x"]'.encode())
    assert not await has_its_files(blobs, f'{{"x": ["{there}", {{"y": "{gone}"}}]}}'.encode())
