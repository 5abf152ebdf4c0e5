"""Runs a scenario on a backend, and says what was seen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from scenario import Observed, Scenario

import upwell
from upwell._author.task import Task
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._client.options import RunOptions
from upwell.testing.flows import FlowResult, LocalFlows, result_of
from upwell.testing.moto_flows import MotoFlows

WAIT_S, LOOK_S = 100, 0.1


async def observe(backend: str, flows: LocalFlows | MotoFlows, scenario: Scenario, folder: Path) -> Observed:
    """Run a scenario in this process."""
    options = RunOptions(**scenario.options)
    result = await flows.arun_with(options, scenario.task, **scenario.inputs_in(folder))
    return _seen(backend, folder, result)


def observe_on_sandbox(scenario: Scenario, folder: Path) -> Observed:
    """Run a scenario in the sandbox's executors."""
    runner = upwell.with_runcontext(mode="sandbox", **scenario.options)
    run = runner.run(scenario.task, **scenario.inputs_in(folder))
    return _seen("sandbox", folder, asyncio.run(_ended(run.name, scenario.task)))


async def _ended(run_id: str, task: Task[..., Any]) -> FlowResult:
    """Wait for the end of a run, and return what the store holds of it."""
    async with asyncio.timeout(WAIT_S), open_backend("sandbox", current_config()) as backend:
        record = await backend.store.get_run(run_id)
        while record is None or not record.status.is_terminal:
            await asyncio.sleep(LOOK_S)  # the run is in other processes
            record = await backend.store.get_run(run_id)
        return await result_of(backend.store, backend.blobs, backend.logs, record, task)


def _seen(backend: str, folder: Path, result: FlowResult) -> Observed:
    return Observed(backend, folder, result.run, result.actions, result.value, result.error, lines=result.lines)
