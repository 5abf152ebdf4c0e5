"""What `upwell.deploy` says of the environments that it was given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from upwell._author.environment import TaskEnvironment
from upwell._client.pools import with_dependencies

Row = list[tuple[str, str]]
"""Of a table: names of columns, and values."""


@dataclass(frozen=True, slots=True)
class DeployedEnvironment:
    """One environment of a deployment.

    Attributes:
        env: The environment.
        is_changed: Whether its pool was created or updated. Nothing is where pools need no deployment: on the
            local backend, on the sandbox, in a dry run.
    """

    env: TaskEnvironment
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """An environment that was given to `deploy`, with those that it depends on.

    Attributes:
        envs: By name.
    """

    envs: dict[str, DeployedEnvironment]

    @classmethod
    def of(cls, environment: TaskEnvironment, changed_pools: Collection[str]) -> Deployment:
        """Make it of an environment and the names of all pools that were changed."""
        found = with_dependencies([environment])
        return cls({env.name: DeployedEnvironment(env, env.pool in changed_pools) for env in found})

    def summary_repr(self) -> str:
        """Return one line: names of environments, and how many tasks they have."""
        tasks = sum(len(deployed.env.tasks) for deployed in self.envs.values())
        return f"Deployment(envs={list(self.envs)}, tasks={tasks})"

    def env_repr(self) -> list[Row]:
        """Return a row for each environment."""
        return [
            [("environment", name), ("pool", deployed.env.pool), ("changed", str(deployed.is_changed))]
            for name, deployed in self.envs.items()
        ]

    def table_repr(self) -> list[Row]:
        """Return a row for each task."""
        return [
            [("task", task.name), ("environment", name)]
            for name, deployed in self.envs.items()
            for task in deployed.env.tasks.values()
        ]
