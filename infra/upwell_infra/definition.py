"""The state machine of a run, in Amazon States Language.

    WriteRun -> RunRoot -> RecordSuccess -> AnnounceSuccess -> Succeeded
                   | error or timeout
                   v
              RecordFailure | RecordTimeout -> AnnounceFailure | AnnounceTimeout -> Failed

There is no logic in it: it keeps the run's record in step with the execution and waits for the root action.
An aborted execution leaves the machine at once; the `run-ended` function records it.
"""

from __future__ import annotations

from typing import Any

SERVICE_ERRORS = ["States.TaskFailed"]
"""What an AWS call that was refused for the moment looks like."""


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
                values={":outcome": {"S.$": "$.result.outcome"}},
                update="#outcome = :outcome",
                names={"#outcome": "outcome"},
                then="AnnounceSuccess",
            ),
            "AnnounceSuccess": _announce(tasks, status="SUCCEEDED", then="Succeeded"),
            "Succeeded": {"Type": "Succeed", "OutputPath": "$.result"},
            "RecordFailure": _record_error(tasks, runs_table, status="FAILED", then="AnnounceFailure"),
            "AnnounceFailure": _announce(tasks, status="FAILED", then="Failed"),
            "RecordTimeout": _record_error(tasks, runs_table, status="TIMED_OUT", then="AnnounceTimeout"),
            "AnnounceTimeout": _announce(tasks, status="TIMED_OUT", then="Failed"),
            "Failed": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
        },
    }


def _record(
    tasks: str,
    runs_table: str,
    *,
    status: str,
    values: dict[str, Any],
    update: str,
    names: dict[str, str],
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
            "ExpressionAttributeNames": {"#status": "status", **names},
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


def _record_error(tasks: str, runs_table: str, *, status: str, then: str) -> dict[str, Any]:
    return _record(
        tasks,
        runs_table,
        status=status,
        values={":code": {"S.$": "$.error.Error"}, ":outcome": {"S.$": "$.error.Cause"}},
        update="error_code = :code, #outcome = :outcome",
        names={"#outcome": "outcome"},
        then=then,
    )


def _announce(tasks: str, *, status: str, then: str) -> dict[str, Any]:
    """Tell the default event bus; a run does not fail because nobody could be told."""
    return {
        "Type": "Task",
        "Resource": f"{tasks}events:putEvents",
        "Parameters": {
            "Entries": [
                {
                    "Source": "upwell",
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
