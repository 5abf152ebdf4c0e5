"""Who this worker is: the id of its ECS task."""

from __future__ import annotations

import json
import os
import socket
import urllib.request

from upwell._core.model import Executor as ExecutorId

METADATA_TIMEOUT_S = 2.0


def task_identity() -> ExecutorId:
    """Return the task's id from the metadata endpoint of ECS; without one, host and process."""
    endpoint = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if endpoint is None:
        return ExecutorId(kind="worker", id=f"{socket.gethostname()}-{os.getpid()}")
    with urllib.request.urlopen(f"{endpoint}/task", timeout=METADATA_TIMEOUT_S) as answer:
        arn: str = json.loads(answer.read())["TaskARN"]
    return ExecutorId(kind="worker", id=arn.rpartition("/")[2])
