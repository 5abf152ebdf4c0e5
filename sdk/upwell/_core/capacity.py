"""What Lambda and Fargate can give a task.

Sources: the Lambda quotas (memory, /tmp, one vCPU per 1,769 MiB, 6 at most) and the ECS developer guide's table
of Fargate task sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from upwell._core.limits import KIB, LAMBDA_MEMORY_MAX_MIB, LAMBDA_MIB_PER_VCPU
from upwell.errors import UnsupportedError

GIB_IN_MIB = KIB
LAMBDA_MEMORY_MIN_MIB = 128
LAMBDA_CPUS_MAX = 6.0
LAMBDA_TMP_MIN_MIB = 512
LAMBDA_TMP_MAX_MIB = 10_240
FARGATE_DISK_MIN_GIB = 21
"""The smallest that can be asked for; 20 GiB come without asking."""
FARGATE_DISK_MAX_GIB = 200
FARGATE_MEMORY_GIB: dict[int, tuple[float, ...]] = {
    256: (0.5, 1, 2),
    512: (1, 2, 3, 4),
    1024: tuple(range(2, 9)),
    2048: tuple(range(4, 17)),
    4096: tuple(range(8, 31)),
    8192: tuple(range(16, 61, 4)),
    16384: tuple(range(32, 121, 8)),
}
"""CPU units (1,024 are one vCPU) and the memory sizes that go with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a task asks for: ranges from what it must have to what it can use. None: it does not say."""

    cpus: tuple[float, float] | None = None
    memory_mib: tuple[int, int] | None = None
    disk_mib: int | None = None
    shm_mib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaSize:
    """Size of a function: its memory decides on its CPU."""

    memory_mib: int = LAMBDA_MIB_PER_VCPU
    tmp_mib: int = LAMBDA_TMP_MIN_MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateSize:
    """Size of a worker; `disk_gib` is None for the 20 GiB that come without asking."""

    cpu_units: int = 1024
    memory_mib: int = 2048
    disk_gib: int | None = None

    def __str__(self) -> str:
        return f"{self.cpu_units / 1024:g} vCPU with {self.memory_mib / GIB_IN_MIB:g}Gi"


def fit_lambda(need: Need) -> LambdaSize:
    """Return the smallest function that gives what is asked for, as much of a range as it can.

    Raises:
        UnsupportedError: no function can; the message names what is nearest.
    """
    _refuse_shm(need)
    low_mib, high_mib = need.memory_mib or (LAMBDA_MEMORY_MIN_MIB, LAMBDA_MEMORY_MIN_MIB)
    low_cpus, high_cpus = need.cpus or (0.0, 0.0)
    if need.cpus is None and need.memory_mib is None:
        return LambdaSize(tmp_mib=_lambda_tmp(need))
    if low_mib > LAMBDA_MEMORY_MAX_MIB or low_cpus > LAMBDA_CPUS_MAX:
        raise UnsupportedError(
            f"{_asked(need)} is more than a Lambda function has; the nearest that fits is "
            f"cpu={LAMBDA_CPUS_MAX:g}, memory='{LAMBDA_MEMORY_MAX_MIB // GIB_IN_MIB}Gi'.{_on_fargate(need)}"
        )
    wanted_mib = max(high_mib, math.ceil(high_cpus * LAMBDA_MIB_PER_VCPU))
    memory_mib = min(LAMBDA_MEMORY_MAX_MIB, max(LAMBDA_MEMORY_MIN_MIB, wanted_mib))
    return LambdaSize(memory_mib=memory_mib, tmp_mib=_lambda_tmp(need))


def fit_fargate(need: Need) -> FargateSize:
    """Return the smallest worker that gives what is asked for, as much of a range as it can.

    Raises:
        UnsupportedError: no worker can; the message names what is nearest.
    """
    _refuse_shm(need)
    disk_gib = _fargate_disk(need)
    for end in (1, 0):
        size = _smallest_worker(
            need.cpus[end] if need.cpus else 0, need.memory_mib[end] if need.memory_mib else 0
        )
        if size is not None:
            return FargateSize(cpu_units=size.cpu_units, memory_mib=size.memory_mib, disk_gib=disk_gib)
    largest = list(_workers())[-1]
    raise UnsupportedError(
        f"{_asked(need)} is more than a Fargate worker has; the nearest that fits is {largest}"
    )


def _workers() -> Iterator[FargateSize]:
    for units, sizes in FARGATE_MEMORY_GIB.items():
        for gib in sizes:
            yield FargateSize(cpu_units=units, memory_mib=int(gib * GIB_IN_MIB))


def _smallest_worker(cpus: float, memory_mib: int) -> FargateSize | None:
    if not cpus and not memory_mib:
        return FargateSize()
    fitting = (w for w in _workers() if w.cpu_units >= cpus * 1024 and w.memory_mib >= memory_mib)
    return next(fitting, None)


def _lambda_tmp(need: Need) -> int:
    if need.disk_mib is None:
        return LAMBDA_TMP_MIN_MIB
    if need.disk_mib > LAMBDA_TMP_MAX_MIB:
        raise UnsupportedError(
            f"disk of {need.disk_mib} MiB is more than a Lambda function has; the nearest that fits is '10Gi'. "
            f"A reuse_policy= moves it to Fargate workers, which have up to {FARGATE_DISK_MAX_GIB}Gi"
        )
    return max(LAMBDA_TMP_MIN_MIB, need.disk_mib)


def _fargate_disk(need: Need) -> int | None:
    if need.disk_mib is None or need.disk_mib <= (FARGATE_DISK_MIN_GIB - 1) * GIB_IN_MIB:
        return None
    gib = math.ceil(need.disk_mib / GIB_IN_MIB)
    if gib > FARGATE_DISK_MAX_GIB:
        raise UnsupportedError(
            f"disk of {gib}Gi is more than a Fargate worker has; "
            f"the nearest that fits is '{FARGATE_DISK_MAX_GIB}Gi'"
        )
    return gib


def _on_fargate(need: Need) -> str:
    size = _smallest_worker(need.cpus[0] if need.cpus else 0, need.memory_mib[0] if need.memory_mib else 0)
    if size is None:
        return ""
    return f" A reuse_policy= puts the environment on Fargate workers, where {size} fits"


def _asked(need: Need) -> str:
    parts = []
    if need.cpus is not None:
        parts.append(f"cpu={need.cpus[0]:g}")
    if need.memory_mib is not None:
        parts.append(f"memory={need.memory_mib[0]} MiB")
    return ", ".join(parts)


def _refuse_shm(need: Need) -> None:
    if need.shm_mib is not None:
        raise UnsupportedError(
            f"shm of {need.shm_mib} MiB: Lambda and Fargate have no shared memory of a chosen size; "
            "leave shm= out and use memory or files below /tmp"
        )
