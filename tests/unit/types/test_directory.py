"""Directories as tasks use them, with data on this machine and in S3."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upwell._types.io_context import IoContext
from upwell._types.transfers.transfer import join_uri
from upwell.io import Dir, Directory, File


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "texts"
    (path / "sub" / "deep").mkdir(parents=True)
    for name in ("file1.txt", "file2.txt", "sub/file3.txt"):
        (path / name).write_text(f"Content of {name}")
    return path


def names(files: list[File[str]]) -> list[str | None]:
    return [file.name for file in files]


async def test_a_directory_is_uploaded_and_listed(io_context: IoContext, folder: Path) -> None:
    directory: Directory[str] = await Dir.from_local(f"{folder}/")
    assert directory.name == "texts"
    assert await directory.exists()
    assert names([file async for file in directory.walk()]) == ["file1.txt", "file2.txt", "file3.txt"]


async def test_a_walk_that_is_not_recursive_enters_one_level(io_context: IoContext, folder: Path) -> None:
    (folder / "sub" / "deep" / "file4.txt").write_text("deep")
    directory: Directory[str] = await Directory.from_local(folder)
    assert len([file async for file in directory.walk(recursive=False)]) == 3
    assert len([file async for file in directory.walk(max_depth=2)]) == 3
    assert len([file async for file in directory.walk(max_depth=1)]) == 2
    assert len([file async for file in directory.walk()]) == 4
    assert names(await directory.list_files()) == names(directory.list_files_sync())
    assert names(list(directory.walk_sync(file_pattern="*[34].txt"))) == ["file4.txt", "file3.txt"]


async def test_a_file_of_a_directory_is_found_by_name(io_context: IoContext, folder: Path) -> None:
    directory: Directory[str] = await Directory.from_local(folder)
    file = await directory.get_file("sub/file3.txt")
    assert file is not None
    async with file.open("r") as stream:
        assert await stream.read() == "Content of sub/file3.txt"
    assert directory.get_file_sync("file9.txt") is None


async def test_a_directory_is_downloaded(io_context: IoContext, folder: Path, tmp_path: Path) -> None:
    directory: Directory[str] = await Directory.from_local(folder)
    for path in (await directory.download(), directory.download_sync(tmp_path / "copy"), directory.download()):
        assert (Path(path) / "sub" / "file3.txt").read_text() == "Content of sub/file3.txt"
    assert (tmp_path / "copy" / "file1.txt").is_file()


async def test_with_local_data_nothing_is_copied(local_io: IoContext, folder: Path) -> None:
    directory: Directory[str] = await Directory.from_local(f"{folder}/", dir_cache_key="v1")
    assert (directory.path, directory.hash) == (str(folder), "v1")
    assert await directory.download() == str(folder)


async def test_files_written_below_a_new_directory_are_in_it(io_context: IoContext) -> None:
    directory: Directory[str] = Directory.new_remote("parts")
    assert not await directory.exists()
    for number in range(20):
        file: File[str] = File(path=join_uri(directory.path, f"part-{number:02}"))
        with file.open_sync("wb") as stream:
            stream.write(b"x" * number)
    assert len(await directory.list_files()) == 20
    assert len(os.listdir(directory.download_sync())) == 20


async def test_an_empty_directory_has_no_files(io_context: IoContext) -> None:
    directory: Directory[str] = Directory.empty()
    assert not directory.exists_sync()
    assert await directory.list_files() == []
    assert os.listdir(await directory.download()) == []


async def test_what_is_no_folder_is_named(io_context: IoContext, folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere': it does not exist"):
        await Directory.from_local("nowhere")
    with pytest.raises(FileNotFoundError, match=r"use File\.from_local"):
        Directory.from_local_sync(folder / "file1.txt")


async def test_a_download_that_fails_raises_the_failure(
    remote_io: IoContext, folder: Path, tmp_path: Path
) -> None:
    directory: Directory[str] = await Directory.from_local(folder)
    (tmp_path / "taken").write_text("a file where the folder should go")
    with pytest.raises(FileExistsError):
        await directory.download(tmp_path / "taken")
