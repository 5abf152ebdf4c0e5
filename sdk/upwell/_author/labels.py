"""What people write about tasks, and what other platforms need: kept with the task, and not acted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a task is about, for people."""

    description: str = ""


@runtime_checkable
class Link(Protocol):
    """A further link of a task; upwell shows none yet."""

    name: str

    def get_link(self, *args: Any, **kwargs: Any) -> str:
        """Return the address."""


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A Kubernetes pod template. There is no Kubernetes here: environments that have one warn of it."""

    pod_spec: object = None
    primary_container_name: str = "primary"
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
