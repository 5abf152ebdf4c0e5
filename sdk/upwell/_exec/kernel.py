"""What all attempts in one process share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from upwell._author.context import Mode
from upwell._core.metrics import Metrics, NoMetrics
from upwell._core.model import ActionRecord, SecretSpec
from upwell._core.ports import Ports, SecretStore
from upwell._core.settings import Settings
from upwell._exec.boundary import Users
from upwell._exec.growth import RunSizes
from upwell._exec.heart import Heart
from upwell._exec.hub import Hub
from upwell.errors import SecretNotFoundError


class Ids(Protocol):
    """Randomness, as a port."""

    def new(self) -> str:
        """Return a name that nobody else has."""


class NoSecrets:
    """Implements `SecretStore` where there are none."""

    async def variables(self, secrets: Sequence[SecretSpec]) -> dict[str, str]:
        """See `SecretStore.variables`."""
        if secrets:
            raise SecretNotFoundError(f"secret {secrets[0].name!r}: there are no secrets here")
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The engine's surroundings in one process: ports, settings, and what is shared in memory."""

    ports: Ports
    settings: Settings
    users: Users
    ids: Ids
    mode: Mode
    scratch: Path
    """Folder for downloads of tasks, on this machine."""
    suspends: bool = False
    """Whether parents that wait here are suspended: the process costs while it waits (Lambda)."""
    secrets: SecretStore = field(default_factory=NoSecrets)
    metrics: Metrics = field(default_factory=NoMetrics)
    hub: Hub = field(default_factory=Hub)
    sizes: RunSizes = field(default_factory=RunSizes)
    documents: set[str] = field(default_factory=set)
    """Digests of the code documents that this process has kept."""
    heart: Heart = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heart", Heart(self.ports.clock))

    def scratch_of(self, record: ActionRecord) -> str:
        """Return the folder for downloads of an action's latest attempt."""
        return f"{self.scratch}/{record.spec.run.run_id}/{record.spec.action_id}-{record.attempt}"
