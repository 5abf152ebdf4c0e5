"""The API under load of what its own OpenAPI document allows, and of what it forbids."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from upwell._client.config import Config
from upwell._console.server import listener, open_site

EXAMPLES = 6
"""Of each route: some seconds in all."""
UNDECIDED = [positive_data_acceptance, negative_data_rejection]
"""A cursor is a text in the document, and which texts are cursors the API knows alone; in a query, a number is
a text as well."""
NAMES = {"run": ["good", "bad", "none"], "action": ["a0", "none"]}
"""Path parameters take these, so that requests get past the look-up."""


@dataclass(frozen=True, slots=True)
class Served:
    """A console behind its real server."""

    url: str
    token: str
    document: dict[str, Any]


@contextmanager
def served(config: Config) -> Iterator[Served]:
    """Serve a console in a thread."""
    ready: list[Any] = []
    up = threading.Event()

    async def serve() -> None:
        with listener(None) as sock:
            port = sock.getsockname()[1]
            async with open_site(config, port=port) as site:
                server = uvicorn.Server(
                    uvicorn.Config(site, lifespan="off", log_config=None, proxy_headers=False)
                )
                ready.extend([port, site.token, server])
                up.set()
                await server.serve(sockets=[sock])

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert up.wait(20)
        port, token = ready[:2]
        url = f"http://127.0.0.1:{port}"
        yield Served(url, token, _document(url))
    finally:
        ready[2].should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def _document(url: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{url}/api/v1/openapi.json", timeout=20).json()
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in NAMES and parameter["in"] == "path":
                    parameter["schema"] = {"enum": NAMES[parameter["name"]]}
    return document


@pytest.fixture(scope="module")
def console(local_runs: Path) -> Iterator[Served]:
    with served(Config(state_dir=local_runs)) as found:
        yield found


def test_no_request_breaks_the_api(console: Served) -> None:
    """No answer is a 5xx, and each is as the document says."""
    schema = schemathesis.openapi.from_dict(console.document)
    schema.config.update(base_url=console.url)
    fuzzed = schema.exclude(operation_id=["recover", "rerun"])  # they start processes; others test them
    for operation in fuzzed.get_all_operations():
        fuzz(operation.ok(), console)


def fuzz(operation: Any, console: Served) -> None:
    for mode in schemathesis.GenerationMode:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(headers={"X-Upwell-Token": console.token}, excluded_checks=UNDECIDED)

        with suppress(Unsatisfiable):  # nothing that it takes can be wrong
            check()


def test_the_document_names_what_there_is(console: Served) -> None:
    operations = {o["operationId"] for path in console.document["paths"].values() for o in path.values()}
    assert operations >= {"info", "runs", "run", "tree", "timeline", "action", "profile", "cost", "rerun"}
    assert json.dumps(console.document).count("traceback") > 0


def test_who_has_a_run_already_is_told_so_and_the_connection_goes_on(console: Served) -> None:
    address = urlsplit(console.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=20)
    headers: dict[str, str] = {"Accept-Encoding": "gzip"}
    for status in (200, 304, 304):
        connection.request("GET", "/api/v1/runs/good", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, status == 200)
        headers["If-None-Match"] = answer.headers["ETag"]
    connection.close()
