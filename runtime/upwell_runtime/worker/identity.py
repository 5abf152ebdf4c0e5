"""Who this worker is, and what it has: its ECS task."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from dataclasses import dataclass

from upwell._core.model import Executor as ExecutorId

METADATA_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Task:
    """The container that this process is in.

    Attributes:
        executor: By its name in records.
        memory_mib: Its memory; None where that is not known.
    """

    executor: ExecutorId
    memory_mib: int | None


def this_task() -> Task:
    """Return what the metadata endpoint of ECS says; without one, host and process."""
    endpoint = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if endpoint is None:
        return Task(ExecutorId(kind="worker", id=f"{socket.gethostname()}-{os.getpid()}"), None)
    with urllib.request.urlopen(f"{endpoint}/task", timeout=METADATA_TIMEOUT_S) as answer:
        told = json.loads(answer.read())
    memory_mib = told.get("Limits", {}).get("Memory")
    executor = ExecutorId(kind="worker", id=told["TaskARN"].rpartition("/")[2])
    return Task(executor, int(memory_mib) if memory_mib else None)
