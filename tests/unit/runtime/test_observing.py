"""What is seen of an invocation: its log lines say what they are about, and never what users pass around."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import pkgutil
from types import SimpleNamespace
from typing import Any

import pytest

from upwell._core.metrics import Metric
from upwell._exec.subject import about
from upwell.testing.moto_aws import ENVIRONMENT, moto_platform
from upwell_runtime import handlers, wiring
from upwell_runtime.observing import keep_flushing, observed

CONTEXT: Any = SimpleNamespace(aws_request_id="request-1")
log = logging.getLogger("upwell.test")


@pytest.fixture(autouse=True)
def deployed(component: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_platform() as (_, settings):
        variables = {**settings.to_env(), **ENVIRONMENT}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_says_where_and_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        with about(run_id="r1", action_id="a0"):
            log.warning("lost", extra={"attempt": 2, "action_id": "a7"})
        log.debug("not shown")
        log.info("done")

    handler({}, CONTEXT)
    lost, done = written(capsys)
    about_both = {"stage": "dev", "pool": "default", "request_id": "request-1"}
    assert lost.items() >= {**about_both, "run_id": "r1", "action_id": "a7", "attempt": 2}.items()
    assert (lost["message"], lost["level"]) == ("lost", "WARNING")
    assert done.items() >= about_both.items()
    assert "run_id" not in done


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(handlers.__path__)])
def test_every_handler_is_observed(module: str) -> None:
    assert hasattr(importlib.import_module(f"{handlers.__name__}.{module}").handler, "__wrapped__")


def test_the_level_is_a_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("UPWELL_LOG_LEVEL", "ERROR")
    wiring.configure_logging()
    log.warning("not shown")
    log.error("shown")
    assert [line["message"] for line in written(capsys)] == ["shown"]


def test_metrics_are_written_also_when_the_handler_fails(capsys: pytest.CaptureFixture[str]) -> None:
    @observed
    def handler(event: dict[str, Any], context: Any) -> None:
        wiring.metrics().add(Metric.PUT_RIGHT)
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        handler({}, CONTEXT)
    assert [line["PutRight"] for line in written(capsys)] == [[1.0]]


async def test_a_worker_writes_what_is_left_when_it_stops(capsys: pytest.CaptureFixture[str]) -> None:
    flushing = asyncio.create_task(keep_flushing())
    await asyncio.sleep(0)
    wiring.metrics().add(Metric.CLAIMS_REFUSED, pool="train")
    flushing.cancel()
    await asyncio.wait({flushing})
    assert [line["ClaimsRefused"] for line in written(capsys)] == [[1.0]]
