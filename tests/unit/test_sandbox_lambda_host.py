"""The Lambda host with real runtime clients: what a function's author can count on."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from upwell_runtime.sandbox.children import Children
from upwell_runtime.sandbox.executor import FunctionSpec
from upwell_runtime.sandbox.invocation import InvocationError
from upwell_runtime.sandbox.lambda_host import FunctionHost, Growth, LambdaHost
from upwell_runtime.sandbox.state import SandboxError, StateDir, process_started

HANDLERS = '''
import os, pathlib, signal, threading, time

def echo(event, context):
    return {"event": event, "pid": os.getpid(), "request": context.aws_request_id,
            "arn": context.invoked_function_arn, "left_ms": context.get_remaining_time_in_millis()}

def environment(event, context):
    return {name: os.environ.get(name) for name in event}

def fails(event, context):
    raise KeyError("nothing here")

def dies(event, context):
    if event.get("die"):
        os._exit(7)
    return os.getpid()

def hangs(event, context):
    threading.Event().wait(event)
    return "done"

def meets(event, context):
    """Return once as many invocations as the event says are here at the same time."""
    folder = pathlib.Path(event["folder"])
    (folder / context.aws_request_id).touch()
    while len(list(folder.iterdir())) < event["count"]:
        time.sleep(0.01)
    return os.getpid()
'''
Deploy = Callable[..., Awaitable[FunctionHost]]


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    directory = StateDir(tmp_path / "sandbox")
    directory.create()
    code = tmp_path / "code"
    code.mkdir()
    (code / "probe.py").write_text(HANDLERS)
    (code / "broken.py").write_text("raise RuntimeError('cannot be imported')")
    started = Children(directory)
    started.environment["PYTHONPATH"] += os.pathsep + str(code)
    yield started
    await started.stop_all(0)
    started.close()


@pytest.fixture
async def deploy(children: Children) -> AsyncIterator[Deploy]:
    hosts: list[LambdaHost] = []

    async def deploy(
        handler: str, *, timeout_s: float = 20, growth: Growth | None = None, **changes: Any
    ) -> FunctionHost:
        hosts.append(LambdaHost(children, growth or Growth()))
        await hosts[-1].start()
        return hosts[-1].deploy(
            FunctionSpec(
                name=handler.replace(".", "-"),
                arn=f"arn:aws:lambda:us-east-1:000000000000:function:{handler}",
                handler=handler,
                timeout_s=timeout_s,
                memory_mib=512,
                **changes,
            )
        )

    yield deploy
    for host in hosts:
        await host.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is other processes that change it
            await asyncio.sleep(0.01)


async def invoke(function: FunctionHost, event: object) -> Any:
    return json.loads(await function.invoke(json.dumps(event).encode()))


async def test_a_function_gets_its_event_and_context(deploy: Deploy) -> None:
    answer = await invoke(await deploy("probe.echo", timeout_s=20), {"x": [1, "ä"]})
    assert answer["event"] == {"x": [1, "ä"]}
    assert answer["arn"].endswith(":probe.echo")
    assert 0 < answer["left_ms"] <= 20_000


async def test_a_process_serves_one_invocation_after_another(deploy: Deploy) -> None:
    function = await deploy("probe.echo")
    answers = [await invoke(function, number) for number in range(5)]
    assert len({answer["pid"] for answer in answers}) == 1
    assert len({answer["request"] for answer in answers}) == 5


async def test_a_function_sees_its_deployed_environment_and_that_of_lambda(deploy: Deploy) -> None:
    function = await deploy("probe.environment", environment={"UPWELL_POOL": "default"})
    names = ["UPWELL_POOL", "AWS_LAMBDA_FUNCTION_NAME", "_HANDLER", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
    assert await invoke(function, names) == {
        "UPWELL_POOL": "default",
        "AWS_LAMBDA_FUNCTION_NAME": "probe-environment",
        "_HANDLER": "probe.environment",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }


async def test_a_raised_exception_is_the_invocations_error_and_the_process_goes_on(deploy: Deploy) -> None:
    function = await deploy("probe.fails")
    with pytest.raises(InvocationError, match="KeyError: 'nothing here'"):
        await invoke(function, {})
    (process,) = function.status()
    with pytest.raises(InvocationError):
        await invoke(function, {})
    assert function.status()[0]["pid"] == process["pid"]


async def test_a_process_that_dies_fails_its_event_and_is_replaced(deploy: Deploy) -> None:
    function = await deploy("probe.dies")
    first = await invoke(function, {})
    with pytest.raises(InvocationError, match=r"Runtime\.ExitError.*exit status 7"):
        await invoke(function, {"die": True})
    assert await invoke(function, {}) != first


async def test_a_function_is_killed_when_its_time_is_over(deploy: Deploy) -> None:
    function = await deploy("probe.hangs", timeout_s=0.3)
    assert await invoke(function, 0) == "done"
    (process,) = function.status()
    with pytest.raises(InvocationError, match=r"Sandbox\.Timedout.*timed out after 0\.30 seconds"):
        await invoke(function, 60)
    await until(lambda: process_started(process["pid"]) is None)
    assert await invoke(function, 0) == "done"


async def test_an_idle_process_that_is_killed_is_replaced(deploy: Deploy) -> None:
    function = await deploy("probe.dies")
    first = await invoke(function, {})
    os.kill(first, signal.SIGKILL)
    await until(lambda: not function.status())
    assert await invoke(function, {}) != first


async def test_a_function_that_cannot_be_imported_fails_its_event_with_the_reason(deploy: Deploy) -> None:
    function = await deploy("broken.handler")
    with pytest.raises(InvocationError, match="cannot be imported"):
        await asyncio.wait_for(invoke(function, {}), 20)


async def test_processes_grow_with_the_work(deploy: Deploy, tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    function = await deploy("probe.meets")
    event = {"folder": str(meeting), "count": 4}
    pids = await asyncio.wait_for(asyncio.gather(*(invoke(function, event) for _ in range(4))), 30)
    assert len(set(pids)) == 4


async def test_processes_stay_within_the_limit(deploy: Deploy) -> None:
    function = await deploy("probe.echo", growth=Growth(processes=2))
    answers = await asyncio.gather(*(invoke(function, number) for number in range(30)))
    assert [answer["event"] for answer in answers] == list(range(30))
    assert len({answer["pid"] for answer in answers}) <= 2


async def test_a_pool_full_of_waiting_parents_grows_beyond_the_limit(deploy: Deploy, tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    function = await deploy("probe.meets", growth=Growth(processes=1, stalled_after_s=0))
    event = {"folder": str(meeting), "count": 3}
    invocations = asyncio.gather(*(invoke(function, event) for _ in range(3)))
    async with asyncio.timeout(30):
        while not invocations.done():
            function.tick()
            await asyncio.sleep(0.01)
    assert len(set(await invocations)) == 3


async def test_idle_processes_end_and_one_stays(deploy: Deploy, tmp_path: Path) -> None:
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    function = await deploy("probe.meets", growth=Growth(idle_s=0))
    event = {"folder": str(meeting), "count": 3}
    pids = await asyncio.gather(*(invoke(function, event) for _ in range(3)))
    async with asyncio.timeout(10):
        while sum(process_started(pid) is not None for pid in pids) != 1:
            function.tick()
            await asyncio.sleep(0.01)
    assert len(function.status()) == 1


async def test_closing_ends_what_is_under_way(deploy: Deploy) -> None:
    function = await deploy("probe.hangs")
    assert await invoke(function, 0) == "done"
    under_way = asyncio.ensure_future(invoke(function, 60))
    await asyncio.sleep(0)
    await function.close()
    with pytest.raises(InvocationError):
        await under_way
    assert function.status() == []


async def test_an_unknown_function_is_an_error_that_lists_the_known_ones(children: Children) -> None:
    with pytest.raises(SandboxError, match=r"no function 'f' in the sandbox"):
        LambdaHost(children, Growth()).function("arn:aws:lambda:us-east-1:000000000000:function:f")
