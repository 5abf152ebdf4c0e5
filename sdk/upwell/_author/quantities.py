"""Amounts of CPU and memory as people write them: `2`, `"350m"`, `"2Gi"`."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")
_BYTES = {
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
_CPUS = {"": 1.0, "m": 0.001}


def parse_cpus(value: str | float, what: str = "cpu") -> float:
    """Return a number of CPUs.

    Raises:
        ValueError: it is not one; the message names `what`.

    Example:
        >>> parse_cpus("350m")
        0.35
    """
    number, unit = _split(value, what, "2, 0.5 or '500m'")
    if unit not in _CPUS:
        raise ValueError(f"{what}={value!r} has the unit {unit!r}; CPUs are written 2, 0.5 or '500m'")
    return round(number * _CPUS[unit], 6)


def parse_bytes(value: str | float, what: str) -> int:
    """Return a number of bytes.

    Raises:
        ValueError: it is not one; the message names `what`.

    Example:
        >>> parse_bytes("2Gi", "memory")
        2147483648
    """
    number, unit = _split(value, what, "'512Mi' or '2Gi'")
    if unit not in _BYTES:
        known = ", ".join(u for u in _BYTES if u)
        raise ValueError(f"{what}={value!r} has the unit {unit!r}; write '512Mi' or '2Gi' (units: {known})")
    return int(number * _BYTES[unit])


def _split(value: str | float, what: str, such_as: str) -> tuple[float, str]:
    match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value).strip())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{what}={value!r} is not an amount; write for example {such_as}")
    return float(match[1]), match[2]
