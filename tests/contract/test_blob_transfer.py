"""What every `BlobTransfer` does: in a folder, and on S3 (emulated in process).

The contract needs the fixtures `transfer` and `prefix` (a URI below which it may write) only, so that another
host can run it with fixtures of its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from moto import mock_aws

from upwell._aws.clients import Clients
from upwell._aws.s3_transfer import S3Transfer
from upwell._types.transfers.local_transfer import LocalTransfer
from upwell._types.transfers.object_reader import FIRST_BLOCK_BYTES
from upwell._types.transfers.object_transfer import PART_BYTES
from upwell._types.transfers.overlay import Overlay
from upwell._types.transfers.transfer import BlobTransfer, is_local, join_uri
from upwell.testing.moto_aws import ENVIRONMENT, REGION
from upwell.testing.moto_s3 import moto_s3_access

BUCKET = "upwell-test-data"
LARGE = bytes(range(256)) * (PART_BYTES // 256) + b"the rest"
"""More than one part."""


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of moto, which has the bucket."""
    with mock_aws():
        clients = Clients(region=REGION, environment=ENVIRONMENT)
        clients.s3.create_bucket(Bucket=BUCKET)
        yield clients
        clients.close()


@pytest.fixture
def s3(clients: Clients) -> S3Transfer:
    return S3Transfer(moto_s3_access)


@pytest.fixture(params=["path", "file-uri", "s3", "overlay"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[BlobTransfer, str]:
    if request.param == "s3":
        return request.getfixturevalue("s3"), f"s3://{BUCKET}/{tmp_path.name}"
    folder = tmp_path / "blobs"
    if request.param == "overlay":
        return Overlay(LocalTransfer(), str(tmp_path), tmp_path / "written"), str(folder)
    return LocalTransfer(), folder.as_uri() if request.param == "file-uri" else str(folder)


@pytest.fixture
def transfer(host: tuple[BlobTransfer, str]) -> BlobTransfer:
    return host[0]


@pytest.fixture
def prefix(host: tuple[BlobTransfer, str]) -> str:
    return host[1]


async def write(transfer: BlobTransfer, uri: str, *pieces: bytes) -> None:
    target = await transfer.open_write(uri)
    for piece in pieces:
        await target.write(piece)
    assert await target.close() == hashlib.sha256(b"".join(pieces)).hexdigest()


async def read(transfer: BlobTransfer, uri: str) -> bytes:
    source = await transfer.open_read(uri)
    try:
        return await source.read()
    finally:
        await source.close()


# --- the contract ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\x00\xff\r\n", LARGE], ids=["empty", "binary", "large"])
async def test_a_file_is_downloaded_as_it_was_uploaded(
    transfer: BlobTransfer, prefix: str, tmp_path: Path, data: bytes
) -> None:
    source, copy = tmp_path / "source", tmp_path / "new" / "folders" / "copy"
    source.write_bytes(data)
    digest = await transfer.upload(source, join_uri(prefix, "a b/ä.bin"))
    assert digest == hashlib.sha256(data).hexdigest()
    await transfer.download(join_uri(prefix, "a b/ä.bin"), copy)
    assert copy.read_bytes() == data
    assert list(copy.parent.iterdir()) == [copy]


@pytest.mark.parametrize("pieces", [(), (b"a", b"b"), (LARGE, LARGE)], ids=["none", "few", "large"])
async def test_what_is_written_is_read(transfer: BlobTransfer, prefix: str, pieces: tuple[bytes, ...]) -> None:
    await write(transfer, join_uri(prefix, "out"), *pieces)
    assert await read(transfer, join_uri(prefix, "out")) == b"".join(pieces)


async def test_a_blob_is_replaced_as_a_whole(transfer: BlobTransfer, prefix: str, tmp_path: Path) -> None:
    uri, source = join_uri(prefix, "out"), tmp_path / "source"
    source.write_bytes(b"2")
    await write(transfer, uri, b"the first")
    await transfer.upload(source, uri)
    assert await read(transfer, uri) == b"2"
    await write(transfer, uri, b"third")
    assert await read(transfer, uri) == b"third"


async def test_nobody_sees_a_blob_before_it_is_closed(transfer: BlobTransfer, prefix: str) -> None:
    uri = join_uri(prefix, "out")
    target = await transfer.open_write(uri)
    await target.write(LARGE)
    assert await transfer.stat(uri) is None
    await target.close()
    found = await transfer.stat(uri)
    assert found is not None
    assert (found.uri, found.size_bytes) == (uri, len(LARGE))
    assert abs(found.modified_at - time.time()) < 3600


async def test_an_aborted_write_leaves_nothing(transfer: BlobTransfer, prefix: str) -> None:
    uri = join_uri(prefix, "out")
    target = await transfer.open_write(uri)
    await target.write(LARGE)
    await target.abort()
    assert await transfer.stat(uri) is None
    assert await transfer.list(prefix) == []


async def test_reading_in_pieces_and_seeking(transfer: BlobTransfer, prefix: str) -> None:
    uri = join_uri(prefix, "numbers")
    await write(transfer, uri, LARGE)
    source = await transfer.open_read(uri)
    assert await source.read(3) == LARGE[:3]
    assert await source.read(FIRST_BLOCK_BYTES) == LARGE[3 : 3 + FIRST_BLOCK_BYTES]
    assert await source.seek(1) == 1
    assert await source.read(2) == LARGE[1:3]
    assert await source.seek(-4, io.SEEK_END) == len(LARGE) - 4
    assert await source.read(100) == b"rest"
    assert await source.read(100) == b""
    await source.close()


async def test_listing_goes_to_any_depth_in_order_and_stays_in_the_folder(
    transfer: BlobTransfer, prefix: str
) -> None:
    for name in ("dir/b", "dir/sub/deep/c", "dir/a", "dir2/x", "other"):
        await write(transfer, join_uri(prefix, name), name.encode())
    expected = [(join_uri(prefix, name), len(name)) for name in ("dir/a", "dir/b", "dir/sub/deep/c")]

    async def listed(folder: str, limit: int | None = None) -> list[tuple[str, int]]:
        return [(uri, size) for uri, size, _ in await transfer.list(join_uri(prefix, folder), limit=limit)]

    assert await listed("dir") == expected
    assert [blob[:2] for blob in await transfer.list(join_uri(prefix, "dir") + "/")] == expected
    assert await listed("dir", limit=2) == expected[:2]
    assert await listed("nowhere") == []


async def test_a_missing_blob_is_a_file_not_found_that_names_it(
    transfer: BlobTransfer, prefix: str, tmp_path: Path
) -> None:
    uri = join_uri(prefix, "missing")
    assert await transfer.stat(uri) is None
    with pytest.raises(FileNotFoundError, match="missing"):
        await transfer.open_read(uri)
    with pytest.raises(FileNotFoundError, match="missing"):
        await transfer.download(uri, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        await transfer.upload(tmp_path / "nowhere", uri)


# --- S3 alone -------------------------------------------------------------------------------------------------


async def test_a_bucket_that_does_not_exist_is_named(s3: S3Transfer) -> None:
    with pytest.raises(FileNotFoundError, match="no bucket 'upwell-nowhere'"):
        await write(s3, "s3://upwell-nowhere/key", b"x")


async def test_an_object_that_is_replaced_while_it_is_read_is_an_error(s3: S3Transfer) -> None:
    uri = f"s3://{BUCKET}/changing"
    await write(s3, uri, LARGE)
    source = await s3.open_read(uri)
    await source.read(10)
    await write(s3, uri, b"new" + LARGE)
    await source.seek(2 * FIRST_BLOCK_BYTES)
    with pytest.raises(OSError, match="replaced while it was read"):
        await source.read(10)
    await source.close()


async def test_reading_in_order_takes_ever_larger_blocks_and_one_ahead(
    s3: S3Transfer, clients: Clients
) -> None:
    uri = f"s3://{BUCKET}/long"
    await write(s3, uri, LARGE * 4)
    source = await s3.open_read(uri)
    read = [await source.read(100_000) for _ in range(len(LARGE) * 4 // 100_000 + 1)]
    await source.close()
    assert b"".join(read) == LARGE * 4
    fixed = await s3.open_read(uri, block_bytes=1000)
    await fixed.seek(5_000_000)
    assert await fixed.read(2500) == (LARGE * 4)[5_000_000:5_002_500]
    await fixed.close()


@pytest.mark.parametrize("ended_by", ["abort", "upload"])
async def test_a_failed_write_leaves_no_parts_that_cost(
    s3: S3Transfer, clients: Clients, ended_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ended_by == "abort":
        target = await s3.open_write(f"s3://{BUCKET}/half")
        for _ in range(3):
            await target.write(LARGE)
        await target.abort()
    else:
        source = tmp_path / "source"
        source.write_bytes(LARGE * 3)

        def failing(*_: object) -> Iterator[bytes]:
            yield LARGE
            raise OSError("the disk is gone")

        monkeypatch.setattr("upwell._types.transfers.object_transfer._Pieces.__iter__", failing)
        with pytest.raises(OSError, match="the disk is gone"):
            await s3.upload(source, f"s3://{BUCKET}/half")
    assert "Uploads" not in clients.s3.list_multipart_uploads(Bucket=BUCKET)
    assert await s3.stat(f"s3://{BUCKET}/half") is None


async def test_the_empty_objects_that_stand_for_folders_are_not_listed(
    s3: S3Transfer, clients: Clients
) -> None:
    for key in ("dir/", "dir/sub/", "dir/sub/file"):
        clients.s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    assert [blob.uri for blob in await s3.list(f"s3://{BUCKET}/dir")] == [f"s3://{BUCKET}/dir/sub/file"]


class Elsewhere(BaseHTTPRequestHandler):
    """S3 of one region, asked for a bucket of another."""

    def do_GET(self) -> None:
        self.send_response(301)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


async def test_a_bucket_in_another_region_is_an_error_that_says_so() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    access = dataclasses.replace(moto_s3_access(), endpoint=f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(OSError, match="is in another region; set AWS_REGION"):
        await S3Transfer(lambda: access).open_read("s3://far/key")
    server.shutdown()
    server.server_close()


async def test_credentials_are_asked_for_again_when_their_time_is_over() -> None:
    asked = []

    def credentials() -> dict[str, object]:
        asked.append(1)
        return {**moto_s3_access().credentials(), "expires_at": datetime.now(UTC)}

    transfer = S3Transfer(lambda: dataclasses.replace(moto_s3_access(), credentials=credentials))
    for _ in range(3):
        assert await transfer.stat(f"s3://{BUCKET}/missing") is None
    assert len(asked) == 3
    lasting = dataclasses.replace(moto_s3_access(), credentials=lambda: {**credentials(), "expires_at": None})
    kept = S3Transfer(lambda: lasting)
    for _ in range(3):
        await kept.stat(f"s3://{BUCKET}/missing")
    assert len(asked) == 4


@pytest.mark.parametrize("uri", ["s3://", "http://bucket/key", "bucket/key"])
async def test_what_is_no_s3_uri_is_refused(s3: S3Transfer, uri: str) -> None:
    with pytest.raises(ValueError, match="write s3://bucket/key"):
        await s3.open_read(uri)


def test_local_uris_are_told_from_remote_ones() -> None:
    assert [is_local(uri) for uri in ("/a", "a/b", "file:///a", "s3://b/k")] == [True, True, True, False]


async def test_a_link_to_what_is_gone_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("x")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    assert [Path(blob.uri).name for blob in await LocalTransfer().list(str(tmp_path))] == ["there.txt"]
