"""Tasks by name."""

from __future__ import annotations

from typing import Any

from upwell import errors
from upwell._author.registry import tasks_named
from upwell._author.task import Task


class RemoteTask:
    """Finds tasks by name. A run brings its code along, so that no tasks are kept but those of the program."""

    @classmethod
    def get(cls, name: str, **_: object) -> Task[..., Any]:
        """Return a task of this program.

        Args:
            name: `<environment>.<function>`. Project, domain and version are accepted and have no meaning here.

        Raises:
            RemoteTaskNotFoundError: no module that is loaded defines it.
        """
        found = tasks_named(name)
        if not found:
            raise errors.RemoteTaskNotFoundError(
                f"no loaded module defines task {name!r}; a run brings its own code along, and the platform "
                "keeps no tasks: import the module that defines it, before this call"
            )
        return found[-1]
