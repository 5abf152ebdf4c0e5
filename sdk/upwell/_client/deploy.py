"""Pools of environments: what they need, and creating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._author.environment import TaskEnvironment
from upwell._author.resources import fit_fargate, fit_lambda
from upwell._author.secret import to_secrets
from upwell._author.task import Task
from upwell._client.config import Config
from upwell._client.pools import with_dependencies
from upwell._core.limits import LAMBDA_TIMEOUT_MAX_S
from upwell._core.model import PoolSize
from upwell._core.settings import resource_prefix
from upwell.errors import UnsupportedError

CPU_UNITS = 1024
"""Of one vCPU, as ECS counts."""


def pool_parameters(environment: TaskEnvironment) -> tuple[str, dict[str, Any]]:
    """Return the kind of an environment's pool (`lambda` or `worker`) and the parameters of its template.

    Raises:
        UnsupportedError: neither Lambda nor Fargate can give what it asks for.
    """
    if environment.image is not None and hasattr(environment.image, "check_supported"):
        environment.image.check_supported()
    for secret in to_secrets(environment.secrets):
        secret.check_supported()
    policy = environment.reuse_policy
    if policy is None:
        _check_lambda_bounds(environment)
        size = fit_lambda(environment.resources)
        return "lambda", {"MemoryMiB": size.memory_mib}
    policy.check_supported()
    worker = fit_fargate(environment.resources)
    return "worker", {
        "CpuUnits": worker.cpu_units,
        "MemoryMiB": worker.memory_mib,
        "ReplicasMin": policy.replicas_min,
        "ReplicasMax": policy.replicas_max,
        "Concurrency": policy.concurrency,
        "ScaledownTtlS": int(policy.scaledown_ttl_s),
        "IdleTtlS": int(policy.idle_ttl_s),
    }


def pool_sizes(task: Task[..., Any]) -> dict[str, PoolSize]:
    """Return what the pools of a task, and of what it depends on, are on AWS; without those that cannot be."""
    sizes = {}
    for environment in with_dependencies([task.env]):
        try:
            kind, parameters = pool_parameters(environment)
        except UnsupportedError:
            continue
        sizes[environment.pool] = PoolSize(
            kind=kind,
            memory_mib=parameters["MemoryMiB"],
            vcpus=parameters.get("CpuUnits", 0) / CPU_UNITS,
            slots=parameters.get("Concurrency", 1),
        )
    return sizes


def _check_lambda_bounds(environment: TaskEnvironment) -> None:
    for task in environment.tasks.values():
        limit_s = task.bounds.max_runtime_s
        if limit_s is not None and limit_s > LAMBDA_TIMEOUT_MAX_S:
            raise UnsupportedError(
                f"{task.name} may run for {limit_s:g} s, but an attempt on Lambda ends after "
                f"{LAMBDA_TIMEOUT_MAX_S} s; give {environment.name!r} a reuse_policy= to run it on Fargate"
            )


async def deploy_environments(environments: Sequence[TaskEnvironment], config: Config) -> list[str]:
    """Create or update the pools of environments; return the names of the pools that changed.

    Environments that ask for nothing special run in the platform's default pool and need nothing.

    Raises:
        NotDeployedError: the stage has no platform; `cdk deploy` makes it.
        UnsupportedError: an environment asks for what AWS cannot give.
    """
    from upwell._aws.clients import Clients
    from upwell._aws.pool_stacks import deploy_pool

    clients = Clients(region=config.region, profile=config.profile)
    changed = []
    try:
        for environment in environments:
            if environment.pool == "default":
                continue
            kind, parameters = pool_parameters(environment)
            prefix = resource_prefix(config.stage)
            if await deploy_pool(clients, prefix, environment.pool, kind, parameters):
                changed.append(environment.pool)
    finally:
        clients.close()
    return changed
