"""Reports in the browser: they are drawn, and what a hostile one tries comes to nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.e2e.consoles import NEEDS_CHROMIUM, local_command_line, opened_page, serving, shoot

PROGRAM = '''
"""Reports on itself: with figures, and with a script that tries what it can."""

import pandas
import upwell
import upwell.report

env = upwell.TaskEnvironment("charts")

HOSTILE = """
<p id="said">trying</p>
<script>
const tried = {}
const attempts = {
  parent: () => parent.document.title,
  top: () => top.document.body.innerHTML,
  token: () => parent.document.querySelector("meta[name=upwell-token]").content,
  storage: () => localStorage.length,
  cookie: () => document.cookie,
  navigate: () => { if (top === self) throw new Error("alone"); top.location = "about:blank" },
  popup: () => { if (!open("/")) throw new Error("no window") },
  read: async () => (await fetch("/api/v1/runs")).text(),
  blind: async () => fetch("/api/v1/runs/charts/abort", { method: "POST", mode: "no-cors", body: "{}" }),
  request: () => new Promise((done, fail) => {
    const asked = new XMLHttpRequest()
    asked.onload = done
    asked.onerror = fail
    asked.open("GET", "/api/v1/runs")
    asked.send()
  }),
  script: () => new Promise((done, fail) => {
    const element = document.createElement("script")
    element.onload = done
    element.onerror = fail
    element.src = "/assets/any.js"
    document.head.append(element)
  }),
  image: () => new Promise((done, fail) => {
    const element = new Image()
    element.onload = done
    element.onerror = fail
    element.src = "/favicon.svg"
  }),
  worker: () => new Promise((done, fail) => {
    const code = "fetch('" + location.origin + "/api/v1/runs').then(() => postMessage(1), () => postMessage(0))"
    const worker = new Worker(URL.createObjectURL(new Blob([code])))
    worker.onmessage = (e) => e.data ? done() : fail()
    worker.onerror = fail
  }),
  frame: () => new Promise((done, fail) => {
    const element = document.createElement("iframe")
    element.src = "/"
    element.onload = () => fail(element.contentDocument)
    document.body.append(element)
  }),
}
async function main() {
  for (const [name, attempt] of Object.entries(attempts)) {
    try { await attempt(); tried[name] = "worked" } catch { tried[name] = "refused" }
  }
  document.getElementById("said").textContent = JSON.stringify(tried)
}
main()
</script>
"""


@env.task(report=True)
async def hostile() -> None:
    upwell.report.log(HOSTILE)


@env.task(report=True)
async def drawn() -> pandas.DataFrame:
    import plotly.graph_objects
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3))
    figure.subplots().plot([1, 3, 2, 5])
    upwell.report.log("<h1>Loss by epoch</h1>")
    upwell.report.log(figure)
    bars = plotly.graph_objects.Figure(plotly.graph_objects.Bar(x=["a", "b"], y=[1, 2]))
    upwell.report.get_tab("Shares").log(bars)
    return pandas.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})


@env.task
async def main() -> None:
    await drawn()
    await hostile()
'''

pytestmark = [pytest.mark.e2e, pytest.mark.slow, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("charts")
    (folder / "charts.py").write_text(PROGRAM)
    upwell = local_command_line(folder)
    upwell("run", "charts.py", "main", "--name", "charts")
    with serving(upwell) as address:
        yield address


def open_action(page: Page, url: str, task: str) -> None:
    page.goto(f"{url}runs/charts")
    page.locator(".line", has_text=task).click()


def test_figures_are_drawn_in_tabs(page: Page, url: str) -> None:
    open_action(page, url, "drawn")
    report = page.frame_locator("iframe")
    expect(report.get_by_role("heading", name="Loss by epoch")).to_be_visible()
    picture = report.get_by_role("img", name="figure")
    expect(picture).to_be_visible()
    assert picture.evaluate("element => element.naturalWidth") == 720
    shoot(page, "report")
    report.get_by_text("Shares", exact=True).click()
    expect(picture).not_to_be_visible()
    expect(report.locator(".plotly .bars .point")).to_have_count(2)
    shoot(page, "report-plotly")
    columns = page.locator(".columns")
    expect(columns.get_by_role("row", name="loss double")).to_be_visible()
    columns.scroll_into_view_if_needed()
    shoot(page, "frame")


@pytest.mark.parametrize("alone", [False, True])
def test_a_report_reads_nothing_of_the_console_and_reaches_nobody(
    browser: Browser, url: str, alone: bool
) -> None:
    complaints: list[str] = []
    with opened_page(browser, complaints) as page:
        open_action(page, url, "hostile")
        report = page.frame_locator("iframe").locator("#said")
        if alone:
            source = page.locator("iframe").get_attribute("src")
            page.goto(url.rstrip("/") + str(source))
            report = page.locator("#said")
        expect(report).to_have_text(re.compile("^{.*}$"), timeout=20_000)
        tried = json.loads(report.inner_text())
        # Alone, it is its own parent and top, and has nothing of the console in it.
        own = {"parent", "top"} if alone else set()
        assert {name for name, end in tried.items() if end == "worked"} <= own
        assert len(tried) == 14
