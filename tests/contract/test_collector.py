"""Garbage is collected alike on every backend: over the stores and the blobs of this machine, and of AWS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.conftest import Tables
from tests.contract.store_samples import NOW, cache_entry, ended, run_record, running

from upwell._aws.blobs import S3Blobs
from upwell._aws.dynamodb import DynamoStore
from upwell._core.key_parts import KeyParts
from upwell._core.keys import data_prefix, value_key
from upwell._core.model import Status
from upwell._core.ports import BlobStore, StateStore
from upwell._exec.collector import Collector
from upwell._local.blobs import FolderBlobs

LATER = NOW + 100 * 24 * 3600.0


@pytest.fixture(params=["local", "aws"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[StateStore, BlobStore]:
    if request.param == "local":
        return request.getfixturevalue("sqlite_store"), FolderBlobs(tmp_path / "blobs")
    tables: Tables = request.getfixturevalue("moto")
    settings = replace(tables.settings, bucket=f"{tables.settings.prefix}-blobs")
    tables.clients.s3.create_bucket(Bucket=settings.bucket)
    return DynamoStore(tables.clients, settings), S3Blobs(tables.clients, settings)


async def test_what_is_needed_stays_and_all_else_goes(place: tuple[StateStore, BlobStore]) -> None:
    store, blobs = place
    for name, status in (("old", Status.SUCCEEDED), ("kept", Status.FAILED), ("open", Status.RUNNING)):
        run = replace(run_record(name), status=status, ended_at=None if status is Status.RUNNING else NOW)
        await store.save_run(run, expected=None)
        record = running("a0", run_id=name)
        await store.save(record if status is Status.RUNNING else ended(record), expected=None)
        await blobs.put(value_key(name, "a" * 64), b"1")
        await blobs.put(f"{data_prefix(name)}file", b"data")
    await blobs.put("versions/0123456789ab.json", b"code")
    await store.put_cached(
        [replace(cache_entry("b"), task="env.double", parts=KeyParts(code="0123456789ab", version="v"))]
    )
    await store.put_cached([cache_entry("key", f'{{"path": "{blobs.uri(data_prefix("kept"))}file"}}')])
    await blobs.put("cached/" + "b" * 64, b"nobody's")
    await blobs.put("runtime/" + "c" * 64 + ".zip", b"the deployment's")

    young = await Collector(store, blobs, LATER, grace_s=200 * 24 * 3600.0).find()
    assert young == []
    collector = Collector(store, blobs, LATER, grace_s=0)
    found = await collector.find()
    garbage = {value_key("old", "a" * 64), f"{data_prefix('old')}file", "cached/" + "b" * 64}
    assert {blob.key for blob in found} == garbage
    assert {blob.size_bytes for blob in found} == {1, 4, 8}
    assert await collector.delete(found) == found
    left = {
        blob.key
        for prefix in ("values/", "data/", "cached/", "runtime/", "versions/")
        async for blob in blobs.list(prefix)
    }
    assert garbage.isdisjoint(left)
    assert len(left) == 6
    assert await Collector(store, blobs, LATER, grace_s=0).find() == []


async def test_a_shared_blob_that_is_used_again_meanwhile_stays(place: tuple[StateStore, BlobStore]) -> None:
    store, blobs = place
    await blobs.put("bundles/" + "d" * 64 + ".zip", b"code")
    collector = Collector(store, blobs, LATER, grace_s=60)  # to the collector, what is old; to the clock, new
    found = await collector.find()
    assert len(found) == 1
    assert await collector.delete(found) == []
    assert await blobs.exists(found[0].key)
