"""Writes what `upwell why` says in some situations into docs/caching.md, as it really says it.

python -m docs.why
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upwell._local.sqlite import SqliteStore

PAGE = Path(__file__).parent / "caching.md"
BEGIN, END = "<!-- situations: written by python -m docs.why -->", "<!-- end of situations -->"
DAY_S = 86_400.0
Call = Callable[[Sequence[str]], str]
"""Carries out a command line of upwell in the current folder and returns what it prints to stdout."""

PRICES = """
RATE = 0.19


def with_tax(net: float) -> float:
    return net * (1 + RATE)
"""
SHOP = """
import upwell
from prices import with_tax

env = upwell.TaskEnvironment("shop", cache="auto")


@env.task
async def price(item: str, net: float) -> float:
    return with_tax(net)
"""
REPORT = """
import upwell

env = upwell.TaskEnvironment("reports")


@env.task(cache=upwell.Cache("auto", version_override="2024"))
async def report(region: str) -> str:
    return f"sales of {region}"
"""
WEATHER = """
from datetime import timedelta

import upwell

env = upwell.TaskEnvironment("weather")


@env.task(cache=upwell.Cache("auto", max_age=timedelta(days=7)))
async def climate(city: str) -> float:
    return 11.5
"""
FETCH = """
from pathlib import Path

import upwell
from upwell import Backoff, RetryStrategy

env = upwell.TaskEnvironment("feeds")


@env.task(retries=RetryStrategy(count=3, backoff=Backoff(base=0.5)))
async def fetch(url: str) -> int:
    tries = Path("tries.txt")
    tries.write_text(tries.read_text() + "." if tries.exists() else ".")
    if len(tries.read_text()) < 3:
        raise ConnectionError(f"{url} does not answer")
    return 200
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces a text in a file."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Age:
    """Makes all kept results so many days older, as if time had passed."""

    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A story and what `upwell why` says at its end.

    Attributes:
        title: Heading.
        files: The program.
        steps: Runs, edits, passing of time.
        run: The run that is asked about.
        says: Texts that the answer must have.
    """

    title: str
    files: Mapping[str, str]
    steps: tuple[Edit | Age | tuple[str, ...], ...]
    run: str
    says: tuple[str, ...]


def _price(name: str, net: str = "100") -> tuple[str, ...]:
    return ("run", "--name", name, "shop.py", "price", "--item", "tea", "--net", net)


def _report(name: str) -> tuple[str, ...]:
    return ("run", "--name", name, "report.py", "report", "--region", "north")


def _climate(name: str) -> tuple[str, ...]:
    return ("run", "--name", name, "weather.py", "climate", "--city", "Oslo")


SHOP_FILES = {"prices.py": PRICES, "shop.py": SHOP}
SITUATIONS = (
    Situation(
        title="The code of a helper has changed",
        files=SHOP_FILES,
        steps=(_price("monday"), Edit("prices.py", "0.19", "0.2"), _price("tuesday")),
        run="tuesday",
        says=("no result is kept under its key", "nearest: monday/a0", "prices:RATE changed", "+RATE = 0.2"),
    ),
    Situation(
        title="An input differs",
        files=SHOP_FILES,
        steps=(_price("monday"), _price("tuesday", net="120")),
        run="tuesday",
        says=("nearest: monday/a0", "input net: 100.0 -> 120.0"),
    ),
    Situation(
        title="The version has changed",
        files={"report.py": REPORT},
        steps=(_report("january"), Edit("report.py", "2024", "2025"), _report("february")),
        run="february",
        says=("nearest: january/a0", "version: 2024 -> 2025"),
    ),
    Situation(
        title="The kept result is too old",
        files={"weather.py": WEATHER},
        steps=(_climate("january"), Age(8), _climate("february")),
        run="february",
        says=("older than max_age", "of january/a0, 8 d old, and max_age is 7 d"),
    ),
    Situation(
        title="Nothing is cached, and retries took the time",
        files={"fetch.py": FETCH},
        steps=(("run", "--name", "nightly", "fetch.py", "fetch", "--url", "https://example.org/feed"),),
        run="nightly",
        says=("keeps no results", "backoff before the retry", "2 failed attempts, 4 allowed"),
    ),
)


def answer(situation: Situation, folder: Path, call: Call, changed: Callable[[str], None]) -> str:
    """Go through a situation and return what `upwell why` says.

    Args:
        situation: The situation.
        folder: The current folder, which is empty.
        call: Carries out commands.
        changed: Told each file that was edited.
    """
    for name, text in situation.files.items():
        (folder / name).write_text(text.lstrip())
    for step in situation.steps:
        match step:
            case Edit(file, before, after):
                path = folder / file
                path.write_text(path.read_text().replace(before, after))
                changed(file)
            case Age(days):
                asyncio.run(_age(folder / ".upwell" / "state.db", days))
            case command:
                call(command)
    return call(("why", situation.run)).rstrip()


async def _age(path: Path, days: float) -> None:
    store = SqliteStore(path)
    try:
        keys = [summary.key async for summary in store.list_cached()]
        for entry in (await store.get_cached(keys)).values():
            await store.put_cached([replace(entry, created_at=entry.created_at - days * DAY_S)])
    finally:
        store.close()


def page_with(page: str, answers: Sequence[str]) -> str:
    """Return the page with the situations in it."""
    parts = [_section(each, said) for each, said in zip(SITUATIONS, answers, strict=True)]
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{rest.partition(END)[2]}"


def masked(text: str) -> str:
    """Return a text without what differs from one run to the next: times, and the name of the machine."""
    text = re.sub(r"\d+\.\d+ m?s|\d+ s before", "TIME", text)
    text = re.sub(r"local \S+", "local HOST", text)
    lines = [re.sub(r" +TIME", " TIME", line) for line in text.splitlines()]
    return "\n".join(line for line in lines if " TIME  attempt" not in line)  # which ones are long, varies


def _section(situation: Situation, said: str) -> str:
    edits = [step for step in situation.steps if isinstance(step, Edit | Age)]
    between = [
        f"`{s.file}`: `{s.before}` becomes `{s.after}`." if isinstance(s, Edit) else f"{s.days:g} days pass."
        for s in edits
    ]
    runs = [step for step in situation.steps if isinstance(step, tuple)]
    commands = [f"$ upwell {' '.join(run)}" for run in runs] + [f"$ upwell why {situation.run}"]
    story = f"Between the runs: {' '.join(between)}\n\n" if between else ""
    return f"#### {situation.title}\n\n{story}```console\n" + "\n".join([*commands, said]) + "\n```"


def _in_a_process(situation: Situation) -> str:
    with tempfile.TemporaryDirectory() as folder:

        def call(command: Sequence[str]) -> str:
            whole = [sys.executable, "-m", "upwell._cli", *command]
            done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=True)
            return done.stdout

        return answer(situation, Path(folder), call, lambda _: None)


if __name__ == "__main__":
    PAGE.write_text(page_with(PAGE.read_text(), [_in_a_process(each) for each in SITUATIONS]))
