"""What executes the actions of a pool: a Lambda function, or a service of Fargate workers."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Token

from upwell._core.limits import LAMBDA_MEMORY_MAX_MIB, LAMBDA_MIB_PER_VCPU, LAMBDA_TIMEOUT_MAX_S
from upwell_infra.errors import InfraError

LAMBDA_MEMORY_MIN_MIB = 128
CONCURRENCY_MIN, CONCURRENCY_MAX = 2, 1000
"""Bounds of MaximumConcurrency of a queue's event source mapping."""
POLLERS_MIN, POLLERS_MIN_MAX, POLLERS_MAX = 2, 200, 2000
"""Bounds of the provisioned pollers of a queue: of the fewest and of the most (`ProvisionedPollerConfig`)."""
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
        pollers_min: Pollers of the queue that are always there, 2 to 200, each good for up to 10 invocations at
            a time. They make a burst start in seconds that Lambda's own pollers follow in minutes, and are
            billed by the hour. None: Lambda's own. Not together with `max_concurrency`.
        pollers_max: Most pollers, up to 2,000; given with `pollers_min`. So many times 10 bounds the
            invocations at a time.
        snap_start: Start execution environments from a snapshot. Lambda has that for Python 3.12 and later, so
            such a pool runs 3.12, not 3.11.

    Raises:
        InfraError: a number is outside of its bounds, or two do not go together.
    """

    memory_mib: float = LAMBDA_MIB_PER_VCPU
    timeout_s: float = LAMBDA_TIMEOUT_MAX_S
    max_concurrency: float | None = None
    pollers_min: float | None = None
    pollers_max: float | None = None
    snap_start: bool = False

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
        self._check_pollers()

    def _check_pollers(self) -> None:
        fewest, most = self.pollers_min, self.pollers_max
        if fewest is None and most is None:
            return
        if fewest is None or most is None:
            missing = "pollers_min" if fewest is None else "pollers_max"
            raise InfraError(f"pollers_min and pollers_max go together; give {missing} too")
        if self.max_concurrency is not None:
            raise InfraError(
                f"max_concurrency={self.max_concurrency} and pollers_max={most} exclude each other "
                f"(Lambda takes one of them); leave max_concurrency out: {most} pollers bound the "
                f"invocations to {10 * most}"
            )
        _check("pollers_min", fewest, POLLERS_MIN, POLLERS_MIN_MAX)
        _check("pollers_max", most, POLLERS_MIN, POLLERS_MAX)
        if not _is_token(fewest, most) and fewest > most:
            raise InfraError(f"pollers_min={fewest} is more than pollers_max={most}; raise it")


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
