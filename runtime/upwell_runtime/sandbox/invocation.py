"""One invocation of a function: what was asked, until when, and what came of it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid


class InvocationError(Exception):
    """A function did not return a result.

    Attributes:
        payload: the error as JSON, in the shape that Lambda returns it.
        error_type: its `errorType`.
    """

    def __init__(self, payload: bytes) -> None:
        try:
            described = json.loads(payload)
        except ValueError:
            described = {"errorType": "Runtime.Unknown", "errorMessage": repr(payload[:200])}
        self.payload = payload
        self.error_type = str(described.get("errorType", "Runtime.Unknown"))
        super().__init__(f"{self.error_type}: {described.get('errorMessage', '')}")

    @classmethod
    def of(cls, error_type: str, message: str, request_id: str) -> InvocationError:
        """Return an error that the service reports, not the function."""
        return cls(
            json.dumps({"errorMessage": f"RequestId: {request_id} {message}", "errorType": error_type}).encode()
        )


class Invocation:
    """An event under way to its result."""

    def __init__(self, event: bytes) -> None:
        self.request_id = str(uuid.uuid4())
        self.event = event
        self.result: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def headers(self, *, function_arn: str, timeout_s: float) -> dict[str, str]:
        """Return the headers that go with the event. The function's time begins now."""
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": function_arn,
        }

    def finish(self, payload: bytes) -> None:
        """Set the result, unless nobody waits for it any more."""
        if not self.result.done():
            self.result.set_result(payload)

    def fail(self, error: InvocationError) -> None:
        """Set the error, unless nobody waits for it any more."""
        if not self.result.done():
            self.result.set_exception(error)
