"""A worker asks ECS for protection over HTTP, as an agent that answers sees it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from upwell._core import protection as rules
from upwell_runtime.worker.protection import PATH, keep_protected


class Agent:
    """An ECS agent; `refusals` are given first."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.refusals: list[Any] = []
        agent = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                agent.asked.append((self.path, json.loads(body)))
                answer = agent.refusals.pop(0) if agent.refusals else {"protection": {}}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: Any) -> None:
                """Be silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    started = Agent()
    thread = threading.Thread(target=started.server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("ECS_AGENT_URI", f"http://127.0.0.1:{started.server.server_port}/api/task")
    monkeypatch.setattr(rules, "PROTECT_AFTER_S", 0.0)
    monkeypatch.setattr(rules, "RELEASE_AFTER_S", 0.0)
    monkeypatch.setattr(rules, "RETRY_S", 0.0)
    yield started
    started.server.shutdown()
    thread.join()
    started.server.server_close()


async def asked(agent: Agent, busy: list[bool]) -> list[Any]:
    """Return what was asked for while the worker was busy and idle like that, look by look."""
    looks, seen = iter(busy), asyncio.Event()

    def was_busy() -> bool:
        try:
            return next(looks)
        except StopIteration:
            seen.set()
            return busy[-1]

    keeping = asyncio.create_task(keep_protected(was_busy, look_s=0.0))
    await seen.wait()
    keeping.cancel()
    return agent.asked


async def test_work_is_protected_and_idleness_released(agent: Agent) -> None:
    path = f"/api/task{PATH}"
    assert await asked(agent, [False, True, True, False, False]) == [
        (path, {"ProtectionEnabled": True, "ExpiresInMinutes": 10}),
        (path, {"ProtectionEnabled": False}),
    ]


async def test_a_refusal_is_no_protection_and_asked_for_again(agent: Agent) -> None:
    agent.refusals = [{"failure": {"Reason": "DEPLOYMENT_BLOCKED"}}, {"error": {"Code": "Throttling"}}]
    bodies = [body for _, body in await asked(agent, [True, True, True, True])]
    assert bodies == [{"ProtectionEnabled": True, "ExpiresInMinutes": 10}] * 3


async def test_outside_of_ecs_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECS_AGENT_URI", raising=False)
    await keep_protected(lambda: True)
