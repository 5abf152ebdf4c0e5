"""Python imports this at the start of each executor of a sandbox under test: its requests to AWS fail at times.

The sandbox hands `PYTHONPATH` on to what it starts, so nothing of upwell knows of this file. A folder is named
by `upwell_faults.json` beside it: how often requests fail, the seed, and where what happened is written down.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
EXECUTORS = ("awslambdaric", "upwell_runtime.worker")
OPERATIONS = frozenset(
    {
        "PutItem",
        "BatchGetItem",
        "BatchWriteItem",
        "Query",
        "SendMessageBatch",
        "DeleteMessageBatch",
        "PutObject",
    }
    | {"ChangeMessageVisibilityBatch", "SendTaskSuccess", "SendTaskFailure", "ReceiveMessage"}
)
TROUBLES = ("throttle", "500", "reset before", "reset after", "timeout after")


class Hook:
    """A handler of botocore's `before-send`."""

    def __init__(self, rate: float, seed: int, log: Path) -> None:
        self._rate, self._log, self._chance = rate, log, Random(f"{seed} {os.getpid()}")
        self._left, self._trouble = 0, ""

    def __call__(self, event_name: str, request: Any, **_: Any) -> Any:
        """Answer a request in place of AWS, or let it pass."""
        operation = event_name.rpartition(".")[2]
        if operation not in OPERATIONS:
            return None
        if not self._left:
            if self._chance.random() >= self._rate:
                return None
            self._trouble, self._left = self._chance.choice(TROUBLES), self._chance.choice((1, 1, 2, 7))
        self._left -= 1
        with self._log.open("a") as file:
            file.write(f"{self._trouble} {operation}\n")
        return self._fail(event_name, request)

    def _fail(self, event_name: str, request: Any) -> Any:
        from botocore.awsrequest import AWSResponse
        from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
        from botocore.httpsession import URLLib3Session

        url = request.url
        if self._trouble.endswith("after"):
            URLLib3Session().send(request)
        if self._trouble.startswith("reset"):
            raise ConnectionClosedError(endpoint_url=url)
        if self._trouble.startswith("timeout"):
            raise ReadTimeoutError(endpoint_url=url)
        if ".s3." in event_name:
            status, body = 503, b"<Error><Code>SlowDown</Code><Message>slow</Message></Error>"
        elif self._trouble == "500":
            status, body = 500, b'{"__type": "aws#InternalServerError"}'
        else:
            code = (
                "ProvisionedThroughputExceededException"
                if ".dynamodb." in event_name
                else "ThrottlingException"
            )
            status, body = 400, json.dumps({"__type": f"aws#{code}", "message": "slow"}).encode()
        return AWSResponse(url, status, {"content-type": "application/x-amz-json-1.0"}, _raw(body))


def _raw(body: bytes) -> Any:
    from io import BytesIO

    class Raw(BytesIO):
        stream: Callable[..., Any] = lambda self, **_: iter([self.read()])

    return Raw(body)


def install() -> None:
    """Put the hook into every client that this process will make."""
    settings = json.loads((HERE / "upwell_faults.json").read_text())
    from botocore.handlers import BUILTIN_HANDLERS

    hook = Hook(settings["rate"], settings["seed"], Path(settings["log"]))
    BUILTIN_HANDLERS.append(("before-send", hook))


if any(name in sys.orig_argv for name in EXECUTORS) and (HERE / "upwell_faults.json").exists():
    install()
