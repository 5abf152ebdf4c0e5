"""Runs that tasks start: on a laptop they may, in the cloud they are told what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

import upwell
from upwell.errors import RuntimeUserError, UnsupportedError
from upwell.testing.moto_flows import MotoFlows

env = upwell.TaskEnvironment("nested-runs")


@env.task
async def work(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x + 1


@env.task
async def launches(x: int) -> int:
    run = await upwell.run.aio(work, x)
    value: int = (await run.outputs.aio())[0]
    return value


@env.task
def launches_and_waits(x: int) -> int:
    value: int = upwell.run(work, x).outputs()[0]
    return value


@pytest.mark.parametrize("task", [launches, launches_and_waits])
def test_a_local_task_may_start_runs(task: upwell.Task[..., int], tmp_path: Path) -> None:
    upwell.init(state_dir=tmp_path)
    assert upwell.run(task, 2).outputs() == (3,)
    assert len(upwell.Run.listall()) == 2
    with pytest.raises(RuntimeUserError, match="-1 is negative"):
        upwell.run(task, -1)


def test_a_task_in_the_cloud_is_told_to_call_the_task(upwell_aws_flows: MotoFlows) -> None:
    error = upwell_aws_flows.run(launches, 2).error
    assert isinstance(error, RuntimeUserError)
    assert error.code == UnsupportedError.__name__
    assert "await work(...)" in str(error)
