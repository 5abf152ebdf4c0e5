"""`python -m bench.console --n 100000`: what the console costs to look at a run of n actions.

A small run is made on `local`, and its records are copied until there are n. A browser (Debian's Chromium)
then opens the run's page on `upwell console` and scrolls through its actions. Printed are the time from the
request for the page to the first row and to the first call of the root, the bytes that were sent until the page
was whole, and the time between frames while it is scrolled, with the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.large_run import RUN_ID, console, make_run

SCROLL_MS = 4000
SCROLL = """async ({ length_ms, step }) => {
  const tree = document.querySelector('.tree'), frames = []
  let empty = 0, last = await new Promise(requestAnimationFrame)
  const end = last + length_ms
  while (last < end) {
    tree.scrollTop += step
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    empty += document.querySelector('.line .is-loading') ? 1 : 0
    last = now
  }
  return { frames, empty }
}"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--n", type=int, default=100_000, help="actions of the run")
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("bench.console needs a browser: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        make_run(Path(folder), given.n)
        with console(Path(folder)) as url:
            found = {"actions": given.n, "load_average": round(os.getloadavg()[0], 1)} | measure(browser, url)
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:32} {value:,}")


def measure(browser: str, url: str) -> dict[str, Any]:
    """Look at the run's page twice: the server reads the run for the first look, and has it for the second."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]) as b,
    ):
        for look in ("first", "second"):
            page = b.new_context(viewport={"width": 1280, "height": 800}).new_page()
            sent: list[float] = []
            network = page.context.new_cdp_session(page)
            network.send("Network.enable")
            network.on(
                "Network.loadingFinished", lambda event, sent=sent: sent.append(event["encodedDataLength"])
            )
            page.goto(f"{url}runs/{RUN_ID}", wait_until="commit")
            page.wait_for_selector(".line.is-rows .task", timeout=60_000)
            found[f"{look}_look_first_row_ms"] = round(page.evaluate("performance.now()"))
            page.wait_for_selector(".line[aria-level='2'] .task", timeout=60_000)
            found[f"{look}_look_first_call_ms"] = round(page.evaluate("performance.now()"))
            page.wait_for_load_state("networkidle")
            found[f"{look}_look_sent_bytes"] = round(sum(sent))
        page.wait_for_timeout(500)
        for name, step in (("scroll", 90), ("fast_scroll", 4000)):
            scrolled = page.evaluate(SCROLL, {"length_ms": SCROLL_MS, "step": step})
            frames = sorted(scrolled["frames"])
            found[f"{name}_frames_per_s"] = round(1000 * len(frames) / sum(frames), 1)
            found[f"{name}_frame_p50_ms"] = round(frames[len(frames) // 2], 1)
            found[f"{name}_frame_p95_ms"] = round(frames[int(len(frames) * 0.95)], 1)
            found[f"{name}_frames_with_empty_rows"] = scrolled["empty"]
    return found


if __name__ == "__main__":
    main()
