"""What every `BlobStore` does: in a folder, and on S3 (emulated in process).

The contract needs the fixture `blobs` only, so that another host can run it with a fixture of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from upwell._aws.blobs import S3Blobs
from upwell._aws.clients import Clients
from upwell._core.ports import BlobNotFoundError, BlobStore
from upwell._core.settings import Settings
from upwell._local.blobs import FolderBlobs
from upwell.errors import NotDeployedError

BUCKET = "upwell-test-123456789012-us-east-1"


def settings(bucket: str = BUCKET) -> Settings:
    return Settings(prefix="upwell-test", bucket=bucket, queue_url_prefix="")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        clients = Clients(region="us-east-1")
        clients.s3.create_bucket(Bucket=BUCKET)
        yield clients
        clients.close()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return FolderBlobs(tmp_path / "blobs")
    return S3Blobs(request.getfixturevalue("clients"), settings())


# --- the contract ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\x00\xff\r\n", b"x" * 3_000_000], ids=["empty", "binary", "large"])
async def test_a_blob_is_returned_as_it_was_put(blobs: BlobStore, data: bytes) -> None:
    await blobs.put("values/run-1/abc", data)
    assert await blobs.get("values/run-1/abc") == data


async def test_the_first_put_of_a_key_is_kept(blobs: BlobStore) -> None:
    await blobs.put("bundles/abc.zip", b"first")
    await blobs.put("bundles/abc.zip", b"second")
    assert await blobs.get("bundles/abc.zip") == b"first"


async def test_of_concurrent_puts_one_is_kept_whole(blobs: BlobStore) -> None:
    contents = [bytes([n]) * 50_000 for n in range(8)]
    await asyncio.gather(*(blobs.put("values/run-1/same", content) for content in contents))
    assert await blobs.get("values/run-1/same") in contents


async def test_a_missing_blob_is_named(blobs: BlobStore) -> None:
    with pytest.raises(BlobNotFoundError, match="values/run-1/none"):
        await blobs.get("values/run-1/none")


async def test_existence_is_of_whole_keys(blobs: BlobStore) -> None:
    await blobs.put("values/run-1/abc", b"1")
    assert await blobs.exists("values/run-1/abc")
    assert not await blobs.exists("values/run-1")
    assert not await blobs.exists("values/run-1/ab")
    with pytest.raises(BlobNotFoundError):
        await blobs.get("values/run-1")


async def test_keys_may_hold_any_text(blobs: BlobStore) -> None:
    key = "data/run-1/a b/ü+%20?#&.bin"
    await blobs.put(key, b"1")
    assert await blobs.get(key) == b"1"
    assert await blobs.exists(key)


# --- the folder -----------------------------------------------------------------------------------------------


def content(path: str) -> bytes:
    return Path(path).read_bytes()


def files_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_a_folders_uri_is_the_path_of_the_file(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    await blobs.put("data/run-1/x.txt", b"hello")
    assert content(blobs.uri("data/run-1/x.txt")) == b"hello"


async def test_two_processes_may_share_a_folder(tmp_path: Path) -> None:
    await FolderBlobs(tmp_path).put("values/a/b", b"1")
    assert await FolderBlobs(tmp_path).get("values/a/b") == b"1"


async def test_no_unfinished_file_is_left(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    await asyncio.gather(*(blobs.put("values/a/same", bytes([n])) for n in range(20)))
    assert files_below(tmp_path) == ["same"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "values/../../x", ".unfinished/x"])
async def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    blobs = FolderBlobs(tmp_path)
    with pytest.raises(ValueError, match="not the key of a blob"):
        await blobs.put(key, b"1")
    with pytest.raises(ValueError, match="not the key of a blob"):
        await blobs.get(key)


async def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    blobs = FolderBlobs(tmp_path)
    await blobs.put("values/a/b", b"first")
    await blobs.put("values/a/b", b"second")
    assert await blobs.get("values/a/b") == b"first"


# --- S3 -------------------------------------------------------------------------------------------------------


async def test_an_s3_uri_names_bucket_and_key(clients: Clients) -> None:
    assert S3Blobs(clients, settings()).uri("data/run-1/x") == f"s3://{BUCKET}/data/run-1/x"


async def test_a_missing_bucket_is_a_missing_deployment(clients: Clients) -> None:
    blobs = S3Blobs(clients, settings("upwell-nowhere"))
    with pytest.raises(NotDeployedError, match="bucket upwell-nowhere does not exist; deploy"):
        await blobs.put("values/a/b", b"1")
    with pytest.raises(NotDeployedError, match="upwell-nowhere"):
        await blobs.get("values/a/b")


async def test_a_put_that_conflicts_with_another_one_is_repeated(clients: Clients) -> None:
    conflicts = 1

    def conflict(**_: Any) -> None:
        nonlocal conflicts
        conflicts -= 1
        if conflicts >= 0:
            error = {"Error": {"Code": "ConditionalRequestConflict", "Message": "another write"}}
            raise ClientError(error, "PutObject")  # type: ignore[arg-type]  # a part of a response

    clients.s3.meta.events.register("before-parameter-build.s3.PutObject", conflict)
    blobs = S3Blobs(clients, settings())
    await blobs.put("values/a/b", b"1")
    assert await blobs.get("values/a/b") == b"1"
    assert conflicts == -1


# --- what is there, and what is old ---------------------------------------------------------------------------


async def keys(blobs: BlobStore, prefix: str) -> dict[str, int]:
    return {blob.key: blob.size_bytes async for blob in blobs.list(prefix)}


async def test_blobs_are_listed_below_a_prefix_and_deleted(blobs: BlobStore) -> None:
    for key in ("values/run-1/a", "values/run-1/b", "values/run-2/a", "cached/a"):
        await blobs.put(key, key.encode())
    assert await keys(blobs, "values/run-1/") == {"values/run-1/a": 14, "values/run-1/b": 14}
    assert set(await keys(blobs, "values/")) == {"values/run-1/a", "values/run-1/b", "values/run-2/a"}
    assert await keys(blobs, "bundles/") == {}
    async for blob in blobs.list("cached/"):
        assert abs(blob.modified_at - time.time()) < 3600
    await blobs.delete(["values/run-1/a", "values/run-2/a", "values/nowhere/a"])
    assert set(await keys(blobs, "values/")) == {"values/run-1/b"}
    await blobs.delete([])


async def test_many_blobs_are_listed_in_pages(blobs: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("PAGE_KEYS", "DELETE_MAX"):
        monkeypatch.setattr(f"upwell._aws.blobs.{limit}", 2)
    names = [f"values/run/{n:04}" for n in range(5)]
    await asyncio.gather(*(blobs.put(name, b"x") for name in names))
    assert sorted(await keys(blobs, "values/")) == names
    await blobs.delete(names)
    assert await keys(blobs, "values/") == {}


async def test_what_is_shared_and_used_again_counts_as_new(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blobs.put("bundles/abc.zip", b"code")
    assert await blobs.is_younger("bundles/abc.zip", 60)
    assert not await blobs.is_younger("bundles/other.zip", 60)
    (written,) = [blob.modified_at async for blob in blobs.list("bundles/")]
    await asyncio.sleep(max(0, 1.01 - (time.time() - written)))  # S3 tells whole seconds
    await blobs.put("bundles/abc.zip", b"code")
    assert [blob.modified_at async for blob in blobs.list("bundles/")] == [written]
    for place in ("upwell._local.blobs.REFRESH_S", "upwell._aws.blobs.REFRESH_S"):
        monkeypatch.setattr(place, 0.5)
    await blobs.put("bundles/abc.zip", b"code")
    assert [blob.modified_at > written async for blob in blobs.list("bundles/")] == [True]
