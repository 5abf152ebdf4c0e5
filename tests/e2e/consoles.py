"""Consoles in a browser, for the tests of their pages. Screenshots are left in build/screenshots."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.e2e.conftest import CommandLine

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt-get install chromium")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def local_command_line(folder: Path) -> CommandLine:
    """Return the command line in a folder whose runs are local."""
    return CommandLine(backend="local", folder=folder, state_dir=folder / ".upwell")


@contextmanager
def serving(upwell: CommandLine) -> Iterator[str]:
    """Serve the console of a command line's backend; give its address."""
    server = upwell.start("console", "--no-open")
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.communicate()


@contextmanager
def opened_page(browser: Browser, complaints: list[str], color_scheme: str = "light") -> Iterator[Page]:
    """Open a page of 1280 pixels that tells what goes wrong in it."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme=color_scheme,  # type: ignore[arg-type]  # one of the two that there are
    )
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture of a page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SHOTS / f"{name}.png")
