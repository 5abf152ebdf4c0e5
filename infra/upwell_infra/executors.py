"""What executes the actions of a pool: a Lambda function, or a service of Fargate workers."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Token

from upwell._core.limits import LAMBDA_MEMORY_MAX_MIB, LAMBDA_MIB_PER_VCPU, LAMBDA_TIMEOUT_MAX_S
from upwell_infra.errors import InfraError

LAMBDA_MEMORY_MIN_MIB = 128
CONCURRENCY_MIN, CONCURRENCY_MAX = 2, 1000
"""Bounds of MaximumConcurrency of a queue's event source mapping."""
GIB = 1024
FARGATE_MEMORY_MIB: dict[int, range] = {
    256: range(512, 2 * GIB + 1, 512),
    512: range(1 * GIB, 4 * GIB + 1, GIB),
    1024: range(2 * GIB, 8 * GIB + 1, GIB),
    2048: range(4 * GIB, 16 * GIB + 1, GIB),
    4096: range(8 * GIB, 30 * GIB + 1, GIB),
    8192: range(16 * GIB, 60 * GIB + 1, 4 * GIB),
    16384: range(32 * GIB, 120 * GIB + 1, 8 * GIB),
}
"""Memory that Fargate allows per CPU size (developer guide, "Fargate task definition parameters")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaExecutor:
    """Ephemeral executors: one action per invocation of a Lambda function.

    Numbers may be CDK tokens.

    Args:
        memory_mib: Memory, 128 to 10,240 MiB; 1,769 MiB is one vCPU.
        timeout_s: Longest attempt, at most 900 s.
        max_concurrency: Most invocations at a time, 2 to 1,000; None for what the account allows.

    Raises:
        InfraError: a number is outside of its bounds.
    """

    memory_mib: float = LAMBDA_MIB_PER_VCPU
    timeout_s: float = LAMBDA_TIMEOUT_MAX_S
    max_concurrency: float | None = None

    def __post_init__(self) -> None:
        _check("memory_mib", self.memory_mib, LAMBDA_MEMORY_MIN_MIB, LAMBDA_MEMORY_MAX_MIB)
        _check(
            "timeout_s",
            self.timeout_s,
            1,
            LAMBDA_TIMEOUT_MAX_S,
            hint="; give the environment a reuse policy to run on workers, which know no such limit",
        )
        if self.max_concurrency is not None:
            _check("max_concurrency", self.max_concurrency, CONCURRENCY_MIN, CONCURRENCY_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerExecutor:
    """Reusable executors: a Fargate service that the scaler sizes.

    Numbers may be CDK tokens.

    Args:
        cpu_units: 1,024 units are one vCPU.
        memory_mib: Memory of a worker; Fargate allows certain amounts per CPU size.
        replicas_min: Least workers while there is work, and for `idle_ttl_s` after it.
        replicas_max: Most workers.
        concurrency: Actions that one worker executes at a time.
        scaledown_ttl_s: A worker that is not needed goes after so long.
        idle_ttl_s: The whole pool stops after so long without work.

    Raises:
        InfraError: a number is outside of its bounds, or Fargate has no such size.
    """

    cpu_units: float = 1024
    memory_mib: float = 2048
    replicas_min: float = 0
    replicas_max: float = 1
    concurrency: float = 1
    scaledown_ttl_s: float = 30
    idle_ttl_s: float = 300

    def __post_init__(self) -> None:
        _check("replicas_min", self.replicas_min, 0)
        _check("replicas_max", self.replicas_max, 1)
        _check("concurrency", self.concurrency, 1)
        _check("scaledown_ttl_s", self.scaledown_ttl_s, 0)
        _check("idle_ttl_s", self.idle_ttl_s, 0)
        if not _is_token(self.replicas_min, self.replicas_max) and self.replicas_min > self.replicas_max:
            raise InfraError(
                f"replicas_min={self.replicas_min} is more than replicas_max={self.replicas_max}; raise it"
            )
        if not _is_token(self.cpu_units, self.memory_mib):
            self._check_size()

    def _check_size(self) -> None:
        if self.cpu_units not in FARGATE_MEMORY_MIB:
            sizes = ", ".join(map(str, FARGATE_MEMORY_MIB))
            raise InfraError(f"cpu_units={self.cpu_units} is no size of Fargate; choose one of {sizes}")
        allowed = FARGATE_MEMORY_MIB[int(self.cpu_units)]
        if self.memory_mib not in allowed:
            raise InfraError(
                f"memory_mib={self.memory_mib} does not go with cpu_units={self.cpu_units}; choose "
                f"{allowed[0]} to {allowed[-1]} in steps of {allowed.step}"
            )


def _check(name: str, value: float, low: float, high: float | None = None, hint: str = "") -> None:
    if _is_token(value):
        return
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"{low} to {high}"
        raise InfraError(f"{name}={value} must be {bounds}{hint}")


def _is_token(*values: float) -> bool:
    return any(Token.is_unresolved(value) for value in values)
