import json
from datetime import UTC, datetime

import pytest

from upwell_runtime.sandbox.events import (
    BatchAnswerError,
    failed_items,
    queue_event,
    schedule_event,
    stream_event,
)

QUEUE = "arn:aws:sqs:us-east-1:000000000000:upwell-dev-default"


def test_a_message_has_the_shape_that_lambda_gives_it() -> None:
    message = {
        "MessageId": "m1",
        "ReceiptHandle": "r1",
        "Body": '{"v": 1}',
        "MD5OfBody": "5d",
        "Attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "run"},
        "MessageAttributes": {"kind": {"StringValue": "wake", "DataType": "String"}},
    }
    event = queue_event([message], queue_arn=QUEUE, region="us-east-1")
    assert event == {
        "Records": [
            {
                "messageId": "m1",
                "receiptHandle": "r1",
                "body": '{"v": 1}',
                "attributes": {"ApproximateReceiveCount": "2", "MessageGroupId": "run"},
                "messageAttributes": {
                    "kind": {
                        "stringValue": "wake",
                        "binaryValue": None,
                        "stringListValues": [],
                        "binaryListValues": [],
                        "dataType": "String",
                    }
                },
                "md5OfBody": "5d",
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE,
                "awsRegion": "us-east-1",
            }
        ]
    }


def test_a_stream_record_becomes_json_with_base64_and_epoch_seconds() -> None:
    record = {
        "eventID": "e1",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
            "Keys": {"pk": {"S": "run#00"}},
            "NewImage": {"pk": {"S": "run#00"}, "blob": {"B": b"\x00\xff"}, "tags": {"BS": [b"a"]}},
            "SequenceNumber": "100",
        },
    }
    event = json.loads(json.dumps(stream_event([record], stream_arn="arn:stream")))
    (delivered,) = event["Records"]
    assert delivered["eventSourceARN"] == "arn:stream"
    assert delivered["dynamodb"]["ApproximateCreationDateTime"] == 1767225600.0
    assert delivered["dynamodb"]["NewImage"]["blob"] == {"B": "AP8="}
    assert delivered["dynamodb"]["NewImage"]["tags"] == {"BS": ["YQ=="]}


def test_a_scheduled_event_names_its_rule() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    event = schedule_event(now, rule_arn="arn:rule", account="1", region="us-east-1", event_id="e")
    assert event["detail-type"] == "Scheduled Event"
    assert event["time"] == "2026-01-02T03:04:05Z"
    assert event["resources"] == ["arn:rule"]


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_an_answer_without_failures_is_a_success(answer: bytes) -> None:
    assert failed_items(answer, known=["m1"]) == set()


def test_reported_failures_are_the_items_named() -> None:
    answer = b'{"batchItemFailures": [{"itemIdentifier": "m2"}]}'
    assert failed_items(answer, known=["m1", "m2"]) == {"m2"}


@pytest.mark.parametrize(
    "answer",
    [
        b'"done"',
        b'{"failures": []}',
        b'{"batchItemFailures": [{}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "other"}]}',
    ],
)
def test_an_answer_of_another_shape_fails_the_whole_batch(answer: bytes) -> None:
    with pytest.raises(BatchAnswerError):
        failed_items(answer, known=["m1"])
