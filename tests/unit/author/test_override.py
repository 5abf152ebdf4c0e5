from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from upwell import errors
from upwell._author.cache import Cache
from upwell._author.environment import TaskEnvironment
from upwell._author.policies import Backoff, RetryStrategy, Timeout
from upwell._author.resources import Resources
from upwell._author.reuse import ReusePolicy
from upwell._author.secret import Secret
from upwell._core.model import Bounds, RetryPolicy

env = TaskEnvironment(
    "over", resources=Resources(memory="1Gi"), env_vars={"A": "1"}, queue="slow", cache="auto"
)
warm = TaskEnvironment("warm", reuse_policy=ReusePolicy())


@env.task(retries=2, timeout=60, short_name="work", max_inline_io_bytes="1Ki")
async def work(x: int) -> int:
    return x


@warm.task
async def warm_work() -> None: ...


anything: Any = work
"""The same for a type checker that looks away."""


def test_the_decorator_goes_before_the_environment() -> None:
    @env.task(cache="disable", queue="fast")
    async def plain() -> None: ...

    assert (plain.queue, plain.cache.is_enabled) == ("fast", False)
    assert (work.queue, work.cache.mode) == ("slow", "auto")


def test_override_goes_before_both_and_leaves_the_original_alone() -> None:
    changed = work.override(
        short_name="again",
        resources=Resources(memory="2Gi"),
        cache=Cache("override", version_override="v1"),
        retries=RetryStrategy(5, Backoff(timedelta(seconds=2), factor=3, cap=timedelta(seconds=10))),
        timeout=Timeout(max_runtime=5, max_queued_time=timedelta(minutes=1), deadline=100),
        env_vars={"B": "2"},
        secrets="api-key",
        max_inline_io_bytes=2_000,
        queue="fast",
    )
    assert changed.short_name == "again"
    assert changed.resources == Resources(memory="2Gi")
    assert changed.cache.version_override == "v1"
    assert changed.retry == RetryPolicy(count=5, base_s=2.0, factor=3, cap_s=10.0)
    assert changed.bounds == Bounds(max_runtime_s=5.0, max_queued_s=60.0, deadline_s=100.0)
    assert changed.env_vars == {"B": "2"}
    assert changed.secrets == (Secret("api-key"),)
    assert changed.max_inline_io_bytes == 2_000
    assert changed.queue == "fast"
    assert changed.name == work.name
    assert (work.short_name, work.retries, work.env_vars, work.max_inline_io_bytes) == (
        "work",
        2,
        {"A": "1"},
        1024,
    )


def test_falsy_values_keep_what_was_there() -> None:
    same = work.override(short_name="", retries=0, timeout=0, resources=None, env_vars={}, queue=None)
    assert same.options == work.options


def test_a_limit_is_replaced_and_no_limit_keeps_what_was_there() -> None:
    one = work.override(max_concurrency=1)
    assert (work.max_concurrency, one.max_concurrency) == (None, 1)
    assert one.override(max_concurrency=None).max_concurrency == 1
    with pytest.raises(ValueError, match="max_concurrency=-1"):
        one.override(max_concurrency=-1)


def test_overrides_add_up() -> None:
    twice = work.override(retries=7).override(short_name="late")
    assert (twice.retries, twice.short_name) == (7, "late")


@pytest.mark.parametrize("name", ["name", "image", "docs", "interface"])
def test_what_belongs_to_the_task_cannot_be_overridden(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        anything.override(**{name: "x"})


def test_an_unknown_setting_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        anything.override(colour="red")


@pytest.mark.parametrize(
    "setting", [{"resources": Resources(cpu=2)}, {"env_vars": {"A": "1"}}, {"secrets": "s"}]
)
def test_warm_workers_need_reusable_off_for_what_they_cannot_change(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reusable='off'"):
        warm_work.override(**setting)
    assert warm_work.override(reusable="off", **setting).pool == "default"


def test_a_reuse_policy_cannot_come_with_a_call() -> None:
    with pytest.raises(errors.UnsupportedError, match="clone_with"):
        anything.override(reusable=ReusePolicy())


def test_kubernetes_settings_are_ignored_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="pod_template="):
        work.override(pod_template="pod")
