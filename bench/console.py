"""`python -m bench.console --n 100000`: what the console costs to look at a run of n actions.

A small run is made on `local`, and its records are copied until there are n. A browser (Debian's Chromium)
then opens the run's page on `upwell console` and scrolls through its actions. Printed are the time from the
request for the page to the first row and to the first call of the root, the bytes that were sent until the page
was whole, and the time between frames while it is scrolled, with the load of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from upwell._core.model import ActionRecord
from upwell._local.sqlite import SqliteStore

RUN_ID, MADE = "many", 200
PROGRAM = """
import asyncio
import upwell

env = upwell.TaskEnvironment("many")

@env.task
async def score(x: int) -> int:
    await asyncio.sleep(0.02)
    return x

@env.task
async def main(n: int) -> int:
    return sum(await asyncio.gather(*(score(i) for i in range(n))))
"""
SPREAD_S = 0.004
"""Between the begins of copies."""
AT_ONCE = 2000
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


def make_run(folder: Path, n: int) -> None:
    """Leave a run of n actions in a folder's state."""
    (folder / "many.py").write_text(PROGRAM)
    upwell_command(folder, "run", "many.py", "main", "--n", str(min(n, MADE)), "--name", RUN_ID).wait()
    asyncio.run(copy_actions(folder / ".upwell" / "state.db", n))


def upwell_command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("upwell")), "--backend", "local", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


async def copy_actions(database: Path, n: int) -> None:
    """Copy the root's children until the run has n actions; the run then lasts as long as they."""
    store = SqliteStore(database)
    try:
        records = [record async for record in store.list_actions(RUN_ID)]
        root = next(record for record in records if record.spec.parent_id is None)
        children = [record for record in records if record.spec.parent_id is not None]
        late = [copy_of(children[i % len(children)], i) for i in range(n - len(records))]
        for first in range(0, len(late), AT_ONCE):
            await asyncio.gather(*(store.save(one, expected=None) for one in late[first : first + AT_ONCE]))
        ended_at = max(one.ended_at or 0.0 for one in [root, *late])
        await store.save(replace(root, ended_at=ended_at, version=root.version + 1), expected=root.version)
        run = await store.get_run(RUN_ID)
        assert run is not None
        await store.save_run(replace(run, ended_at=ended_at, version=run.version + 1), expected=run.version)
    finally:
        store.close()


def copy_of(record: ActionRecord, number: int) -> ActionRecord:
    """Return an action that was called, begun and ended later."""
    shift_s = number * SPREAD_S

    def later(at: float | None) -> float | None:
        return None if at is None else at + shift_s

    attempts = tuple(
        replace(one, started_at=one.started_at + shift_s, ended_at=later(one.ended_at))
        for one in record.attempts
    )
    spec = replace(record.spec, action_id=f"copy{number:07}", queued_at=record.spec.queued_at + shift_s)
    return replace(
        record,
        spec=spec,
        created_at=record.created_at + shift_s,
        started_at=later(record.started_at),
        ended_at=later(record.ended_at),
        attempts=attempts,
    )


@contextmanager
def console(folder: Path) -> Iterator[str]:
    """Serve the console of a folder."""
    process = upwell_command(folder, "console", "--no-open", "--port", "8644")
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


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
