"""The state machine of a run, in Amazon States Language.

    WriteRun -> RunRoot -> RecordSuccess -> AnnounceSuccess -> Succeeded
                   | error or timeout
                   v
              RecordFailure -> AnnounceFailure -> Failed
              RecordTimeout -> AnnounceTimeout -> TimedOut

There is no logic in it: it keeps the run's record in step with the execution and waits for the root action.
An aborted execution leaves the machine at once; the `run-ended` function records it.
"""

from __future__ import annotations

from typing import Any

from upwell._core.keys import EVENTS

TIMEOUT_CODE = "DeadlineExceededError"
"""Code of a run that took too long; names of our own must not start with `States.`."""
CAUSE = "States.Format('{}', $.error.Cause)"
"""The cause of an error as text, also where the error was sent without one."""


def run_definition(*, runs_table: str, partition: str) -> dict[str, Any]:
    """Return the definition for the given table; both arguments may be CDK tokens."""
    tasks = f"arn:{partition}:states:::"
    return {
        "Comment": "One execution per run; its name is the run id.",
        "StartAt": "WriteRun",
        "States": {
            "WriteRun": {
                "Type": "Task",
                "Resource": f"{tasks}dynamodb:putItem",
                "Parameters": {"TableName": runs_table, "Item.$": "$.run"},
                "ResultPath": None,
                "Retry": _retry(),
                "Next": "RunRoot",
            },
            "RunRoot": {
                "Type": "Task",
                "Resource": f"{tasks}sqs:sendMessage.waitForTaskToken",
                "Parameters": {
                    "QueueUrl.$": "$.queue_url",
                    "MessageGroupId.$": "$.run_id",
                    "MessageBody": {"v": 1, "task_token.$": "$$.Task.Token", "action.$": "$.action"},
                },
                "TimeoutSecondsPath": "$.timeout_s",
                "ResultPath": "$.result",
                "Catch": [
                    {"ErrorEquals": ["States.Timeout"], "ResultPath": "$.error", "Next": "RecordTimeout"},
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "RecordFailure"},
                ],
                "Next": "RecordSuccess",
            },
            "RecordSuccess": _record(
                tasks,
                runs_table,
                status="SUCCEEDED",
                update="#outcome = :outcome REMOVE look_at",  # nothing of it is open
                names={"#outcome": "outcome"},
                values={":outcome": {"S.$": "$.result.outcome"}},
                then="AnnounceSuccess",
            ),
            "AnnounceSuccess": _announce(tasks, status="SUCCEEDED", then="Succeeded"),
            "Succeeded": {"Type": "Succeed", "OutputPath": "$.result"},
            "RecordFailure": _record(
                tasks,
                runs_table,
                status="FAILED",
                update="error_code = :code, #outcome = :outcome",
                names={"#outcome": "outcome"},
                values={":code": {"S.$": "$.error.Error"}, ":outcome": {"S.$": CAUSE}},
                then="AnnounceFailure",
            ),
            "AnnounceFailure": _announce(tasks, status="FAILED", then="Failed"),
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": CAUSE},
            "RecordTimeout": _record(
                tasks,
                runs_table,
                status="TIMED_OUT",
                update="error_code = :code",
                values={":code": {"S": TIMEOUT_CODE}},
                then="AnnounceTimeout",
            ),
            "AnnounceTimeout": _announce(tasks, status="TIMED_OUT", then="TimedOut"),
            "TimedOut": {
                "Type": "Fail",
                "Error": TIMEOUT_CODE,
                "Cause": "the run took too long",
            },
        },
    }


def _record(
    tasks: str,
    runs_table: str,
    *,
    status: str,
    update: str,
    values: dict[str, Any],
    names: dict[str, str] | None = None,
    then: str,
) -> dict[str, Any]:
    """Write the end of the run; repeating it writes the same again."""
    return {
        "Type": "Task",
        "Resource": f"{tasks}dynamodb:updateItem",
        "Parameters": {
            "TableName": runs_table,
            "Key": {"pk": {"S.$": "$.run_id"}, "sk": {"S": "run"}},
            "UpdateExpression": f"SET #status = :status, ended_at = :ended_at, {update}",
            "ExpressionAttributeNames": {"#status": "status"} | (names or {}),
            "ExpressionAttributeValues": {
                ":status": {"S": status},
                ":ended_at": {"S.$": "$$.State.EnteredTime"},
                **values,
            },
        },
        "ResultPath": None,
        "Retry": _retry(),
        "Next": then,
    }


def _announce(tasks: str, *, status: str, then: str) -> dict[str, Any]:
    """Tell the default event bus; a run does not fail because nobody could be told."""
    return {
        "Type": "Task",
        "Resource": f"{tasks}events:putEvents",
        "Parameters": {
            "Entries": [
                {
                    "Source": EVENTS,
                    "DetailType": "Run Ended",
                    "Detail": {"run_id.$": "$.run_id", "status": status},
                }
            ]
        },
        "ResultPath": None,
        "Retry": _retry(),
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": then}],
        "Next": then,
    }


def _retry() -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 1,
            "MaxAttempts": 5,
            "BackoffRate": 2,
            "JitterStrategy": "FULL",
        }
    ]
