"""Tells of requests that AWS refuses because there are too many, those included that botocore tries again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

TOO_MANY = 429
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "OverLimit",  # SQS: messages in flight
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes of such answers, as botocore's retries know them."""


def tell_of_throttles(client: Any, told: Callable[[], None]) -> None:
    """Call back for each attempt of a request of a client that is throttled.

    Args:
        client: Of boto3.
        told: Called from the thread that makes the request.
    """

    def look(response: tuple[Any, Mapping[str, Any]] | None, **_: Any) -> None:
        if response is not None and is_throttled(*response):
            told()

    client.meta.events.register("needs-retry", look)


def is_throttled(http: Any, parsed: Mapping[str, Any]) -> bool:
    """Whether an answer says that there are too many requests."""
    return http.status_code == TOO_MANY or parsed.get("Error", {}).get("Code") in THROTTLED
