"""Lambda's Runtime API on loopback: what the runtime client in a function's process talks to.

Every process has a port of its own, which is how it is known: the client takes an address and no more.
Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import socket
from typing import Protocol

from aiohttp import web

from upwell_runtime.sandbox.emulator import HOST

VERSION = "/2018-06-01/runtime"
PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
"""More than Lambda's 6 MB response, so that an oversized one can be told apart from a broken request."""


class RuntimeSide(Protocol):
    """A function's process as the Runtime API sees it."""

    async def next_invocation(self) -> tuple[dict[str, str], bytes] | None:
        """Wait for work: headers and event; None when the process is to end."""

    def finish(self, request_id: str, payload: bytes) -> bool:
        """Take the result of an invocation; False when it is not the one under way."""

    def fail(self, request_id: str | None, payload: bytes) -> bool:
        """Take the error of an invocation, or of the start (None)."""


class RuntimeApi:
    """Serves the Runtime API to any number of processes."""

    def __init__(self) -> None:
        self._sides: dict[int, RuntimeSide] = {}
        self._sites: dict[int, web.SockSite] = {}
        app = web.Application(client_max_size=PAYLOAD_BYTES_MAX)
        app.router.add_get(f"{VERSION}/invocation/next", self._next)
        app.router.add_post(f"{VERSION}/invocation/{{request_id}}/response", self._response)
        app.router.add_post(f"{VERSION}/invocation/{{request_id}}/error", self._error)
        app.router.add_post(f"{VERSION}/init/error", self._error)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        """Make ready to serve."""
        await self._runner.setup()

    async def stop(self) -> None:
        """Close every port."""
        await self._runner.cleanup()

    async def open(self, side: RuntimeSide) -> int:
        """Open a port for a process and return it."""
        listener = socket.create_server((HOST, 0))
        port: int = listener.getsockname()[1]
        self._sides[port] = side
        self._sites[port] = web.SockSite(self._runner, listener)
        await self._sites[port].start()
        return port

    async def close(self, port: int) -> None:
        """Close the port of a process that is gone."""
        self._sides.pop(port, None)
        if site := self._sites.pop(port, None):
            await site.stop()

    def _side(self, request: web.Request) -> RuntimeSide:
        address = request.get_extra_info("sockname")
        side = self._sides.get(address[1]) if address else None
        if side is None:
            raise web.HTTPGone
        return side

    async def _next(self, request: web.Request) -> web.Response:
        work = await self._side(request).next_invocation()
        if work is None:
            raise web.HTTPGone
        headers, event = work
        return web.Response(body=event, headers=headers, content_type="application/json")

    async def _response(self, request: web.Request) -> web.Response:
        return self._accepted(
            self._side(request).finish(request.match_info["request_id"], await request.read())
        )

    async def _error(self, request: web.Request) -> web.Response:
        return self._accepted(
            self._side(request).fail(request.match_info.get("request_id"), await request.read())
        )

    @staticmethod
    def _accepted(known: bool) -> web.Response:
        if not known:
            return web.json_response(
                {"errorMessage": "no such invocation is under way", "errorType": "InvalidRequestID"}, status=400
            )
        return web.json_response({"status": "OK"}, status=202)
