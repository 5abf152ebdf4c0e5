"""The console in a browser, over runs of the local backend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.consoles import NEEDS_CHROMIUM, local_command_line, opened_page, serving, shoot

PROGRAM = '''
"""Prices of a shop: loads shards, scores each, and sums up."""

import asyncio
import upwell

env = upwell.TaskEnvironment("shop")


@env.task(cache="auto")
async def load(shards: int) -> list[int]:
    await asyncio.sleep(0.2)
    return list(range(shards))


@env.task
async def feature(shard: int, name: str) -> float:
    await asyncio.sleep(0.02)
    return float(shard * len(name))


@env.task(retries=1)
async def score(shard: int, bad: int) -> float:
    print("scoring shard", shard)
    await asyncio.sleep(0.05 + shard % 7 * 0.03)
    if shard == bad:
        raise ValueError(f"shard {shard} has no column 'price'")
    if shard % 40 == 0:
        return sum(await asyncio.gather(*(feature(shard, name) for name in ("price", "size"))))
    return shard * 0.5


@env.task
async def summarize(scores: list[float]) -> dict[str, float]:
    return {"sum": sum(scores)}


@env.task
async def lasting() -> None:
    for n in range(1000):
        print("tick", n)
        await asyncio.sleep(0.1)


@env.task
async def main(shards: int = 120, bad: int = -1) -> dict[str, float]:
    found = await load(shards)
    with upwell.group("scoring"):
        scores = await asyncio.gather(*(score(shard, bad) for shard in found))
    return await summarize(scores)
'''

pytestmark = [pytest.mark.e2e, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("shop")
    (made / "shop.py").write_text(PROGRAM)
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A console of two runs: `good`, and `bad`, in which one call failed."""
    upwell = local_command_line(folder)
    upwell("run", "shop.py", "main", "--name", "good", "--label", "team=search")
    upwell("run", "shop.py", "main", "--name", "bad", "--bad", "17", exit_code=1)
    with serving(upwell) as address:
        yield address


@pytest.mark.slow
def test_runs_are_listed_and_filtered_by_what_the_address_says(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("link", name="shop.main")).to_have_count(2)
    shoot(page, "runs")
    page.get_by_role("button", name="team=search").click()
    expect(page).to_have_url(re.compile("label=team%3Dsearch"))
    expect(page.get_by_role("link", name="shop.main")).to_have_count(1)
    page.goto(f"{url}?status=failed")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{url}?task=nothing")
    expect(page.get_by_text("No run matches the filters")).to_be_visible()


@pytest.mark.slow
def test_a_tree_is_walked_with_the_keys(page: Page, url: str) -> None:
    page.goto(f"{url}runs/good")
    summary = page.locator(".line.is-summary")
    expect(summary).to_contain_text(re.compile(r"score\W*120"))
    expect(summary).to_have_attribute("aria-expanded", "false")
    for key in ("j", "j", "ArrowRight"):
        page.keyboard.press(key)
    expect(summary).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".line", has_text="score")).not_to_have_count(1)
    shoot(page, "run")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary")
    expect(panel.get_by_role("heading", name="score")).to_be_visible()
    expect(panel.get_by_text("shard", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator(".line.is-cursor")).to_contain_text("summarize")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_what_failed_is_one_click_away_with_its_traceback(page: Page, url: str) -> None:
    page.goto(f"{url}runs/bad")
    page.get_by_role("link", name="Show what failed").click()
    failed = page.locator(".line", has_text="ValueError")
    expect(failed).to_have_count(2)
    failed.nth(1).click()
    panel = page.get_by_role("complementary")
    expect(panel.get_by_text("shard 17 has no column 'price'").first).to_be_visible()
    expect(panel.locator("pre", has_text="Traceback")).to_be_visible()
    expect(panel.locator(".attempts li")).to_have_count(2)
    expect(panel.get_by_role("log").get_by_text("scoring shard 17")).to_have_count(2)
    shoot(page, "failed")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "says", "leads_to"),
    [
        ("runs/none", "There is no run none", ""),
        ("runs/good/actions/none", "Run good has no action none", "runs/good"),
        ("none", "There is no such page", ""),
    ],
)
def test_what_is_not_there_says_so(browser: Browser, url: str, path: str, says: str, leads_to: str) -> None:
    complaints: list[str] = []
    with opened_page(browser, complaints) as page:
        page.goto(f"{url}{path}")
        expect(page.get_by_role("heading", name=says)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.locator(".empty a").click()
        expect(page).to_have_url(f"{url}{leads_to}")
    assert all("404" in complaint for complaint in complaints), complaints


@pytest.mark.slow
def test_a_run_is_run_again_with_another_input(page: Page, url: str) -> None:
    page.goto(f"{url}runs/bad")
    page.get_by_role("button", name="Run again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("bad").fill("-1")
    dialog.get_by_label("shards").fill("30")
    shoot(page, "again")
    dialog.get_by_role("button", name="Run again").click()
    page.wait_for_url(re.compile(r"/runs/r\d"), timeout=30_000)
    expect(page.locator(".run-head .pill")).to_have_text("Succeeded", timeout=30_000)
    expect(page.locator(".line.is-summary")).to_contain_text(re.compile(r"score\W*30"))


@pytest.mark.slow
def test_a_run_is_watched_and_aborted(page: Page, url: str, folder: Path) -> None:
    process = local_command_line(folder).start("run", "shop.py", "lasting", "--name", "lasting")
    page.goto(url)
    page.get_by_role("link", name="shop.lasting").click()
    status = page.locator(".run-head .pill")
    expect(status).to_have_text("Running")
    page.get_by_role("button", name="Abort").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("no longer needed")
    dialog.get_by_role("button", name="Abort").click()
    expect(status).to_have_text("Aborted")
    expect(page.locator(".line").first).to_contain_text("Aborted")
    assert process.communicate(timeout=30)[1]


@pytest.mark.slow
def test_lines_are_shown_as_they_come_and_can_be_searched_and_kept(page: Page, url: str, folder: Path) -> None:
    upwell = local_command_line(folder)
    process = upwell.start("run", "shop.py", "lasting", "--name", "loud", "--quiet")
    page.goto(url)
    page.locator("tbody tr", has_text="loud").get_by_role("link").first.click()
    page.locator(".line").first.click()
    lines = page.get_by_role("complementary").get_by_role("log")
    expect(lines.get_by_text("tick 1", exact=True)).to_be_visible()
    expect(lines.get_by_text("tick 40", exact=True)).to_be_attached(timeout=20_000)
    shoot(page, "logs")
    upwell("abort", "loud")
    page.get_by_label("Search the logs").fill("TICK 3")
    expect(lines.get_by_text("tick 2", exact=True)).to_have_count(0)
    expect(lines.get_by_text("tick 39", exact=True)).to_be_attached()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    text = Path(download.value.path()).read_text()
    assert "tick 3\n" in text
    assert "tick 2\n" not in text
    process.communicate(timeout=30)


@pytest.mark.slow
def test_where_the_time_went_is_shown_and_compared(page: Page, url: str) -> None:
    page.goto(f"{url}runs/good/profile")
    expect(page.get_by_role("img", name="Phases of shop.score")).to_be_visible()
    expect(page.get_by_role("table", name="Cost by task")).to_be_visible()
    shoot(page, "profile")
    page.get_by_label("Compare with").fill("bad")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("row", name="Critical path")).to_be_visible()
    shoot(page, "compare")


@pytest.mark.slow
def test_pools_and_kept_results_are_listed(page: Page, url: str) -> None:
    for path, text in (("pools", "default"), ("cache", "shop.load")):
        page.goto(url + path)
        expect(page.get_by_text(text).first).to_be_visible()
        shoot(page, path)


@pytest.mark.slow
def test_the_theme_is_the_reader_s_until_another_is_chosen(browser: Browser, url: str) -> None:
    with opened_page(browser, [], "dark") as page:
        page.goto(f"{url}runs/bad")
        ground = page.locator("body")
        expect(ground).not_to_have_css("background-color", "rgb(255, 255, 255)")
        shoot(page, "dark")
        page.get_by_role("button", name="Theme: system").click()
        expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")
        page.reload()
        expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
