"""The control endpoint: what clients ask the supervisor for, over HTTP on loopback."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import web
from pydantic import ValidationError

from upwell_runtime.sandbox.deployment import PoolSpec
from upwell_runtime.sandbox.emulator import HOST
from upwell_runtime.sandbox.invocation import InvocationError
from upwell_runtime.sandbox.state import SandboxError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
EVENT_BYTES_MAX = 8 * 1024 * 1024
PROTECTION_PATH = "/task-protection/v1/state"
PROTECTION_MINUTES = 120
"""How long ECS protects a task that does not say how long."""


class Controlled(Protocol):
    """The supervisor, as far as it can be asked for things."""

    def status(self) -> dict[str, Any]:
        """Return what runs."""

    async def ensure_pool(self, spec: PoolSpec) -> bool:
        """Create a pool unless it is there; whether anything was done."""

    async def invoke(self, function: str, event: bytes) -> bytes:
        """Run a function."""

    def task_metadata(self, task_id: str) -> dict[str, Any] | None:
        """Return what a worker's task is told about itself."""

    def protection(self, task_id: str) -> dict[str, Any] | None:
        """Return whether and until when a worker's task is protected from scale-in; None if it is not there."""

    def protect(self, task_id: str, until: float | None) -> dict[str, Any] | None:
        """Protect a worker's task until then, epoch seconds, or no more; return what `protection` does."""

    def request_stop(self, reason: str) -> None:
        """Begin to shut down."""


class Control:
    """Serves the control endpoint on a port of its own."""

    def __init__(self, controlled: Controlled) -> None:
        self._controlled = controlled
        self.token = secrets.token_urlsafe(24)
        """Bearer token of the client's requests."""
        self.url = ""
        """Base URL, known once started."""
        self.requests = 0
        """Requests of clients so far."""
        app = web.Application(client_max_size=EVENT_BYTES_MAX, middlewares=[self._guard])
        app.router.add_get("/status", self._status)
        app.router.add_post("/pools", self._pools)
        app.router.add_post("/stop", self._stop)
        # These cannot send a token in a header, so an unguessable path stands for it.
        app.router.add_post("/open/{token}/functions/{name}", self._invoke)
        app.router.add_get("/open/{token}/tasks/{task_id}{rest:(/task)?}", self._task)
        app.router.add_route("*", f"/open/{{token}}/tasks/{{task_id}}{PROTECTION_PATH}", self._protection)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    @property
    def invoke_url(self) -> str:
        """Where the emulator sends invocations; `/<function name>` is added."""
        return f"{self.url}/open/{self.token}/functions"

    @property
    def metadata_url(self) -> str:
        """Where workers ask about their task; `/<task id>` is added."""
        return f"{self.url}/open/{self.token}/tasks"

    async def start(self) -> None:
        """Begin to serve."""
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.match_info.get("token")
        if given is None:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            self.requests += 1
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return web.json_response({"error": "the token of state.json is needed"}, status=401)
        try:
            return await handler(request)
        except SandboxError as e:
            return web.json_response({"error": str(e)}, status=409)

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(self._controlled.status())

    async def _pools(self, request: web.Request) -> web.Response:
        try:
            spec = PoolSpec.model_validate_json(await request.read())
        except ValidationError as e:
            problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in e.errors())
            return web.json_response({"error": f"not a pool: {problems}"}, status=400)
        created = await self._controlled.ensure_pool(spec)
        return web.json_response({"name": spec.name, "kind": spec.kind, "created": created})

    async def _stop(self, request: web.Request) -> web.Response:
        self._controlled.request_stop("asked to")
        return web.json_response({"stopping": True}, status=202)

    async def _invoke(self, request: web.Request) -> web.Response:
        try:
            result = await self._controlled.invoke(request.match_info["name"], await request.read())
        except InvocationError as e:
            return web.Response(body=e.payload, status=500, content_type="application/json")
        return web.Response(body=result, content_type="application/json")

    async def _task(self, request: web.Request) -> web.Response:
        metadata = self._controlled.task_metadata(request.match_info["task_id"])
        if metadata is None:
            raise web.HTTPNotFound(text=json.dumps({"error": "no such task"}))
        return web.json_response(metadata)

    async def _protection(self, request: web.Request) -> web.Response:
        """Serve the endpoint by which a task of a service keeps itself from scale-in."""
        task_id, told = (
            request.match_info["task_id"],
            self._controlled.protection(request.match_info["task_id"]),
        )
        if request.method == "PUT":
            wanted = await request.json()
            minutes = int(wanted.get("ExpiresInMinutes", PROTECTION_MINUTES))
            until = time.time() + 60 * minutes if wanted["ProtectionEnabled"] else None
            told = self._controlled.protect(task_id, until)
        if told is None:
            failure = {"Arn": task_id, "Reason": "MISSING"}
            return web.json_response({"requestID": "", "failure": failure}, status=404)
        return web.json_response({"requestID": "", "protection": told})
