"""What can be asked for in cdk.json and in props, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.synth


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "kind=None is not one of lambda, worker"),
        ({"kind": "lambda", "memory": 1}, "unknown argument 'memory'; known are"),
        ({"kind": "lambda", "memory_mib": "1 GB"}, "memory_mib='1 GB' must be a number"),
        (
            {"kind": "lambda", "timeout_s": 901},
            "timeout_s=901 must be 1 to 900; give",
        ),
        ({"kind": "lambda", "max_concurrency": 1}, "max_concurrency=1 must be 2 to 1000"),
        ({"kind": "lambda", "pollers_min": 2}, "pollers_min and pollers_max go together; give pollers_max too"),
        ({"kind": "lambda", "pollers_min": 1, "pollers_max": 5}, "pollers_min=1 must be 2 to 200"),
        ({"kind": "lambda", "pollers_min": 2, "pollers_max": 2001}, "pollers_max=2001 must be 2 to 2000"),
        ({"kind": "lambda", "pollers_min": 9, "pollers_max": 5}, "pollers_min=9 is more than pollers_max=5"),
        (
            {"kind": "lambda", "pollers_min": 2, "pollers_max": 5, "max_concurrency": 40},
            "exclude each other (Lambda takes one of them); leave max_concurrency out: 5 pollers bound",
        ),
        ({"kind": "lambda", "snap_start": 1}, "snap_start=1 must be true or false"),
        ({"kind": "worker", "snap_start": True}, "unknown argument 'snap_start'"),
        ({"kind": "worker", "cpu_units": 1000}, "cpu_units=1000 is no size of Fargate"),
        (
            {"kind": "worker", "memory_mib": 512},
            "memory_mib=512 does not go with cpu_units=1024",
        ),
        ({"kind": "worker", "replicas_min": 2}, "replicas_min=2 is more than replicas_max=1"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_with_what_to_do(spec: dict[str, Any], words: str) -> None:
    from upwell_infra.composition import executor_of
    from upwell_infra.errors import InfraError

    with pytest.raises(InfraError, match=r"^pool 'train' in the context upwell:pools: ") as refused:
        executor_of("train", spec)
    assert words in str(refused.value)


def test_a_worker_may_run_longer_than_a_function_can() -> None:
    from upwell_infra.composition import executor_of

    executor = executor_of("train", {"kind": "worker", "idle_ttl_s": 3600, "replicas_max": 8})
    assert getattr(executor, "replicas_max", None) == 8


@pytest.mark.parametrize("name", ["train-dead", "1st", "a" * 33, "with space", ""])
def test_a_name_that_is_no_pool_s_is_refused(name: str) -> None:
    from upwell_infra import CodeLocation, Deployment, LambdaExecutor, PoolProps, Stage
    from upwell_infra.errors import InfraError

    deployment = Deployment(prefix="upwell-dev", code=CodeLocation(bucket="b", key="k"))
    with pytest.raises(InfraError, match="cannot be a pool's name"):
        PoolProps(deployment=deployment, stage=Stage.of("dev"), name=name, executor=LambdaExecutor())


def test_a_wildcard_without_a_reason_is_refused() -> None:
    from upwell_infra.grants import Grant

    with pytest.raises(ValueError, match="name the resource or give a reason"):
        Grant(sid="Read", actions=["s3:GetObject"], resources=["arn:aws:s3:::b/*"])


def test_every_public_name_can_be_had() -> None:
    import upwell_infra

    assert all(getattr(upwell_infra, name) for name in upwell_infra.__all__)


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ({"upwell:stage": "Prod!"}, "'Prod!' cannot be a stage"),
        ({"upwell:data-retention-days": "a month"}, "upwell:data-retention-days='a month' is not JSON"),
        ({"upwell:pools": ["train"]}, "must be a JSON value of type object"),
        ({"upwell:pools": {"train": "worker"}}, "'worker' must be an object with a kind"),
        ({"upwell:pools": {"a-dead": {"kind": "worker"}}}, "'a-dead' cannot be a pool's name"),
    ],
)
def test_a_context_that_cannot_be_used_is_refused(context: dict[str, Any], words: str, tmp_path: Path) -> None:
    from aws_cdk import App

    from upwell_infra.composition import compose
    from upwell_infra.errors import InfraError

    with pytest.raises(InfraError) as refused:
        compose(App(context=context, outdir=str(tmp_path)), tmp_path)
    assert words in str(refused.value)
