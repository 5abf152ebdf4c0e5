"""Opens the backend for commands that read or change what is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from upwell._cli.session import Session
from upwell._client.backend import Backend, open_backend
from upwell._client.documents import run_document
from upwell._client.run_list import is_alive
from upwell._core.model import RunRecord, Status
from upwell.errors import RunNotFoundError, UsageError

T = TypeVar("T")


async def read(session: Session, load: Callable[[Backend], Awaitable[T]]) -> T | None:
    """Return what a function reads from the backend; None where nothing was ever run."""
    config = session.configure()
    if config.mode == "local" and not config.state_dir.exists():
        return None
    async with open_backend(config.mode, config) as backend:
        return await load(backend)


async def read_run(session: Session, run_id: str, load: Callable[[Backend, RunRecord], Awaitable[T]]) -> T:
    """Return what a function reads of a run.

    Raises:
        RunNotFoundError: there is no such run on this backend.
    """

    async def of_run(backend: Backend) -> list[T]:
        record = await backend.store.get_run(run_id)
        return [] if record is None else [await load(backend, record)]

    found = await read(session, of_run)
    if not found:
        raise _not_found(session, run_id)
    return found[0]


def document_of(backend: Backend, record: RunRecord, *, alive: bool) -> dict[str, Any]:
    """Return a run's document; see `documents.run_document`."""
    return run_document(record, backend=backend.mode, url=backend.describe(record), alive=alive)


async def load_document(backend: Backend, record: RunRecord) -> dict[str, Any]:
    """Return a run's document, after a look at whether anything works on it."""
    return document_of(backend, record, alive=await is_alive(record, backend))


def _not_found(session: Session, run_id: str) -> RunNotFoundError:
    config = session.configure()
    where = {
        "local": f"on backend local, in {config.state_dir}",
        "sandbox": f"in the sandbox of {config.state_dir}",
        "aws": f"on AWS, stage {config.stage}",
    }[config.mode]
    return RunNotFoundError(
        f"there is no run {run_id!r} {where}; `upwell get runs` lists them, --backend looks elsewhere"
    )


def status_named(name: str | None) -> Status | None:
    """Return a status by name.

    Raises:
        UsageError: there is none of this name.
    """
    if name is None:
        return None
    try:
        return Status(name.upper())
    except ValueError:
        known = ", ".join(status.value.lower() for status in Status if status is not Status.NEW)
        raise UsageError(f"--status {name!r} is no status; use one of {known}") from None
