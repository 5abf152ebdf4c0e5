"""`rerun` and `abort_action` of the SDK."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import upwell
from upwell import errors
from upwell._client.config import _set, current_config, init

env = upwell.TaskEnvironment("again-api")


@env.task
async def add(x: int, y: int = 1) -> int:
    return x + y


@env.task
async def endless() -> int:
    await asyncio.Event().wait()
    return 1


@env.task
async def over_endless() -> str:
    try:
        return str(await endless())
    except errors.ActionAbortedError as e:
        return f"aborted: {e}"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path) -> object:
    before = current_config()
    init(mode="local", state_dir=tmp_path)
    yield
    _set(before)


def test_a_rerun_takes_the_inputs_that_are_not_replaced_from_the_earlier_run() -> None:
    first = upwell.run(add, 2, y=5)
    again = upwell.rerun(first.name)
    assert again.name != first.name
    assert again.outputs() == (7,)
    assert upwell.rerun(first.name, y=10, name="third").outputs() == (12,)
    assert upwell.Run.get("third").inputs() == {"x": 2, "y": 10}


def test_inputs_that_the_task_does_not_have_are_refused() -> None:
    first = upwell.run(add, 2)
    with pytest.raises(ValueError, match="z"):
        upwell.rerun(first.name, z=1)


def test_a_recovery_takes_no_inputs() -> None:
    first = upwell.run(add, 2)
    with pytest.raises(errors.UsageError, match="leave out y, or recover=True"):
        upwell.rerun(first.name, recover=True, y=2)
    with pytest.raises(errors.RunStateError, match="`upwell rerun"):
        upwell.rerun(first.name, recover=True)


def test_a_run_that_is_not_there() -> None:
    with pytest.raises(errors.RunNotFoundError):
        upwell.rerun("nope")


async def test_an_action_is_aborted_by_its_id_from_another_handle() -> None:
    running = asyncio.create_task(upwell.with_runcontext(name="r1").run.aio(over_endless))

    async def stop() -> None:
        while True:
            await asyncio.sleep(0.02)
            try:
                handle = await asyncio.to_thread(upwell.Run.get, "r1")
                actions = await asyncio.to_thread(ids_of, "r1")
                await handle.abort_action.aio(actions["again-api.endless"], "enough")
                return
            except (errors.RunNotFoundError, KeyError):
                pass

    await asyncio.wait_for(stop(), 20)
    assert (await running).outputs.aio is not None
    assert await (await running).outputs.aio() == ("aborted: enough",)
    with pytest.raises(errors.ActionNotFoundError):
        await (await running).abort_action.aio("nope")


def ids_of(run: str) -> dict[str, str]:
    from upwell._local.sqlite import SqliteStore

    async def read() -> dict[str, str]:
        store = SqliteStore(current_config().state_dir / "state.db")
        try:
            return {a.spec.task.name: a.spec.action_id async for a in store.list_actions(run) if a.attempts}
        finally:
            store.close()

    return asyncio.run(read())
