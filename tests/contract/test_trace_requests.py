"""How many requests the traces of an action are on DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from bench.traces import at_once, one_by_one

from upwell._aws.dynamodb_table import Item, Table
from upwell.testing.moto_flows import moto_flows

N = 1000


@pytest.mark.parametrize("task", [one_by_one, at_once])
def test_a_thousand_traces_are_tens_of_batch_writes(task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    put_batch = Table.put_batch

    async def counted(self: Table, items: list[Item]) -> None:
        written.append(len(items))
        await put_batch(self, items)

    monkeypatch.setattr(Table, "put_batch", counted)
    with moto_flows() as flows:
        flows.run(task, N).unwrap()
    assert sum(written) <= N / 20
