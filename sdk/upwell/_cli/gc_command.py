"""`upwell gc`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.garbage import BlobInfo


@shared_options
def gc(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would be.")] = False,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="TIME", help="Runs that ended so long ago are not live.")
    ] = "30d",
    grace: Annotated[
        str, typer.Option("--grace", metavar="TIME", help="Keep what was written in that time in any case.")
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Delete the values, files and code that no live run and no kept result needs."""
    from upwell._cli.lengths import read_seconds
    from upwell._cli.reading import read
    from upwell._cli.terminal import print_json
    from upwell._exec.collector import Collector

    kept_s = read_seconds(older_than, option="--older-than")
    grace_s = read_seconds(grace, option="--grace")

    async def collect(backend: Backend) -> list[BlobInfo] | None:
        collector = Collector(backend.store, backend.blobs, time.time(), kept_s=kept_s, grace_s=grace_s)
        found = await collector.find()
        return found if dry_run else await collector.delete(found)

    found = asyncio.run(read(session, collect))
    document = _document(found or [], dry_run=dry_run)
    if as_json:
        print_json(document)
    else:
        _print(document)


def _document(blobs: list[BlobInfo], *, dry_run: bool) -> dict[str, Any]:
    prefixes: dict[str, dict[str, int]] = {}
    for blob in blobs:
        of = prefixes.setdefault(blob.key.partition("/")[0] + "/", {"blobs": 0, "bytes": 0})
        of["blobs"] += 1
        of["bytes"] += blob.size_bytes
    return {
        "dry_run": dry_run,
        "blobs": len(blobs),
        "bytes": sum(blob.size_bytes for blob in blobs),
        "prefixes": prefixes,
    }


def _print(document: dict[str, Any]) -> None:
    from upwell._cli.tables import print_table

    verb = "would delete" if document["dry_run"] else "deleted"
    print(f"{verb} {document['blobs']:,} blobs, {document['bytes']:,} bytes")
    if document["prefixes"]:
        rows = [(name, f"{n['blobs']:,}", f"{n['bytes']:,}") for name, n in document["prefixes"].items()]
        print_table(("prefix", "blobs", "bytes"), rows)
