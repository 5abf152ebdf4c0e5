"""What botocore raises, in upwell's words. The only place that knows its exception classes and error codes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004  # botocore's, not the builtin
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from upwell.errors import NotDeployedError, UnavailableError, UsageError

CONFIGURE = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`"
DEPLOY = "deploy the platform with `cdk deploy`, or try it on a laptop with `--backend sandbox`"

_CREDENTIALS_MISSING = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_CREDENTIALS_REFUSED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_MISSING = frozenset({"NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist"})
SERVER_ERROR = 500
"""The least HTTP status of a failure on the side of AWS."""
_NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


def error_code(error: Exception) -> str:
    """Return the service's code of a failed call; empty where there is none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def is_code(error: Exception, codes: Collection[str]) -> bool:
    """Whether a call failed with one of these codes."""
    return error_code(error) in codes


def is_denied(error: BaseException | None) -> bool:
    """Whether a call, or the one that caused an error, was not permitted."""
    while error is not None:
        if isinstance(error, ClientError) and is_code(error, _DENIED):
            return True
        error = error.__cause__
    return False


def is_missing_queue(error: Exception) -> bool:
    """Whether a call failed because its queue does not exist."""
    return is_code(error, _NO_QUEUE)


def explain(error: Exception, what: str) -> Exception:
    """Return the error to raise for what botocore raised.

    Args:
        error: What a call raised.
        what: The resource that the call was for, as a person knows it: `table upwell-dev-runs`.

    Returns:
        An `UpwellError` where the user can do something about it, or can only wait; otherwise the error itself.
    """
    if isinstance(error, _CREDENTIALS_MISSING):
        return UsageError(f"no usable AWS credentials for {what}: {_text(error)}; {CONFIGURE}")
    if isinstance(error, NoRegionError):
        return UsageError(f"no AWS region for {what}; set AWS_REGION, or `region` in the AWS profile")
    if isinstance(error, ConnectionError | HTTPClientError):
        return UnavailableError(
            f"cannot reach AWS for {what}: {_text(error)}; check the network and the endpoint"
        )
    if _status(error) >= SERVER_ERROR:
        return UnavailableError(f"AWS failed for {what}: {_text(error)}; try again in some minutes")
    if is_code(error, _CREDENTIALS_REFUSED):
        return UsageError(f"AWS refused the credentials for {what}: {_text(error)}; {CONFIGURE}")
    if is_code(error, _DENIED):
        return UsageError(f"no permission for {what}: {_text(error)}; ask for it, or use another AWS profile")
    if is_code(error, _MISSING):
        return NotDeployedError(f"{what} does not exist; {DEPLOY}")
    return error


@contextmanager
def clear_errors(what: str) -> Iterator[None]:
    """Raise what `explain` makes of a botocore error in the block.

    Args:
        what: The resource that the calls in the block are for.

    Raises:
        NotDeployedError: the resource does not exist.
        UsageError: credentials, region or permissions are missing.
        UnavailableError: AWS cannot be reached, or fails.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as e:
        clear = explain(e, what)
        if clear is e:
            raise
        raise clear from e


def _status(error: Exception) -> int:
    """Return the HTTP status of a failed call; 0 where there is none."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _text(error: Exception) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())
