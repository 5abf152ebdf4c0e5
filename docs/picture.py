"""Takes docs/console.png: the console of the run that `make demo` left on `local`.

make demo
python -m docs.picture    # needs Debian's Chromium: apt-get install chromium
"""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from bench.demo_consoles import served
from playwright.sync_api import Page, expect, sync_playwright

TARGET = Path(__file__).with_name("console.png")
TASK = "optimized-pipeline.main"
SIZE = {"width": 1280, "height": 720}


def main() -> None:
    """Take it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("docs.picture needs a browser: apt-get install chromium")
    with (
        served("local") as url,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]) as opened,
    ):
        page = opened.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]  # a dictionary of these two
        page.goto(f"{url}runs/{newest_run(url)}")
        show(page)
        page.screenshot(path=TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


def newest_run(url: str) -> str:
    """Return the newest run of the demo that a console knows."""
    with urllib.request.urlopen(f"{url}api/v1/runs?task={TASK}&status=succeeded&limit=1") as answer:
        found = json.load(answer)["runs"]
    if not found:
        sys.exit("there is no run of the demo; `make demo` makes one")
    return str(found[0]["run_id"])


def show(page: Page) -> None:
    """Unfold the tree to its batches, and open one of them."""
    page.locator(".line", has_text="process_dataset").locator("[data-twisty]").click()
    batches = page.locator(".line[aria-level='4']")
    expect(batches.nth(8)).to_be_visible()
    batches.nth(4).click()
    expect(page.get_by_role("complementary").get_by_text("items", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
