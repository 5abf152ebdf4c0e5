"""The console's server: on loopback, for as long as somebody looks."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from aws_lambda_powertools.event_handler import HttpResolverLocal

from upwell._client.backend import Backend, open_backend
from upwell._client.config import CONSOLE_HOST, CONSOLE_PORT, Config
from upwell._console.app import RunApi
from upwell._console.launching import CommandLauncher
from upwell._console.site import Site, use_threads
from upwell.errors import UsageError

HOST, PORT = CONSOLE_HOST, CONSOLE_PORT


def serve(config: Config, *, port: int | None, ready: Callable[[str], None]) -> None:
    """Serve the console until the process is interrupted.

    Args:
        config: Whose runs it shows.
        port: To listen on; None takes 8640, or any other if that is in use.
        ready: Called with the address once it answers.

    Raises:
        UsageError: the port is in use.
        NotDeployedError: the stage has no platform.
    """
    with listener(port) as sock, suppress(KeyboardInterrupt):
        asyncio.run(_serve(config, sock, ready))


async def _serve(config: Config, sock: socket.socket, ready: Callable[[str], None]) -> None:
    port = sock.getsockname()[1]
    async with open_site(config, port=port) as site:
        options = uvicorn.Config(
            site,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        ready(f"http://{HOST}:{port}/")  # it listens: who comes early waits a moment
        await uvicorn.Server(options).serve(sockets=[sock])


@asynccontextmanager
async def open_site(config: Config, *, port: int) -> AsyncIterator[Site]:
    """Open the backend of a configuration, and give the console of its runs as an ASGI application."""
    threads = use_threads(asyncio.get_running_loop())
    try:
        async with open_backend(config.mode, config) as backend:
            yield Site(local_api(backend, config), port=port)
    finally:
        threads.shutdown(wait=False)


def local_api(backend: Backend, config: Config) -> HttpResolverLocal:
    """Return the Run API as an ASGI application."""
    app = HttpResolverLocal(enable_validation=True)
    RunApi(backend, config, CommandLauncher(config, backend.store)).add_to(app)
    return app


def listener(port: int | None) -> socket.socket:
    """Return a socket that listens on loopback; see `serve`."""
    try:
        return _listener(PORT if port is None else port)
    except OSError as e:
        if e.errno != errno.EADDRINUSE:
            raise
        if port is not None:
            raise UsageError(f"--port {port} is in use; give another, or none") from e
        return _listener(0)


def _listener(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((HOST, port))
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock
