"""Who may ask the console's server, and what guards its pages."""

from __future__ import annotations

from typing import Any

import pytest

Console = Any


@pytest.mark.parametrize("path", ["/", "/runs/good", "/assets/app-1.js", "/api/v1/info"])
async def test_a_request_for_another_host_is_refused(local_console: Console, path: str) -> None:
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]:8640", ""):
        answer = await local_console.client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ForeignHost")
    assert (await local_console.client.get(path, headers={"Host": "localhost:8640"})).status_code == 200


async def test_a_change_needs_the_token_of_the_page(local_console: Console) -> None:
    client, token = local_console.client, local_console.site.token
    path = "/api/v1/runs/good/abort"
    page = await client.get("/")
    assert f'<meta name="upwell-token" content="{token}">' in page.text
    for headers in ({}, {"X-Upwell-Token": "no"}, {"X-Upwell-Token": ""}):
        answer = await client.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "NoToken")
    foreign = {"X-Upwell-Token": token, "Origin": "http://evil.example"}
    assert (await client.post(path, json={}, headers=foreign)).json()["error"]["code"] == "ForeignOrigin"
    own = {"X-Upwell-Token": token, "Origin": "http://127.0.0.1:8640"}
    assert (await client.post(path, json={}, headers=own)).status_code != 403


@pytest.mark.parametrize("path", ["/", "/assets/app-1.js", "/api/v1/info", "/api/v1/runs/none"])
async def test_every_answer_has_the_guards(local_console: Console, path: str) -> None:
    headers = (await local_console.client.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith("access-control-")]


async def test_pages_find_their_way_themselves_and_files_are_kept(local_console: Console) -> None:
    client = local_console.client
    for path in ("/", "/runs/good", "/pools", "/../../etc/passwd", "/index.html"):
        page = await client.get(path)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "<title>upwell</title>" in page.text
    script = await client.get("/assets/app-1.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert (await client.get("/api/v1/info")).headers["cache-control"] == "no-store"


async def test_a_missing_asset_is_no_page(local_console: Console) -> None:
    answer = await local_console.client.get("/assets/app-0.js")
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/", "/assets/app-1.js", "/api/v1/runs", "/api/v1/runs/none"])
async def test_answers_are_compressed_for_those_who_take_it(local_console: Console, path: str) -> None:
    plain = await local_console.client.get(path, headers={"Accept-Encoding": "identity"})
    zipped = await local_console.client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert ("content-encoding" in plain.headers, zipped.headers["content-encoding"]) == (False, "gzip")
    assert zipped.text == plain.text
    assert zipped.headers["content-type"] == plain.headers["content-type"]


async def test_large_bodies_are_refused(local_console: Console) -> None:
    headers = {"X-Upwell-Token": local_console.site.token}
    answer = await local_console.client.post("/api/v1/runs", content=b"x" * 2_000_000, headers=headers)
    assert answer.status_code == 413
