"""What an executor tells of itself: refused claims, and lines of the log that say what they are about."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.exec.engine import engine

import upwell
from upwell._core.metrics import Metric
from upwell._core.ports import Delivery
from upwell._core.wire import Message
from upwell._exec.executor import Executor
from upwell._exec.subject import SubjectFilter

env = upwell.TaskEnvironment("observed")
SECRET = "correct horse battery staple"


class Counts:
    """Implements `Metrics`."""

    def __init__(self) -> None:
        self.by_pool: Counter[tuple[Metric, str]] = Counter()

    def add(self, metric: Metric, value: float = 1.0, *, pool: str = "") -> None:
        """Count it."""
        self.by_pool[metric, pool] += int(value)


@env.task
async def whisper(text: str) -> str:
    return text


async def test_a_message_whose_action_has_ended_is_a_refused_claim(tmp_path: Path) -> None:
    async with engine(tmp_path) as local:
        await local.run(whisper, SECRET)
        action = await local.action_of(whisper)
        counts = Counts()
        kernel = replace(local.platform.kernel, metrics=counts)
        pool = action.spec.task.pool
        delivery = Delivery(pool=pool, message=Message(action=action.spec), receipt="late")
        assert await Executor(kernel, lease_s=30).handle(delivery)
        assert counts.by_pool == {(Metric.CLAIMS_REFUSED, pool): 1}


async def test_lines_name_run_and_action_and_no_input(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.handler.addFilter(completing := SubjectFilter())
    caplog.set_level(logging.DEBUG, logger="upwell")
    try:
        async with engine(tmp_path) as local:
            save, refused = local.store.save, []

            async def refuse_once(record: object, *, expected: int | None) -> bool:
                if expected is not None and not refused:
                    refused.append(expected)
                    raise OSError("the disk is away")
                return await save(record, expected=expected)  # type: ignore[arg-type]  # hands it on

            monkeypatch.setattr(local.store, "save", refuse_once)
            assert (await local.run(whisper, SECRET)).unwrap() == SECRET
    finally:
        caplog.handler.removeFilter(completing)
    (complaint,) = [line for line in caplog.records if "could not be handled" in line.message]
    assert complaint.__dict__.items() >= {"run_id": "run", "action_id": "a0", "received": 1}.items()
    assert SECRET not in caplog.text
