"""How much memory processes have to themselves, and how much they may have (Linux)."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EVENTS = Path("/sys/fs/cgroup/memory.events")


def private_bytes(pid: int) -> int:
    """Return the resident memory of a process that no file backs; 0 if it is gone or nobody can tell.

    What a fork still shares with the zygote counts for both.
    """
    try:
        fields = Path(f"/proc/{pid}/statm").read_bytes().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * _PAGE


def kernel_kills() -> int:
    """Return how many processes of this container the kernel has killed for want of memory."""
    try:
        lines = _EVENTS.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
