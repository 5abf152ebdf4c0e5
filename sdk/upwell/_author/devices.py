"""Accelerators, as programs written elsewhere ask for them. `Resources(gpu=...)` refuses them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator.

    Attributes:
        device: Its model.
        quantity: How many.
        device_class: Its kind.
        partition: Part of one, where it can be divided.
    """

    device: str
    quantity: int = 1
    device_class: str = "GPU"
    partition: str | None = None

    def __str__(self) -> str:
        return f"{self.device}:{self.quantity}"


def GPU(device: str, quantity: int = 1, partition: str | None = None) -> Device:  # noqa: N802  # its name
    """Return NVIDIA GPUs."""
    return Device(device, quantity, "GPU", partition)


def TPU(device: str, partition: str | None = None) -> Device:  # noqa: N802
    """Return a slice of TPUs."""
    return Device(device, 1, "TPU", partition)


def AMD_GPU(device: str, quantity: int = 1) -> Device:  # noqa: N802
    """Return AMD GPUs."""
    return Device(device, quantity, "AMD_GPU")


def HABANA_GAUDI(device: str, quantity: int = 1) -> Device:  # noqa: N802
    """Return Gaudi accelerators."""
    return Device(device, quantity, "HABANA_GAUDI")


def Neuron(device: str, quantity: int = 1) -> Device:  # noqa: N802
    """Return AWS Trainium or Inferentia devices."""
    return Device(device, quantity, "NEURON")


def APPLE_SILICON(device: str = "APPLE_SILICON", quantity: int = 1) -> Device:  # noqa: N802
    """Return the GPU of Apple's processors."""
    return Device(device, quantity, "APPLE_SILICON")
