"""`python -m bench.data.s3_server FOLDER LATENCY_MS`: as much of S3 as moving files takes, and little else.

Emulators of S3 hash and copy what they get, at 50 MB/s; this one hands it from socket to file and back.
It checks no signatures. Objects are files below FOLDER/<bucket>, so tests can look at them.
"""

from __future__ import annotations

import os
import re
import sys
import time
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PIECE_BYTES = 1 << 20
PART_BYTES = 8 << 20
"""Size of all parts but the last: boto3's default, and upwell's."""
PAGE = 1000
"""Objects in one answer to a listing."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root: Path
    latency_s = 0.0
    """How long each request takes before it is begun."""

    def log_message(self, *_: Any) -> None:
        """Log nothing: there are thousands of requests."""

    def setup(self) -> None:
        """Begin with a connection."""
        super().setup()
        self.buffer = memoryview(bytearray(PIECE_BYTES))

    def _parse(self) -> None:
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.bucket, _, self.key = unquote(url.path).lstrip("/").partition("/")
        self.file = self.root / self.bucket / self.key
        time.sleep(self.latency_s)

    # ---- answers ---------------------------------------------------------------------------------------------

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _missing(self) -> None:
        body = b"" if self.command == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>"
        self._answer(404, body)

    def _receive(self, path: Path, offset: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        left = int(self.headers["Content-Length"])
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
        reader: Any = self.rfile
        try:
            while left:
                count = reader.readinto(self.buffer[: min(left, PIECE_BYTES)])
                offset += os.pwrite(descriptor, self.buffer[:count], offset)
                left -= count
        finally:
            os.close(descriptor)

    # ---- requests --------------------------------------------------------------------------------------------

    def do_PUT(self) -> None:  # the name is the base class's
        """Put an object or a part, or make a bucket."""
        self._parse()
        if not self.key:
            (self.root / self.bucket).mkdir(parents=True, exist_ok=True)
            return self._answer(200)
        if "uploadId" in self.query:
            if int(self.headers["Content-Length"]) > PART_BYTES:
                return self._answer(400, b"<Error><Code>EntityTooLarge</Code></Error>")
            self._receive(self.root / self.query["uploadId"], (int(self.query["partNumber"]) - 1) * PART_BYTES)
        else:
            part = self.root / uuid.uuid4().hex
            self._receive(part)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.replace(self.file)
        return self._answer(200, ETag='"0"')

    def do_POST(self) -> None:  # as above
        """Begin or complete a multipart upload."""
        self._parse()
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "uploads" in self.query:
            upload = f".upload-{uuid.uuid4().hex}"
            body = f"<InitiateMultipartUploadResult><Bucket>{self.bucket}</Bucket><Key>{escape(self.key)}</Key>"
            return self._answer(
                200, f"{body}<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode()
            )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        (self.root / self.query["uploadId"]).replace(self.file)
        body = f"<CompleteMultipartUploadResult><Bucket>{self.bucket}</Bucket><Key>{escape(self.key)}</Key>"
        return self._answer(200, f'{body}<ETag>"0"</ETag></CompleteMultipartUploadResult>'.encode())

    def do_DELETE(self) -> None:  # as above
        """Delete an object, or abort an upload."""
        self._parse()
        if "uploadId" in self.query:
            (self.root / self.query["uploadId"]).unlink(missing_ok=True)
        else:
            self.file.unlink(missing_ok=True)
        self._answer(204)

    def do_HEAD(self) -> None:  # as above
        """Describe an object."""
        self._parse()
        self._send(body=False)

    def do_GET(self) -> None:  # as above
        """Get an object or a range of it, or list a bucket."""
        self._parse()
        return self._send(body=True) if self.key else self._list()

    def _send(self, *, body: bool) -> None:
        if not self.file.is_file():
            return self._missing()
        size = self.file.stat().st_size
        start, end, status = 0, size, 200
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end, status = int(wanted[1]), min(int(wanted[2] or size) + 1, size), 206
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Last-Modified", formatdate(self.file.stat().st_mtime, usegmt=True))
        self.send_header("Content-Length", str(end - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if not body:
            return None
        with self.file.open("rb") as file:
            while start < end:
                start += os.sendfile(self.connection.fileno(), file.fileno(), start, end - start)
        return None

    def _list(self) -> None:
        top = self.root / self.bucket
        prefix, after = self.query.get("prefix", ""), self.query.get("continuation-token", "")
        folder = top / prefix.rpartition("/")[0]
        keys = sorted(p.relative_to(top).as_posix() for p in folder.rglob("*") if p.is_file())
        found = [key for key in keys if key.startswith(prefix) and key > after]
        page, more = found[:PAGE], len(found) > PAGE
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{(top / key).stat().st_size}</Size>"
            f"<ETag>&quot;0&quot;</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        self._answer(
            200,
            f"<ListBucketResult><Name>{self.bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}</ListBucketResult>".encode(),
            Content_Type="application/xml",
        )


class Server(ThreadingHTTPServer):
    """The server, over a folder."""

    daemon_threads = True

    request_queue_size = 128

    def __init__(self, root: Path, latency_s: float = 0.0) -> None:
        handler = type("FolderHandler", (Handler,), {"root": root, "latency_s": latency_s})
        super().__init__(("127.0.0.1", 0), handler)

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that have read enough."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


def main() -> None:
    server = Server(Path(sys.argv[1]), float(sys.argv[2]) / 1000)
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
