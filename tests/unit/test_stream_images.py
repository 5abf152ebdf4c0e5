"""Records in the stream of actions: each is parsed once, however often the stream shows it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.contract.store_samples import ended, running, succeeded

from upwell._aws import dynamodb_items
from upwell._aws.dynamodb_items import action_item, read_image
from upwell._core.wire import dump_record, load_record


def in_event(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as a function gets it from the stream: bytes in base64, each time anew."""
    content = item["record"]
    if "B" in content:
        content = {"B": base64.b64encode(content["B"]).decode()}
    return {**item, "record": content}


def test_what_a_change_left_and_the_next_one_found_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(text: str) -> Any:
        parsed.append(text)
        return load_record(text)

    monkeypatch.setattr(dynamodb_items, "load_record", counted)
    claimed = running("parsed-once")
    over = ended(claimed, succeeded('"' + "x" * 2000 + '"'))
    for record in (claimed, claimed, over, over):
        assert read_image(in_event(action_item(record))) == record
        assert read_image(action_item(record)) == record
    assert sorted(set(parsed)) == sorted(map(dump_record, (claimed, over)))
    assert len(parsed) <= 3  # of one that is deflated, bytes and their base64
