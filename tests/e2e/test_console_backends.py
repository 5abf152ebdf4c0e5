"""The console in a browser, over live runs on emulated AWS: moto in this process, and the sandbox."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect
from tests.e2e import console_flow
from tests.e2e.conftest import CommandLine
from tests.e2e.consoles import NEEDS_CHROMIUM, opened_page, serving, shoot

from upwell._aws.platform import ports_of
from upwell._client.cloud import CloudBackend
from upwell._client.config import Config
from upwell._client.deployed_tasks import publish_tasks
from upwell._client.options import RunOptions
from upwell._console.server import listener, local_api
from upwell._console.site import Site, use_threads
from upwell._core.model import Status
from upwell._core.ports import StateStore
from upwell.testing.moto_aws import moto_platform
from upwell.testing.moto_flows import MotoFlows
from upwell.testing.moto_s3 import moto_s3_access

FLOW = Path(console_flow.__file__)
LONG_S = 100.0

pytestmark = [pytest.mark.e2e, pytest.mark.slow, NEEDS_CHROMIUM]


@dataclass(frozen=True, slots=True)
class Served:
    """A console of a backend with two runs: `good`, and `bad`, in which one call failed.

    Attributes:
        backend: Its name.
        url: Of the console.
        start: Starts a run of `main` by name and inputs, and returns while it goes on.
        has_executors: Whether something runs what is started in the browser.
    """

    backend: str
    url: str
    start: Callable[..., None]
    has_executors: bool


@pytest.fixture(scope="module", params=["moto", "sandbox"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("stall")
    if request.param == "moto":
        with on_moto() as found:
            yield found
    else:
        state_dir: Path = request.getfixturevalue("sandbox_state")
        with on_sandbox(CommandLine("sandbox", folder, state_dir)) as found:
            yield found


@contextmanager
def on_sandbox(upwell: CommandLine) -> Iterator[Served]:
    shutil.copy(FLOW, upwell.folder)
    upwell("deploy", FLOW.name)
    upwell("run", FLOW.name, "main", "--name", "good", "--follow")
    upwell("run", FLOW.name, "main", "--bad", "2", "--name", "bad", "--follow", exit_code=1)

    def start(name: str, **inputs: Any) -> None:
        options = [part for key, value in inputs.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        upwell("run", FLOW.name, "main", *options, "--name", name)

    with serving(upwell) as url:
        yield Served("sandbox", url, start, has_executors=True)


@contextmanager
def on_moto() -> Iterator[Served]:
    threads: list[threading.Thread] = []
    with moto_platform() as (clients, settings):
        flows = MotoFlows(clients, settings)

        def run(name: str, **inputs: Any) -> None:
            asyncio.run(flows.arun_with(RunOptions(name=name), console_flow.main, **inputs))

        def start(name: str, **inputs: Any) -> None:
            threads.append(in_thread(lambda: run(name, **inputs)))
            if "wait_s" in inputs:
                in_thread(lambda: asyncio.run(lasts(flows.store, name))).join()

        for name, bad in (("good", -1), ("bad", 2)):
            start(name, bad=bad)
            threads[-1].join()
        backend = CloudBackend("aws", ports_of(clients, settings, moto_s3_access), settings, None)
        in_thread(lambda: asyncio.run(publish_tasks(backend, [console_flow.env], FLOW.parent))).join()
        with serving_here(backend) as url:
            yield Served("moto", url, start, has_executors=False)
        for thread in threads:
            thread.join(20)


async def lasts(store: StateStore, run_id: str) -> None:
    """Wait until a run has begun what lasts: nothing folds the stream here, and the console reads it once."""
    while True:
        async for record in store.list_actions(run_id):
            if record.spec.task.name == console_flow.lasting.name and record.status is Status.RUNNING:
                return
        await asyncio.sleep(0.1)


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Do something beside the event loop that the browser's driver has in this thread."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@contextmanager
def serving_here(backend: CloudBackend) -> Iterator[str]:
    """Serve the console of a backend from a thread."""
    servers: list[uvicorn.Server] = []
    with listener(None) as sock:
        port = sock.getsockname()[1]

        async def serve() -> None:
            pool = use_threads(asyncio.get_running_loop())
            site = Site(local_api(backend, Config(mode="aws", region="us-east-1")), port=port)
            servers.append(uvicorn.Server(uvicorn.Config(site, lifespan="off", log_config=None)))
            await servers[0].serve(sockets=[sock])
            pool.shutdown(wait=False)

        thread = in_thread(lambda: asyncio.run(serve()))
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            servers[0].should_exit = True
            thread.join(20)


def test_runs_are_listed_and_a_failure_is_explained(page: Page, served: Served) -> None:
    page.goto(served.url)
    expect(page.get_by_role("link", name="stall.main").first).to_be_visible()
    shoot(page, f"{served.backend}-runs")
    page.goto(f"{served.url}runs/bad")
    page.get_by_role("link", name="Show what failed").click()
    page.locator(".line", has_text="price").filter(has_text="ValueError").first.click()
    panel = page.get_by_role("complementary")
    expect(panel.get_by_text("item 2 has no price").first).to_be_visible()
    expect(panel.locator("pre", has_text="Traceback")).to_be_visible()
    expect(panel.locator(".attempts li")).to_have_count(2)
    shoot(page, f"{served.backend}-failed")


def test_a_tree_has_groups_and_a_report_is_shown(page: Page, served: Served) -> None:
    page.goto(f"{served.url}runs/good?action=a0")
    expect(page.frame_locator("iframe").get_by_role("heading", name="4 items")).to_be_visible()
    expect(page.locator(".line", has_text="price").first).to_contain_text("prices")
    expect(page.get_by_role("complementary").get_by_text("3.0", exact=True)).to_be_visible()
    shoot(page, f"{served.backend}-run")


def test_a_run_is_watched_live_and_aborted(page: Page, served: Served) -> None:
    page.goto(served.url)
    served.start("long", wait_s=LONG_S)
    page.get_by_role("link", name="stall.main").first.wait_for()
    page.goto(f"{served.url}runs/long")
    status = page.locator(".run-head .pill")
    expect(status).to_have_text("Running", timeout=20_000)
    expect(page.locator(".line", has_text="lasting")).to_contain_text("Running", timeout=30_000)
    shoot(page, f"{served.backend}-running")
    page.get_by_role("button", name="Abort").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("seen enough")
    dialog.get_by_role("button", name="Abort").click()
    expect(status).to_have_text("Aborted", timeout=20_000)
    if served.has_executors:  # else nobody is left to tell its process
        expect(page.locator(".line", has_text="lasting")).to_contain_text("Aborted", timeout=30_000)


def test_a_deployed_task_is_run_from_its_form(browser: Browser, served: Served) -> None:
    complaints: list[str] = []
    with opened_page(browser, complaints) as page:
        submit(page, served)
    assert [("422" in complaint) for complaint in complaints] == [True], complaints


def submit(page: Page, served: Served) -> None:
    page.goto(f"{served.url}tasks")
    page.get_by_role("button", name="Run stall.main").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sum up prices.")
    dialog.get_by_label("items").fill("2.5")
    dialog.get_by_role("button", name="Run").click()
    expect(dialog.get_by_role("alert")).to_contain_text("inputs.items: 2.5 is not of type 'integer'")
    shoot(page, f"{served.backend}-submit")
    dialog.get_by_label("items").fill("3")
    dialog.get_by_role("button", name="Run").click()
    page.wait_for_url(re.compile(r"/runs/r\d"), timeout=30_000)
    if served.has_executors:
        expect(page.locator(".run-head .pill")).to_have_text("Succeeded", timeout=60_000)
        expect(page.locator(".line", has_text="price")).to_have_count(3)
    else:
        expect(page.locator(".line").first).to_contain_text("Queued")


def test_pools_and_profile_are_shown(page: Page, served: Served) -> None:
    page.goto(f"{served.url}pools")
    expect(page.get_by_text("default").first).to_be_visible()
    shoot(page, f"{served.backend}-pools")
    page.goto(f"{served.url}runs/good/profile")
    expect(page.get_by_role("table", name="Cost by task")).to_contain_text("stall.price")
    shoot(page, f"{served.backend}-profile")
