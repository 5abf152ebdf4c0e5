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
    """A further link of a task, which the console shows with each of its actions.

    Example:
        >>> class Dashboard:
        ...     name = "Dashboard"
        ...
        ...     def get_link(self, run_name: str, action_name: str, **others: object) -> str:
        ...         return f"https://metrics.example/?run={run_name}&action={action_name}"
    """

    name: str

    def get_link(self, *args: Any, **kwargs: Any) -> str:
        """Return the address. Called once a task, with the keywords below.

        `run_name`, `action_name` and `parent_action_name` stand for names that are filled in when the link is
        shown, so they go into the address as they are. `project`, `domain` and `pod_name` are empty here, and
        so is `context`.
        """


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A Kubernetes pod template. There is no Kubernetes here: environments that have one warn of it."""

    pod_spec: object = None
    primary_container_name: str = "primary"
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
