"""The console in a browser, over a run that the API does not read as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.consoles import NEEDS_CHROMIUM, local_command_line, serving, shoot

PROGRAM = """
import asyncio
import upwell

env = upwell.TaskEnvironment("many")


@env.task
async def even(x: int) -> int:
    return x


@env.task
async def odd(x: int) -> int:
    if x == 701:
        raise ValueError("701 is not odd enough")
    return x


@env.task
async def alike(n: int) -> int:
    return sum(await asyncio.gather(*(even(x) for x in range(n))))


@env.task
async def main(n: int = 750) -> None:
    await alike(2 * n)
    calls = [odd(x) if x % 2 else even(x) for x in range(2 * n)]
    await asyncio.gather(*calls, return_exceptions=True)
"""

pytestmark = [pytest.mark.e2e, pytest.mark.slow, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("many")
    (folder / "many.py").write_text(PROGRAM)
    upwell = local_command_line(folder)
    upwell("run", "many.py", "main", "--name", "many")
    with serving(upwell) as address:
        yield address


def row_count(page: Page) -> int:
    return int(page.get_by_role("treegrid").get_attribute("aria-rowcount") or 0)


def end(page: Page) -> None:
    """Go to the last line that there is now."""
    page.keyboard.press("End")
    expect(page.locator(".line.is-cursor .task")).to_be_visible()


def test_a_level_of_two_tasks_is_read_on_while_it_is_scrolled(page: Page, url: str) -> None:
    page.goto(f"{url}runs/many")
    odd = page.locator(".line.is-summary", has_text="odd")
    expect(odd).to_contain_text(re.compile(r"odd\W*750"))
    folded = row_count(page)
    odd.locator("[data-twisty]").click()
    expect(page.locator(".line[aria-level='3'] .task").first).to_have_text("odd")
    for _ in range(10):  # pages of 100 lines; the list grows by one with each
        page.wait_for_load_state("networkidle")
        end(page)
    assert row_count(page) - folded == 750
    expect(page.locator(".line.is-cursor .task")).to_have_text("odd")
    shoot(page, "large")


def test_what_failed_is_found_among_thousands(page: Page, url: str) -> None:
    page.goto(f"{url}runs/many?status=failed")
    failed = page.locator(".line", has_text="ValueError")
    expect(failed).to_have_count(1)
    failed.click()
    panel = page.get_by_role("complementary")
    expect(panel.get_by_text("701 is not odd enough").first).to_be_visible()


def test_calls_alike_are_entered_in_the_middle(page: Page, url: str) -> None:
    page.goto(f"{url}runs/many")
    alike = page.locator(".line", has_text="alike").first
    alike.locator("[data-twisty]").click()
    rows = page.locator(".line[aria-level='4'] .task")
    expect(rows.first).to_have_text("even")
    page.get_by_role("treegrid").evaluate("tree => { tree.scrollTop = 700 * 28 }")
    expect(page.locator(".line[aria-level='4'] .task").first).to_have_text("even")
    expect(page.locator(".line .is-loading")).to_have_count(0)
