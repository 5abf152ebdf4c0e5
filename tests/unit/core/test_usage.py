"""Golden numbers, computed by hand from the pricing rules."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from upwell._core.prices import PRICES, SERVICES, alternatives, price
from upwell._core.usage import NAMES, RUN, RUN_TRANSITIONS, Usage, item_bytes, measure, total


def text_item(size_bytes: int, **more: str) -> dict[str, Any]:
    """Return an item of exactly so many bytes, and more attributes."""
    item = {"pk": {"S": "p"}, "sk": {"S": "s"}, "v": {"S": ""}, **{k: {"S": v} for k, v in more.items()}}
    item["v"]["S"] = "x" * (size_bytes - item_bytes(item))
    return item


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "ab"}}, 2 + 2),
        ({"pk": {"S": "é"}}, 2 + 2),
        ({"n": {"N": "12345"}}, 1 + 3),
        ({"b": {"B": b"1234"}}, 1 + 4),
        ({"m": {"M": {"k": {"S": "v"}}}}, 1 + 3 + 1 + 1 + 1),
        ({"l": {"L": [{"S": "v"}, {"BOOL": True}]}}, 1 + 3 + (1 + 1) + (1 + 1)),
    ],
)
def test_the_size_of_an_item_is_that_of_names_and_values(item: dict[str, Any], size: int) -> None:
    assert item_bytes(item) == size


@pytest.mark.parametrize(("size", "units"), [(10, 1), (1024, 1), (1025, 2), (3000, 3)])
def test_a_put_is_a_write_unit_a_kilobyte(size: int, units: int) -> None:
    assert measure("dynamodb", "PutItem", {"Item": text_item(size)}, {}) == Usage(requests=1, write_units=units)


def test_a_put_is_billed_again_for_each_index_that_has_the_item() -> None:
    listed = text_item(900, listing="run", created_at="2026", look_at="1")
    assert measure("dynamodb", "PutItem", {"Item": listed}, {}).write_units == 3


def test_an_index_with_some_attributes_is_billed_for_these() -> None:
    entry = text_item(3000, task_shard="env.f#00", created_at="1", about="x" * 300)
    assert measure("dynamodb", "PutItem", {"Item": entry}, {}).write_units == 3 + 1


def test_a_write_whose_condition_does_not_hold_is_billed_and_a_throttled_one_is_not() -> None:
    def refused(code: str, status: int) -> Usage:
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        return measure("dynamodb", "PutItem", {"Item": text_item(10)}, answer)

    assert refused("ConditionalCheckFailedException", 400).write_units == 1
    assert refused("ProvisionedThroughputExceededException", 400) == Usage(requests=1)
    assert refused("InternalServerError", 500) == Usage(requests=1)


def test_a_batch_of_writes_rounds_up_item_by_item_and_leaves_out_what_was_not_done() -> None:
    puts = [{"PutRequest": {"Item": text_item(size)}} for size in (100, 1500)]
    sent = {"RequestItems": {"t": [*puts, {"DeleteRequest": {"Key": {}}}]}}
    assert measure("dynamodb", "BatchWriteItem", sent, {}).write_units == 1 + 2 + 1
    answer = {"UnprocessedItems": {"t": [puts[1]]}}
    assert measure("dynamodb", "BatchWriteItem", sent, answer).write_units == 1 + 1


def test_reads_are_units_of_four_kilobytes_and_half_as_much_if_they_may_be_behind() -> None:
    def get(size: int, consistent: bool) -> float:
        answer = {"Item": text_item(size)}
        return measure("dynamodb", "GetItem", {"ConsistentRead": consistent}, answer).read_units

    assert get(4096, True) == 1
    assert get(4097, True) == 2
    assert get(4097, False) == 1


def test_a_batch_of_reads_rounds_up_item_by_item_and_a_query_once() -> None:
    items = [text_item(2000), text_item(5000)]
    asked = {"RequestItems": {"t": {"Keys": [{}, {}, {}], "ConsistentRead": True}}}
    batch = measure("dynamodb", "BatchGetItem", asked, {"Responses": {"t": items}})
    assert batch.read_units == 1 + 2 + 1  # the third is not there
    query = measure("dynamodb", "Query", {"ConsistentRead": True}, {"Items": items, "ScannedCount": 2})
    assert query.read_units == 2  # 7,000 bytes
    filtered = measure("dynamodb", "Query", {}, {"Items": items, "ScannedCount": 4})
    assert filtered.read_units == 4 / 2  # 14,000 bytes, eventually consistent


@pytest.mark.parametrize(("sizes", "requests"), [([100] * 10, 1), ([65_536], 1), ([65_536, 1], 2), ([], 1)])
def test_a_request_of_sqs_is_billed_once_for_each_64_kb_of_its_messages(
    sizes: list[int], requests: int
) -> None:
    bodies = ["x" * size for size in sizes]
    sent = measure("sqs", "SendMessageBatch", {"Entries": [{"MessageBody": b} for b in bodies]}, {})
    received = measure("sqs", "ReceiveMessage", {}, {"Messages": [{"Body": b} for b in bodies]})
    assert sent == received == Usage(requests=1, sqs_requests=requests, fair_requests=requests)


@pytest.mark.parametrize(
    ("operation", "puts", "gets"),
    [
        ("PutObject", 1, 0),
        ("ListObjectsV2", 1, 0),
        ("GetObject", 0, 1),
        ("HeadObject", 0, 1),
        ("DeleteObject", 0, 0),
    ],
)
def test_requests_of_s3_have_two_prices_and_deletions_none(operation: str, puts: int, gets: int) -> None:
    assert measure("s3", operation, {}, {}) == Usage(requests=1, s3_puts=puts, s3_gets=gets)


def test_a_run_is_as_many_transitions_as_its_state_machine_has_states_on_the_way_to_success() -> None:
    template = json.loads(files("upwell._aws.templates").joinpath("platform.json").read_text())
    machines = [r for r in template["Resources"].values() if r["Type"] == "AWS::StepFunctions::StateMachine"]
    ((_, parts),) = (machines[0]["Properties"]["DefinitionString"]["Fn::Join"],)
    definition = json.loads("".join(part if isinstance(part, str) else "x" for part in parts))
    entered, name = 0, definition["StartAt"]
    while name:
        entered, name = entered + 1, definition["States"][name].get("Next")
    assert entered == RUN_TRANSITIONS
    assert measure("stepfunctions", "StartExecution", {}, {}).transitions == entered


def test_a_million_plain_actions_cost_what_the_table_says() -> None:
    # 3 write units, a read unit in 10, 0.5 requests of a queue: 1.875 + 0.0125 + 0.5 * (0.40 + 0.10).
    usage = Usage(write_units=3, read_units=0.1, sqs_requests=0.5, fair_requests=0.5) * 1_000_000
    bill = price(usage)
    assert bill.usd == pytest.approx(2.1375)
    assert bill.services == pytest.approx({"dynamodb": 1.8875, "sqs": 0.25})


def test_compute_costs_by_memory_and_time() -> None:
    # An hour of 1 vCPU and 2 GB: 0.04048 + 2 * 0.004445. A million invocations of 1 GB for 1 s: 0.20 + 16.6667.
    assert price(Usage(fargate_vcpu_s=3600, fargate_gb_s=7200)).usd == pytest.approx(0.04937)
    assert price(Usage(lambda_requests=1e6, lambda_gb_s=1e6)).usd == pytest.approx(16.8667)


def test_one_run_costs_its_transitions_most_of_all() -> None:
    # 5 * 25e-6 + 6 * 0.625e-6 + (0.40 + 0.10) * 1e-6 + 1e-6.
    assert price(RUN).usd == pytest.approx(130.25e-6)


def test_the_alternatives_come_from_the_same_table() -> None:
    # 3 transitions; 1 transition, 1 request and 64 MB for 100 ms; 1 operation and 1 KB.
    assert alternatives() == pytest.approx(
        {
            "distributed map, standard children": 75.0,
            "distributed map, express children": 25 + 1 + 64 / 1024 * 0.1 * 16.67,
            "lambda durable functions": 8 + 0.25,
        },
        abs=1e-3,
    )


def test_everything_that_is_billed_has_a_price_with_a_source() -> None:
    billed = {line for lines in SERVICES.values() for line in lines}
    assert billed == set(NAMES) - {"requests"}
    assert all(getattr(PRICES, name).source.startswith("https://aws.amazon.com/") for name in billed)


def test_usage_adds_up_and_multiplies() -> None:
    some = Usage(requests=1, write_units=2)
    assert (
        total([some, some, Usage(events=1)])
        == Usage(requests=2, write_units=4, events=1)
        == some * 2 + Usage(events=1)
    )
