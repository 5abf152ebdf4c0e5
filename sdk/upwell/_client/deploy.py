"""Pools of environments: what they need, and creating them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upwell._author.environment import TaskEnvironment
from upwell._author.resources import fit_fargate, fit_lambda
from upwell._client.config import Config
from upwell._core.limits import LAMBDA_TIMEOUT_MAX_S
from upwell._core.settings import resource_prefix
from upwell.errors import UnsupportedError


def pool_parameters(environment: TaskEnvironment) -> tuple[str, dict[str, Any]]:
    """Return the kind of an environment's pool (`lambda` or `worker`) and the parameters of its template.

    Raises:
        UnsupportedError: neither Lambda nor Fargate can give what it asks for.
    """
    if environment.image is not None and hasattr(environment.image, "check_supported"):
        environment.image.check_supported()
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
