"""Which pool the scaler looks at."""

from __future__ import annotations

import json

import pytest

from upwell.testing.moto_aws import ENVIRONMENT, moto_platform
from upwell_runtime import wiring
from upwell_runtime.handlers.scale import sent_to


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_platform() as (_, settings):
        for name, value in {**settings.to_env(), **ENVIRONMENT}.items():
            monkeypatch.setenv(name, value)
    wiring.settings.cache_clear()


def test_the_schedule_is_about_all_pools() -> None:
    assert sent_to({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}) is None


def test_work_that_the_engine_sent_is_about_its_pool() -> None:
    event = {"detail-type": "Work Sent", "detail": {"prefix": "upwell-dev", "pool": "train", "messages": 40}}
    assert sent_to(event) == ("train", 40)


def test_the_start_of_a_run_is_about_the_pool_of_its_root() -> None:
    url = f"{wiring.settings().queue_url_prefix}train"
    detail = {"status": "RUNNING", "input": json.dumps({"run_id": "r", "queue_url": url})}
    kind = "Step Functions Execution Status Change"
    assert sent_to({"detail-type": kind, "detail": detail}) == ("train", 1)


def test_an_input_that_was_too_large_for_the_event_makes_it_look_at_all() -> None:
    kind = "Step Functions Execution Status Change"
    assert sent_to({"detail-type": kind, "detail": {"status": "RUNNING", "input": None}}) is None
