"""Errors as the API answers them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from upwell._console.cursors import CursorError
from upwell._console.models import Problem, ProblemAnswer
from upwell._console.reports import ReportNotFoundError
from upwell.errors import (
    ActionNotFoundError,
    NotDeployedError,
    RemoteTaskNotFoundError,
    RunNotFoundError,
    RunStateError,
    UnavailableError,
    UpwellError,
    UsageError,
)

logger = logging.getLogger("upwell.console")
STATUS_CODES: dict[type[Exception], int] = {
    CursorError: 400,
    RunNotFoundError: 404,
    ActionNotFoundError: 404,
    ReportNotFoundError: 404,
    RunStateError: 409,
    RemoteTaskNotFoundError: 404,
    NotDeployedError: 503,
    UnavailableError: 503,
    UsageError: 422,
    UpwellError: 422,
}
"""The first class that an error is of decides."""
TEXTS = {
    304: "The caller has it already.",
    400: "A cursor was not given out for this list.",
    404: "No such run, action, report or task.",
    409: "The run is not in a state that allows this.",
    415: "The body is not JSON.",
    422: "The request cannot be understood or carried out.",
    503: "The backend cannot be reached, or is not deployed.",
}


class NotModifiedError(Exception):
    """What is asked for is what the caller has.

    Attributes:
        etag: Of it.
    """

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def responses(*codes: int) -> dict[int, Any]:
    """Return what the OpenAPI document says of these status codes."""
    content = {"application/json": {"model": ProblemAnswer}}
    return {
        code: {"description": TEXTS[code], **({"content": content} if code >= 400 else {})} for code in codes
    }


def answer_problems(app: ApiGatewayResolver) -> None:
    """Make an application answer errors as `ProblemAnswer`s."""
    handlers: dict[type[Exception], Callable[[Any], Response[Any]]] = {
        NotModifiedError: _not_modified,
        UpwellError: partial(_refused, app),
        RequestValidationError: _invalid,
        RequestUnsupportedContentType: _unsupported,
        NotFoundError: _unknown,
        Exception: _failed,
    }
    for kind, handler in handlers.items():
        app.exception_handler(kind)(handler)


def _not_modified(error: NotModifiedError) -> Response[Any]:
    # Without a body, the local server sends None and breaks the connection; compressed, it would have one.
    return Response(304, body="", headers={"ETag": error.etag}, compress=False)


def _refused(app: ApiGatewayResolver, error: UpwellError) -> Response[Any]:
    code = next(code for kind, code in STATUS_CODES.items() if isinstance(error, kind))
    if isinstance(error, UsageError) and code == 422 and app.current_event.http_method == "GET":
        code = 503  # what is read was understood: credentials have expired, or lack a permission
    return problem(code, type(error).__name__, str(error))


def _invalid(error: RequestValidationError) -> Response[Any]:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, "InvalidRequest", f"{where}: {first.get('msg') or first['type']}")


def _unsupported(_: RequestUnsupportedContentType) -> Response[Any]:
    return problem(415, "UnsupportedContentType", "send JSON, as application/json")


def _unknown(_: NotFoundError) -> Response[Any]:
    return problem(404, "UnknownPath", "nothing is at this address; /api/v1/openapi.json lists what there is")


def _failed(error: Exception) -> Response[Any]:
    logger.error("a request failed", exc_info=error)
    return problem(500, "InternalError", f"{type(error).__name__}; the server's log has more")


def problem(status_code: int, code: str, message: str) -> Response[Any]:
    """Return the answer to a request that is not carried out."""
    body = ProblemAnswer(error=Problem(code=code, message=message)).model_dump_json()
    return Response(status_code, content_type="application/json", body=body)
