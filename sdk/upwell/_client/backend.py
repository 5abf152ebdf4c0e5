"""What the client needs of a backend, whichever it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from upwell._author.context import Mode
from upwell._author.environment import TaskEnvironment
from upwell._client.config import Config
from upwell._core.model import RunRecord, SecretSpec, Status
from upwell._core.ports import BlobStore, Logs, StateStore
from upwell._core.scaling import ScalingEvent
from upwell._types.transfers.transfer import BlobTransfer
from upwell.errors import UsageError


class Backend(Protocol):
    """Holds runs and starts them."""

    mode: Mode

    @property
    def store(self) -> StateStore:
        """Where records are."""

    @property
    def blobs(self) -> BlobStore:
        """Where large values and bundles are."""

    @property
    def logs(self) -> Logs:
        """Where the lines are that tasks printed and logged."""

    async def prepare(self, pools: dict[str, TaskEnvironment]) -> None:
        """See to it that the pools of a program can be used, or say that they are not deployed."""

    async def start(self, run: RunRecord, *, timeout_s: float | None) -> RunRecord:
        """Start a run (or a recovery of one). Locally this returns when it has ended.

        Raises:
            RunExistsError: a run of this name and generation was started before.
        """

    async def abort(self, run: RunRecord, reason: str) -> None:
        """End a run, its root action and, through it, all that is open."""

    async def abort_action(self, run: RunRecord, action_id: str, reason: str) -> Status:
        """End an action and everything below it; return how it has ended, which may be how it had before.

        Raises:
            ActionNotFoundError: the run has no such action, or none yet.
        """

    async def is_alive(self, run: RunRecord) -> bool:
        """Whether something still works on a run that has not ended."""

    async def backlog(self, pool: str) -> int | None:
        """Return about how many messages wait in a pool's queue; None where nobody but its executors knows."""

    async def scaling(self, pool: str) -> list[ScalingEvent]:
        """Return how the number of a pool's workers changed lately, newest first; empty where nothing does."""

    @property
    def transfers(self) -> Mapping[str, BlobTransfer]:
        """How files of its runs move, by URI scheme."""

    async def secrets(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """Return values of secrets by the name of their variable, as far as this process may read them."""

    def describe(self, run: RunRecord) -> str:
        """Return the address at which a person looks at a run."""


@asynccontextmanager
async def open_backend(mode: Mode, config: Config) -> AsyncIterator[Backend]:
    """Open the backend of a mode. Only what the mode needs is imported."""
    if mode == "local":
        from upwell._client.local import open_local

        async with open_local(config) as local:
            yield local
    else:
        try:
            from upwell._client.cloud import open_cloud
        except ModuleNotFoundError as e:
            raise UsageError(f"backend {mode!r} needs {e.name}; pip install 'upwell[{mode}]'") from e
        async with open_cloud(mode, config) as cloud:
            yield cloud
