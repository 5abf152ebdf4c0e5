"""What stands before the API on loopback: who may ask, the pages' files, and the headers that guard them."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from upwell._console.models import Problem, ProblemAnswer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUESTS_AT_ONCE = 16
THREADS = 3 * REQUESTS_AT_ONCE
"""The resolver holds two threads per request for as long as it takes; with fewer, requests block each other."""
BODY_BYTES = 1024 * 1024
API, READS = "/api/", {"GET", "HEAD"}
PAGE, ASSETS = "index.html", "assets/"
TOKEN_HEADER = b"x-upwell-token"
STATIC = files("upwell._console") / "static"
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
GUARDS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""With every answer. Styles may be inline: charts and virtual lists set them; scripts may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the pages."""

    content: bytes
    zipped: bytes
    """The same for those who take gzip."""
    type: str
    cache: str


class Site:
    """Serves the pages and passes on what is for the API.

    Args:
        api: The API as an ASGI application.
        port: That is listened on: what the `Host` header must name.
        static: Folder of the built pages.
    """

    def __init__(self, api: Application, *, port: int, static: Traversable = STATIC) -> None:
        self.token = secrets.token_urlsafe(24)
        self._api = api
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self._files = _read_files(static, self.token)
        self._turns = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the specification of ASGI."""
        assert scope["type"] == "http"  # the server is told that there is nothing else
        headers = dict(scope["headers"])
        refused = self._refusal(scope, headers)
        if refused is not None:
            await _answer(send, 403, "application/json", refused)
        elif scope["path"].startswith(API):
            body = await _body(receive)
            if body is None:
                await _answer(send, 413, "application/json", _problem("TooLarge", "at most 1 MiB can be sent"))
            elif not _is_text(body):
                await _answer(send, 422, "application/json", _problem("InvalidRequest", "the body is no UTF-8"))
            else:
                async with self._turns:
                    await self._api(_readable(scope), _given(body), _guarded(send))
        elif scope["method"] not in READS:
            await _answer(send, 405, "application/json", _problem("NotAllowed", "pages can only be read"))
        else:
            await self._page(scope["path"], send, takes_gzip=b"gzip" in headers.get(b"accept-encoding", b""))

    def _refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bytes | None:
        """Return why a request is not answered: it is not from a page of this server."""
        host = headers.get(b"host", b"")
        if host not in self._hosts:
            return _problem("ForeignHost", f"this server is not {host.decode('latin-1')[:100]!r}")
        if scope["method"] in READS:
            return None
        origin = headers.get(b"origin")
        if origin is not None and origin != b"http://" + host:
            return _problem("ForeignOrigin", "only pages of this server may change anything")
        if not secrets.compare_digest(headers.get(TOKEN_HEADER, b""), self.token.encode()):
            return _problem(
                "NoToken",
                "send the token of the page as X-Upwell-Token; reload the page if the server was restarted",
            )
        return None

    async def _page(self, path: str, send: Send, *, takes_gzip: bool) -> None:
        """Answer with a file; any other path is one of the pages, which find their way themselves."""
        name = path.removeprefix("/")
        file = self._files.get(name)
        if file is None and name.startswith(ASSETS):
            await _answer(send, 404, TYPES["txt"], b"there is no such file\n", {"cache-control": "no-store"})
            return
        file = file or self._files.get(PAGE)
        if file is None:
            text = b"the console's pages are not built; the API is below /api/v1\n"
            await _answer(send, 404, TYPES["txt"], text)
            return
        headers = {"cache-control": file.cache, "vary": "accept-encoding"}
        if takes_gzip:
            await _answer(send, 200, file.type, file.zipped, headers | {"content-encoding": "gzip"})
        else:
            await _answer(send, 200, file.type, file.content, headers)


def use_threads(loop: asyncio.AbstractEventLoop) -> ThreadPoolExecutor:
    """Give a loop as many threads as `REQUESTS_AT_ONCE` need; the caller shuts them down."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="upwell-console")
    loop.set_default_executor(threads)
    return threads


def _read_files(static: Traversable, token: str) -> dict[str, File]:
    """Return the pages' files by path; the page itself with the token in it."""
    found: dict[str, File] = {}
    folders = [("", static)] if static.is_dir() else []
    while folders:
        prefix, folder = folders.pop()
        for entry in folder.iterdir():
            name = prefix + entry.name
            if entry.is_dir():
                folders.append((f"{name}/", entry))
                continue
            content = entry.read_bytes()
            if name == PAGE:
                meta = f'<meta name="upwell-token" content="{token}">'.encode()
                content = content.replace(b"<head>", b"<head>" + meta, 1)
            type_ = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
            hashed = name.startswith(ASSETS)  # the build puts a hash into these names
            cache = "public, max-age=31536000, immutable" if hashed else "no-store"
            found[name] = File(content=content, zipped=gzip.compress(content), type=type_, cache=cache)
    return found


async def _body(receive: Receive) -> bytes | None:
    """Return the body of a request; None if it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES:
            return None
    return body


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _readable(scope: Scope) -> Scope:
    """Return a request whose headers and query are UTF-8, which the resolver takes for granted."""
    headers = [(name, value.decode("latin-1").encode()) for name, value in scope["headers"]]
    return {**scope, "headers": headers, "query_string": scope["query_string"].decode("latin-1").encode()}


def _given(body: bytes) -> Receive:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _guarded(send: Send) -> Send:
    """Return a `send` that adds the guards to the headers, but those that the answer has stricter ones for."""
    guards = {name.encode(): value.encode() for name, value in {**GUARDS, "cache-control": "no-store"}.items()}

    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower(): value for name, value in message["headers"]}
            message = {**message, "headers": list((guards | own).items())}
        await send(message)

    return guarded


async def _answer(
    send: Send, status: int, type_: str, content: bytes, headers: Mapping[str, str] | None = None
) -> None:
    every = {**GUARDS, "content-type": type_, "content-length": str(len(content)), **(headers or {})}
    pairs = [(name.encode(), value.encode()) for name, value in every.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


def _problem(code: str, message: str) -> bytes:
    return ProblemAnswer(error=Problem(code=code, message=message)).model_dump_json().encode()
