"""How errors of AWS reach the user: what happened, to what, and what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ProfileNotFound,
)

from upwell._aws.errors import clear_errors, error_code, is_code, is_missing_queue
from upwell.errors import NotDeployedError, UnavailableError, UsageError


def refusal(code: str, message: str = "the\nservice's words") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "SomeCall")


@pytest.mark.parametrize(
    ("raised", "expected", "text"),
    [
        (NoCredentialsError(), UsageError, "no usable AWS credentials for table t: .*AWS_PROFILE"),
        (ProfileNotFound(profile="p"), UsageError, "no usable AWS credentials for table t"),
        (NoRegionError(), UsageError, "no AWS region for table t; set AWS_REGION"),
        (refusal("ExpiredTokenException"), UsageError, "AWS refused the credentials for table t"),
        (refusal("AccessDeniedException"), UsageError, "no permission for table t: .*service's words"),
        (refusal("ResourceNotFoundException"), NotDeployedError, "table t does not exist; deploy"),
        (refusal("NoSuchBucket"), NotDeployedError, "table t does not exist; deploy"),
        (refusal("StateMachineDoesNotExist"), NotDeployedError, "table t does not exist; deploy"),
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            UnavailableError,
            r"cannot reach AWS for table t: .*127\.0\.0\.1:1",
        ),
    ],
)
def test_what_the_user_can_change_is_explained_in_a_line(
    raised: Exception, expected: type[Exception], text: str
) -> None:
    with pytest.raises(expected, match=text) as caught, clear_errors("table t"):
        raise raised
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is raised


def test_a_failure_on_the_side_of_aws_is_told_apart_from_one_of_the_program() -> None:
    metadata = {"HTTPStatusCode": 503}
    error = ClientError({"Error": {"Code": "SlowDown"}, "ResponseMetadata": metadata}, "PutObject")  # type: ignore[typeddict-item]  # as much as matters
    with (
        pytest.raises(UnavailableError, match=r"AWS failed for bucket b: .*SlowDown"),
        clear_errors("bucket b"),
    ):
        raise error


@pytest.mark.parametrize("raised", [refusal("TransactionInProgress"), ParamValidationError(report="x")])
def test_other_errors_stay_as_they_are(raised: Exception) -> None:
    with pytest.raises(type(raised)) as caught, clear_errors("table t"):
        raise raised
    assert caught.value is raised


def test_errors_that_are_not_of_aws_pass() -> None:
    with pytest.raises(KeyError), clear_errors("table t"):
        raise KeyError("x")


def test_codes_are_told_apart() -> None:
    assert error_code(refusal("NoSuchKey")) == "NoSuchKey"
    assert error_code(ValueError()) == ""
    assert is_code(refusal("NoSuchKey"), {"NoSuchKey", "404"})
    assert is_missing_queue(refusal("AWS.SimpleQueueService.NonExistentQueue"))
    assert is_missing_queue(refusal("QueueDoesNotExist"))
    assert not is_missing_queue(NoCredentialsError())
