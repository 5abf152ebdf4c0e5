"""`upwell get code RUN`: the code that a run was submitted with."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import RunRecord


@shared_options
def code(
    session: Session,
    run: RunName,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Unpack it into a new folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the files of a run's code bundle, or unpack them. Local runs have none: they run what is here."""
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import note, print_json
    from upwell._client.bundle import download_bundle
    from upwell.errors import RunStateError, UsageError

    if to is not None and to.exists():
        raise UsageError(f"--to {to} is there already; name a folder that is not")

    async def load(backend: Backend, record: RunRecord) -> dict[str, Any]:
        bundle = record.spec.bundle
        if bundle is None:
            raise RunStateError(f"run {run} has no code bundle: it ran the code that was there")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) if to is None else to
            return {"run": run, "bundle": bundle, "files": await download_bundle(backend.blobs, bundle, folder)}

    shown = asyncio.run(read_run(session, run, load))
    if as_json:
        print_json(shown)
    else:
        print("\n".join(shown["files"]))
    if to is not None:
        note(f"unpacked into {to}")
