"""What obstore raises, in Python's words and without the secrets that a URL may carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from upwell.errors import UnavailableError

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_TIMED_OUT = ("TimedOut", "timed out", "kind: Timeout")
_UNREACHABLE = ("kind: Connect", "ConnectError", "kind: Request", "dns error")
SERVER_ERROR = 500
"""The least HTTP status of a failure on the server's side."""


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Raise what Python raises for files, of what obstore raises in the block.

    Raises:
        FileNotFoundError: there is no such object or bucket.
        PermissionError: it may not be reached, or credentials are refused.
        TimeoutError: the server did not answer in time, several times.
        UnavailableError: S3 cannot be reached, or fails; the task is tried again.
        OSError: all else that can go wrong.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError) as e:
        if isinstance(e, FileNotFoundError) and "Debug source" not in str(e):
            raise  # of a local file
        raise _clear(e, uri) from None  # its text has the URL, whose query may be a signature


def shown(uri: str) -> str:
    """Return a URI without its query and password."""
    return re.sub(r"://[^/@]*@", "://", uri.partition("?")[0])


def _clear(error: Exception, uri: str) -> Exception:
    text, what, kind = str(error), repr(shown(uri)), type(error).__name__
    code = _CODE.search(text)
    detail = f" ({code[1]})" if code else ""
    if kind == "FileNotFoundError":
        if "NoSuchBucket" in text:
            bucket = uri.removeprefix("s3://").partition("/")[0]
            return FileNotFoundError(f"no bucket {bucket!r} for {what}")
        return FileNotFoundError(f"no object {what}; was it written, and by this account?")
    if kind == "PermissionDeniedError":
        return PermissionError(f"no permission for {what}: 403{detail}; ask for it, or use other credentials")
    if kind == "UnauthenticatedError":
        return PermissionError(f"{what} wants credentials: 401{detail}")
    if kind in ("PreconditionError", "NotModifiedError"):
        return OSError(f"{what} was replaced while it was read; read it again")
    if kind == "NotSupportedError":
        return OSError(f"the server of {what} knows no ranges; download it, or read it from its start")
    if "redirect" in text and uri.startswith("s3://"):
        return OSError(f"the bucket of {what} is in another region; set AWS_REGION, or `region`, to that one")
    status = _STATUS.search(text)
    unavailable = UnavailableError if uri.startswith("s3://") else ConnectionError
    if any(sign in text for sign in _TIMED_OUT):
        message = f"the server of {what} did not answer in time"
        return TimeoutError(message) if unavailable is ConnectionError else UnavailableError(message)
    if status and int(status[1]) >= SERVER_ERROR:
        return unavailable(f"the server of {what} fails: {status[1]}{detail}; try again in some minutes")
    if status:
        return OSError(f"the server of {what} answered {status[1]}{detail}")
    if any(sign in text for sign in _UNREACHABLE):
        return unavailable(f"cannot reach the server of {what}; check the network and the address")
    return OSError(f"{what}: {text.partition('Debug source')[0].strip()}")
