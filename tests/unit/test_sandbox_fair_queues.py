"""The emulator's standard queues are fair between message groups, as those of SQS are."""

from __future__ import annotations

from typing import Any

import pytest

from upwell_runtime.sandbox.emulator_process import correct_order, fair_turn

NOW = 1000.0


def message(group: str | None, number: int, *, until: float = 0.0, received: int = 0) -> dict[str, Any]:
    return {"id": f"{group}{number}", "group_id": group, "visible_at": until, "receive_count": received}


def turn(messages: list[dict[str, Any]], count: int) -> list[str]:
    return [message["id"] for message in fair_turn(messages, count, NOW)]


def test_one_group_keeps_its_order() -> None:
    assert turn([message("a", n) for n in range(5)], 3) == ["a0", "a1", "a2"]


def test_groups_take_turns() -> None:
    queue = [*(message("a", n) for n in range(5)), message("b", 0), message("b", 1)]
    assert turn(queue, 4) == ["a0", "b0", "a1", "b1"]


def test_a_group_with_messages_in_flight_comes_after_one_without() -> None:
    held = [message("a", n, until=NOW + 30, received=1) for n in range(3)]
    queue = [*held, *(message("a", n) for n in range(3, 9)), message("b", 0)]
    assert turn(queue, 1) == ["b0"]
    assert turn(queue, 10)[0] == "b0"
    assert len(turn(queue, 10)) == 7


def test_delayed_messages_do_not_count_as_in_flight() -> None:
    delayed = [message("a", n, until=NOW + 30) for n in range(3)]
    assert turn([*delayed, message("a", 3), message("b", 0)], 2) == ["a3", "b0"]


def test_the_emulator_still_has_what_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs: Any = pytest.importorskip("ministack.services.sqs")
    monkeypatch.setattr(sqs, "_collect_msgs", sqs._collect_msgs)
    correct_order(sqs)
    queue = {"is_fifo": False, "messages": [*(message("a", n) for n in range(50)), message("b", 0)]}
    received = sqs._collect_msgs(queue, 10, 30)
    assert [m["id"] for m in received][:2] == ["a0", "b0"]
    assert all(m["receipt_handle"] and m["receive_count"] == 1 for m in received)
    assert [m["id"] for m in sqs._collect_msgs(queue, 1, 30)] == ["a9"]
