"""What flows from a task to its children; sync tasks; values of any size."""

from __future__ import annotations

import asyncio

import pytest

import upwell
from upwell import errors
from upwell._core.model import Status
from upwell.testing.flows import LocalFlows

env = upwell.TaskEnvironment("context")


@env.task
async def seen() -> dict[str, str]:
    ctx = upwell.ctx()
    assert ctx.custom_context is not None
    group = ctx.group_data.name if ctx.group_data else ""
    return {**ctx.custom_context, "group": group}


@env.task
async def below() -> dict[str, str]:
    return await seen()


@env.task
async def grouped() -> list[dict[str, str]]:
    with upwell.group("outer"), upwell.custom_context(a="1", b="1"):
        first = await below()
        with upwell.group("inner"), upwell.custom_context(b="2"):
            second = await seen()
        third = await seen()
    return [first, second, third, await seen()]


def test_groups_label_calls_and_custom_context_reaches_every_descendant(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(grouped)
    first, second, third, fourth = result.unwrap()
    assert {k: first[k] for k in ("a", "b")} == {"a": "1", "b": "1"}
    assert second == {"a": "1", "b": "2", "group": "inner"}
    assert third == {"a": "1", "b": "1", "group": "outer"}
    assert fourth == {"group": ""}
    assert [a.spec.group for a in result.actions_of(below)] == ["outer"]


@env.task
async def concurrent_contexts() -> list[str]:
    async def one(n: str) -> str:
        with upwell.custom_context(n=n):
            await asyncio.sleep(0)
            return (await seen())["n"]

    return await asyncio.gather(*(one(str(n)) for n in range(20)))


def test_contexts_of_calls_side_by_side_do_not_mix(upwell_flows: LocalFlows) -> None:
    assert upwell_flows.run(concurrent_contexts).unwrap() == [str(n) for n in range(20)]


# --- sync tasks ---


@env.task
def add(a: int, b: int) -> int:
    return a + b


@env.task
def add_three(a: int, b: int, c: int) -> int:
    return add(add(a, b), c)


@env.task
def add_four(a: int, b: int, c: int, d: int) -> int:
    return add(add_three(a, b, c), d)


def test_sync_tasks_call_sync_tasks_at_any_depth(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(add_four, 1, 2, 3, 4)
    assert result.unwrap() == 10
    assert len(result.actions_of(add)) == 3


@env.task
async def calls_sync_badly() -> int:
    return add(1, 2)


def test_a_sync_task_called_from_async_code_says_what_to_do(upwell_flows: LocalFlows) -> None:
    with pytest.raises(errors.SyncTaskCallInAsyncContextError, match=r"add\.aio"):
        upwell_flows.run(calls_sync_badly).unwrap()


@env.task
def fails_sync() -> None:
    raise ValueError("sync")


@env.task
def catches_sync() -> str:
    try:
        fails_sync()
    except errors.RuntimeUserError as e:
        return e.code
    return "no error"


def test_a_sync_task_catches_what_its_child_raised(upwell_flows: LocalFlows) -> None:
    assert upwell_flows.run(catches_sync).unwrap() == "ValueError"


# --- values ---

LARGE = "ä" * 200_000


@env.task
async def repeat(text: str) -> str:
    return text + text


@env.task
async def passes_large_values_on(text: str) -> int:
    return len(await repeat(await repeat(text)))


def test_large_values_travel_as_blobs(upwell_flows: LocalFlows) -> None:
    result = upwell_flows.run(passes_large_values_on, LARGE)
    assert result.unwrap() == 4 * len(LARGE)
    for action in result.actions_of(repeat):
        assert action.spec.inputs.blob
        assert action.spec.inputs.text is None
        assert action.outcome is not None
        assert action.outcome.output is not None
        assert action.outcome.output.blob


small = upwell.TaskEnvironment("small", max_inline_io="1Ki")


@small.task
async def takes_little(text: str) -> int:
    return len(text)


@small.task
async def gives_much() -> str:
    return "x" * 2000


@env.task
async def passes_too_much() -> int:
    return await takes_little("x" * 2000)


@pytest.mark.parametrize("task", [passes_too_much, gives_much])
def test_values_above_max_inline_io_are_refused_by_name(upwell_flows: LocalFlows, task: object) -> None:
    result = upwell_flows.run(task)  # type: ignore[arg-type]  # either task
    assert result.run.status is Status.FAILED
    with pytest.raises(errors.InlineIOMaxBytesBreached, match=r"max_inline_io of (environment 'small'|1,024)"):
        result.unwrap()
