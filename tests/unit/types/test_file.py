"""Files as tasks use them, with data on this machine and in S3."""

from __future__ import annotations

import csv
import hashlib
import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from upwell._types.interface import Interface
from upwell._types.io_context import IoContext
from upwell.io import Directory, File, HashFunction

SHA256 = HashFunction.from_fn(lambda data: hashlib.sha256(data).hexdigest())


def content(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "table.csv"
    path.parent.mkdir()
    path.write_bytes(b"id,value\n1,100\n2,200\n")
    return path


async def test_a_file_is_uploaded_and_read(io_context: IoContext, table: Path) -> None:
    file = await File.from_local(table)
    assert file.name == "table.csv"
    assert await file.exists()
    async with file.open("rb") as stream:
        assert await stream.read() == content(table)


def test_with_local_data_nothing_is_copied(local_io: IoContext, table: Path) -> None:
    assert File.from_local_sync(table).path == str(table)
    assert not os.path.exists(local_io.raw_data_prefix)


async def test_with_remote_data_the_content_is_uploaded(remote_io: IoContext, table: Path) -> None:
    file = await File.from_local(table)
    assert file.path.startswith(f"{remote_io.raw_data_prefix}/")
    assert file.path.endswith("/table.csv")


async def test_a_destination_is_honoured(io_context: IoContext, table: Path) -> None:
    destination = io_context.fresh_uri("elsewhere.csv")
    file = await File.from_local(str(table), destination)
    assert (file.path, file.name) == (destination, "table.csv")
    assert content(await file.download()) == content(table)


async def test_a_new_file_is_written_and_read(io_context: IoContext) -> None:
    file: File[str] = File.new_remote("notes.txt")
    assert not await file.exists()
    async with file.open("wb") as stream:
        assert await stream.write(b"one\n") == 4
        await stream.write(b"two\n")
    async with file.open("rb") as stream:
        assert [await stream.read(2), await stream.read(), await stream.read()] == [b"on", b"e\ntwo\n", b""]


async def test_text_is_utf_8_and_read_by_line(io_context: IoContext) -> None:
    file: File[str] = File.new_remote()
    async with file.open("w") as stream:
        await stream.writelines(["größe\n", "größer\n", "ende"])
    async with file.open("r") as stream:
        assert await stream.readline() == "größe\n"
        assert await stream.read(3) == "grö"
        assert [line async for line in stream] == ["ßer\n", "ende"]
        await stream.seek(0)
        assert await stream.read(4) == "größ"


def test_blocking_files_are_standard_ones(io_context: IoContext) -> None:
    file: File[str] = File.new_remote("table.csv")
    with file.open_sync("w") as stream:
        csv.writer(stream).writerows([["id", "value"], ["1", "ä"]])
    with file.open_sync("r") as stream:
        assert list(csv.reader(stream)) == [["id", "value"], ["1", "ä"]]
    with file.open_sync("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        assert stream.read() == "ä\r\n".encode()


async def test_a_write_that_fails_leaves_no_file(io_context: IoContext) -> None:
    async def write_half(file: File[str]) -> None:
        async with file.open("wb") as stream:
            await stream.write(b"half")
            raise InterruptedError

    def write_half_sync(file: File[str]) -> None:
        with file.open_sync("wb") as stream:
            stream.write(b"half")
            raise InterruptedError

    file: File[str] = File.new_remote()
    with pytest.raises(InterruptedError):
        await write_half(file)
    with pytest.raises(InterruptedError):
        write_half_sync(file)
    assert not await file.exists()


def test_a_new_file_of_an_existing_path_is_its_upload(io_context: IoContext, table: Path) -> None:
    file: File[str] = File.new_remote(table)
    content = table.read_bytes()
    table.unlink()
    with file.open_sync() as stream:
        assert stream.read() == content


async def test_new_files_never_share_a_path_but_named_ones_do(io_context: IoContext) -> None:
    assert File.new_remote("a").path != File.new_remote("a").path
    assert File.named_remote("a").path == File.named_remote("a").path


async def test_a_download_is_awaited_or_used_as_a_path(io_context: IoContext, table: Path) -> None:
    file = await File.from_local(table)
    assert content(await file.download()) == content(table)
    lazy = file.download()
    assert content(lazy) == content(table)
    assert str(lazy) == os.fspath(lazy) == await lazy
    assert lazy.endswith("table.csv")
    assert Path(lazy).name == "table.csv"


async def test_nothing_is_downloaded_before_the_path_is_used(remote_io: IoContext, table: Path) -> None:
    file = await File.from_local(table)
    lazy = file.download()
    assert not remote_io.scratch_dir.exists()
    assert content(lazy) == content(table)


async def test_a_download_may_name_a_file_or_a_folder(
    io_context: IoContext, table: Path, tmp_path: Path
) -> None:
    file = await File.from_local(table)
    assert await file.download(tmp_path / "copy.csv") == str(tmp_path / "copy.csv")
    assert file.download_sync(f"{tmp_path}/folder/") == str(tmp_path / "folder" / "table.csv")
    assert content(tmp_path / "folder" / "table.csv") == content(table)


async def test_a_missing_file_is_named(io_context: IoContext) -> None:
    file: File[str] = File.new_remote("missing.txt")
    with pytest.raises(FileNotFoundError, match=r"missing\.txt"):
        await file.download()
    with pytest.raises(FileNotFoundError, match=r"missing\.txt"), file.open_sync():
        pass
    with pytest.raises(FileNotFoundError, match="nowhere': it does not exist"):
        await File.from_local("nowhere")
    with pytest.raises(FileNotFoundError, match=r"use Directory\.from_local"):
        File.from_local_sync(".")


def test_a_mode_that_blobs_do_not_have_is_refused(local_io: IoContext) -> None:
    with pytest.raises(ValueError, match="mode 'a' is not one of"), File(path="x").open_sync("a"):
        pass
    with (
        pytest.raises(ValueError, match="compression='zip' is not one of gzip, bz2, xz and infer"),
        File(path="x").open_sync(compression="zip"),
    ):
        pass


async def test_a_scheme_without_a_transfer_is_named(local_io: IoContext) -> None:
    with pytest.raises(ValueError, match=r"cannot reach 'gs://b/k': no transfer for gs://"):
        await File(path="gs://b/k").exists()


async def test_content_hashes_are_computed(io_context: IoContext, table: Path) -> None:
    expected = hashlib.sha256(content(table)).hexdigest()
    assert (await File.from_local(table, hash_method=SHA256)).hash == expected
    assert (await File.from_local(table, hash_method="v1")).hash == "v1"
    written: File[str] = File.new_remote("copy.csv", hash_method=SHA256)
    async with written.open("wb") as stream:
        await stream.write(content(table))
    assert written.hash == expected


def test_a_reference_describes_itself() -> None:
    file: File[str] = File.from_existing_remote("s3://bucket/folder/data.csv", file_cache_key="v1")
    assert (file.name, file.format, file.hash) == ("data.csv", "", "v1")
    assert File(path=Path("/tmp/a.txt")).path == "/tmp/a.txt"
    assert File[int](path="/a") == File(path="/a")
    assert File(path="/a") != Directory(path="/a")


def test_references_travel_inside_anything() -> None:
    class Bundle(BaseModel):
        files: dict[str, File]
        logs: Directory | None = None

    def task(x: Bundle, y: list[File[str]], z: File | None, w: tuple[Directory, int]) -> None: ...

    values = {
        "x": Bundle(files={"a": File(path="s3://b/a", hash="h")}, logs=Directory(path="s3://b/logs")),
        "y": [File(path="/a", name="other")],
        "z": None,
        "w": (Directory(path="/d"), 1),
    }
    interface = Interface.of(task)
    assert interface.decode_inputs(interface.encode_inputs(values)) == values
