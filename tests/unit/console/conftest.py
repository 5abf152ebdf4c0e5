"""Fixtures: the console of runs that were made, on each backend, as an HTTP client sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import upwell
import upwell.report
from upwell._aws.platform import ports_of
from upwell._client.backend import Backend
from upwell._client.cloud import CloudBackend
from upwell._client.config import Config
from upwell._client.local import open_local
from upwell._client.options import RunOptions
from upwell._console.server import local_api
from upwell._console.site import Site, use_threads
from upwell.testing import LocalFlows
from upwell.testing.moto_aws import moto_platform
from upwell.testing.moto_flows import MotoFlows
from upwell.testing.moto_s3 import moto_s3_access

PORT = 8640
PAGE = "<!doctype html><html><head><title>upwell</title></head><body></body></html>"

env = upwell.TaskEnvironment("shop")


class Dashboard:
    """A link of each action to elsewhere."""

    name = "Dashboard"

    def get_link(self, run_name: str, action_name: str, **_: object) -> str:
        return f"https://metrics.example/{run_name}/{action_name}"


@env.task
async def double(x: int) -> int:
    return 2 * x


@env.task(cache=upwell.Cache("auto", version_override="1"))
async def kept(x: int) -> int:
    return x


@env.task(retries=1)
async def refuse(x: int) -> int:
    print(f"looking at {x}")
    logging.getLogger("shop").warning("refused in attempt %s", upwell.ctx().attempt)
    raise ValueError(f"no {x}")


@env.task
async def main(n: int, note: str = "") -> int:
    with upwell.group("twice"):
        doubled = await asyncio.gather(*(double(i) for i in range(n)))
    return sum(doubled) + await kept(1) + await kept(1)


@env.task(report=True, links=Dashboard())
async def broken() -> None:
    upwell.report.log(f"<script>document.title = 'attempt {upwell.ctx().attempt}'</script>")
    await refuse(3)


@dataclass(frozen=True, slots=True)
class Console:
    """A console and how to ask it."""

    client: httpx.AsyncClient
    site: Site
    backend: Backend

    async def get(self, path: str, **parameters: Any) -> Any:
        """Return the document of an answer that must be 200."""
        answer = await self.client.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Do what a page does that has the token."""
        return await self.client.post(f"/api/v1{path}", json=body, headers={"X-Upwell-Token": self.site.token})


async def make_runs(flows: LocalFlows | MotoFlows) -> None:
    """Run flows that the tests look at, oldest first."""
    await flows.arun_with(RunOptions(name="good", labels={"team": "data"}), main, 5, note="hello")
    await flows.arun_with(RunOptions(name="again"), main, 1)
    await flows.arun_with(RunOptions(name="bad", labels={"team": "web"}), broken)


@asynccontextmanager
async def serving(backend: Backend, config: Config, static: Path) -> AsyncIterator[Console]:
    """Give the console of a backend."""
    threads = use_threads(asyncio.get_running_loop())
    (static / "assets").mkdir(parents=True, exist_ok=True)
    (static / "index.html").write_text(PAGE)
    (static / "assets" / "app-1.js").write_text("0")
    site = Site(local_api(backend, config), port=PORT, static=static)
    transport = httpx.ASGITransport(site, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}") as client:
        yield Console(client, site, backend)
    threads.shutdown(wait=False)


@pytest.fixture(scope="session")
def local_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder with runs in it."""
    state_dir = tmp_path_factory.mktemp("console")
    asyncio.run(make_runs(LocalFlows(state_dir)))
    return state_dir


@pytest.fixture
async def local_console(local_runs: Path, tmp_path: Path) -> AsyncIterator[Console]:
    config = Config(state_dir=local_runs)
    async with open_local(config) as backend, serving(backend, config, tmp_path) as console:
        yield console


@pytest.fixture(scope="module")  # there can be one platform at a time
def moto_runs() -> Any:
    """Give clients and settings of a platform with runs in it."""
    with moto_platform() as (clients, settings):
        asyncio.run(make_runs(MotoFlows(clients, settings)))
        yield clients, settings


@pytest.fixture
async def moto_console(moto_runs: Any, tmp_path: Path) -> AsyncIterator[Console]:
    clients, settings = moto_runs
    ports = ports_of(clients, settings, moto_s3_access)
    backend = CloudBackend("aws", ports, settings, None)
    async with serving(backend, Config(mode="aws", region="eu-central-1"), tmp_path) as console:
        yield console


@pytest.fixture(params=["local", "moto"])
def console(request: pytest.FixtureRequest) -> Console:
    """The console of each backend."""
    found: Console = request.getfixturevalue(f"{request.param}_console")
    return found
