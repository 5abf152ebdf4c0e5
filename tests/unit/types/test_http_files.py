"""Files that are read from a web server."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from upwell._types.io_context import IoContext
from upwell._types.transfers import http_transfer
from upwell._types.transfers.object_transfer import PART_BYTES
from upwell.io import Directory, File

LARGE = bytes(range(256)) * (PART_BYTES // 128)
STATUS = {"/gone": 404, "/secret": 403, "/login": 401, "/broken": 503}


def content(path: str) -> bytes:
    return Path(path).read_bytes()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str]
    version = "1"

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path == "/slow":
            time.sleep(0.5)
        sent = LARGE if "large" in path else b"a small file\n"
        status = STATUS.get(path, 200)
        start, end = 0, len(sent)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted and path != "/large-whole":
            start, end, status = int(wanted[1]), min(int(wanted[2]) + 1, end), 206
        self.send_response(status)
        self.send_header("ETag", f'"{self.version}"')
        self.send_header("Content-Length", str(end - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(sent)}")
        self.end_headers()
        with suppress(ConnectionError):  # of who has read enough
            self.wfile.write(sent[start:end])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def handler() -> type[Handler]:
    return type("OwnHandler", (Handler,), {"asked": []})


@pytest.fixture
def url(handler: type[Handler], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(http_transfer, "RETRY", {"max_retries": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_a_file_of_the_web_is_a_file(local_io: IoContext, url: str, handler: type[Handler]) -> None:
    file: File[str] = File(path=f"{url}/folder/small%20one.txt?Signature=a%2Fb")
    assert file.name == "small%20one.txt"
    assert await file.exists()
    async with file.open("r") as stream:
        assert [line async for line in stream] == ["a small file\n"]
    assert content(await file.download()) == b"a small file\n"
    assert set(handler.asked) == {"/folder/small%20one.txt?Signature=a%2Fb"}


async def test_a_large_one_is_read_by_ranges(local_io: IoContext, url: str) -> None:
    file: File[bytes] = File(path=f"{url}/large")
    assert content(await file.download()) == LARGE
    async with file.open() as stream:
        await stream.seek(PART_BYTES + 3)
        assert await stream.read(5) == LARGE[3:8]


async def test_a_server_without_ranges_sends_the_whole(local_io: IoContext, url: str) -> None:
    file: File[bytes] = File(path=f"{url}/large-whole")
    assert content(await file.download()) == LARGE
    async with file.open() as stream:
        await stream.seek(PART_BYTES)
        with pytest.raises(OSError, match="knows no ranges; download it"):
            await stream.read(5)


async def test_a_file_that_is_replaced_while_it_is_read_is_an_error(
    local_io: IoContext, url: str, handler: type[Handler]
) -> None:
    async with File[bytes](path=f"{url}/large").open() as stream:
        handler.version = "2"
        await stream.seek(PART_BYTES)
        with pytest.raises(OSError, match="replaced while it was read"):
            await stream.read(5)


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("gone", FileNotFoundError, "no object"),
        ("secret", PermissionError, "no permission .* 403"),
        ("login", PermissionError, "wants credentials: 401"),
        ("broken", ConnectionError, "fails: 503; try again"),
        ("slow", TimeoutError, "did not answer in time"),
    ],
)
async def test_what_goes_wrong_is_told_without_the_query(
    local_io: IoContext, url: str, path: str, error: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_transfer, "CLIENT", {"timeout": "100ms"})
    with pytest.raises(error, match=says) as raised:
        await File(path=f"{url}/{path}?Signature=hidden").download()
    assert "hidden" not in str(raised.value)
    assert f"/{path}" in str(raised.value)


async def test_a_server_that_is_not_there_is_named(
    local_io: IoContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_transfer, "RETRY", {"max_retries": 0})
    with pytest.raises(ConnectionError, match=r"cannot reach the server of 'http://127\.0\.0\.1:9/x'"):
        await File(path="http://127.0.0.1:9/x").download()
    with pytest.raises(ValueError, match="names no server"):
        await File(path="https:///x").exists()


async def test_the_web_is_read_only(local_io: IoContext) -> None:
    file: File[str] = File(path="https://example.com/x?token=hidden")
    with pytest.raises(io.UnsupportedOperation, match=r"'https://example\.com/x' is read-only"):
        async with file.open("w"):
            pass
    with pytest.raises(io.UnsupportedOperation, match="cannot be listed"):
        await Directory(path="https://example.com/folder").list_files()
