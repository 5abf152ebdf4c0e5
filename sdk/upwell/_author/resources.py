"""What a task needs to run on."""

from __future__ import annotations

from dataclasses import dataclass

from upwell._author.quantities import parse_bytes, parse_cpus
from upwell._core import capacity
from upwell._core.limits import MIB
from upwell.errors import UnsupportedError

Amount = str | int | float
Range = tuple[Amount, Amount]


@dataclass(frozen=True, slots=True)
class Resources:
    """CPU, memory and disk of an environment's tasks.

    A pair is a range: the task must have the first and can use up to the second. What Lambda and Fargate can
    give is checked when the environment is deployed; local runs use what the machine has.

    Attributes:
        cpu: CPUs: `2`, `0.5`, `"500m"`, or a pair.
        memory: `"512Mi"`, `"2Gi"`, or a pair.
        gpu: Not available: neither Lambda nor Fargate has GPUs.
        disk: Scratch space: `"10Gi"`.
        shm: Shared memory: `"auto"` for what there is.

    Raises:
        ValueError: an amount cannot be read.
        UnsupportedError: `gpu` is given.

    Example:
        >>> Resources(cpu="350m", memory=("1Gi", "2Gi")).need.memory_mib
        (1024, 2048)
    """

    cpu: Amount | Range | None = None
    memory: Amount | Range | None = None
    gpu: object = None
    disk: Amount | None = None
    shm: Amount | None = None

    def __post_init__(self) -> None:
        if self.gpu:
            raise UnsupportedError(
                f"Resources(gpu={self.gpu!r}): upwell runs tasks on Lambda and Fargate, and neither has GPUs; "
                "leave gpu= out to run on CPUs, or call a service that has GPUs from the task"
            )
        _ = self.need  # refuses what cannot be read, where it is written

    @property
    def need(self) -> capacity.Need:
        """The same in numbers."""
        cpus = _range(self.cpu)
        memory = _range(self.memory)
        need = capacity.Need(
            cpus=None if cpus is None else (parse_cpus(cpus[0]), parse_cpus(cpus[1])),
            memory_mib=None if memory is None else (_mib(memory[0], "memory"), _mib(memory[1], "memory")),
            disk_mib=None if self.disk is None else _mib(self.disk, "disk"),
            shm_mib=None if self.shm in {None, "auto"} else _mib(self.shm or "", "shm"),
        )
        for name, limits in (("cpu", need.cpus), ("memory", need.memory_mib)):
            if limits is not None and limits[0] > limits[1]:
                raise ValueError(f"{name}={getattr(self, name)!r} is a range that ends below its start")
        return need

    @property
    def is_default(self) -> bool:
        """Whether nothing is asked for."""
        return self.need == capacity.Need()


def fit_lambda(resources: Resources | None) -> capacity.LambdaSize:
    """Return the function that gives these resources.

    Raises:
        UnsupportedError: no function can; the message names what is nearest.
    """
    return capacity.fit_lambda((resources or Resources()).need)


def fit_fargate(resources: Resources | None) -> capacity.FargateSize:
    """Return the worker that gives these resources.

    Raises:
        UnsupportedError: no worker can; the message names what is nearest.
    """
    return capacity.fit_fargate((resources or Resources()).need)


def _range(value: Amount | Range | None) -> Range | None:
    if value is None:
        return None
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise ValueError(f"{value!r} is not a range; give (what it must have, what it can use)")
        return value[0], value[1]
    return value, value


def _mib(value: Amount, what: str) -> int:
    return -(-parse_bytes(value, what) // MIB)
