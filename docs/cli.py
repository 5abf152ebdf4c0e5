"""Runs every command of the command line and writes what it prints into docs/cli.md.

python -m docs.cli             # on local and on sandbox
python -m docs.cli local       # that part alone
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "cli.md"
BACKENDS = ("local", "sandbox")
FAILED = "{failed}"
"""Stands for the id of the action that fails in run `bad`."""
WITHIN_S = 100
PROGRAM = '''"""orders.py: what it takes to ship orders."""

import asyncio

import upwell

env = upwell.TaskEnvironment("orders")


@env.task(cache="auto")
async def price(item: str) -> float:
    return 2.5 * len(item)


@env.task
async def ship(order: int) -> str:
    boxes = 3 - order
    return f"order {order}: {12 / boxes:.1f} kg a box"


@env.task
async def main(n: int = 2) -> list[str]:
    print("tea costs", await price("tea"))
    return [await ship(order) for order in range(n)]


@env.task
async def forever() -> None:
    await asyncio.Event().wait()
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command of the transcript.

    Attributes:
        line: What is typed, without `upwell`.
        on: The backends that it is carried out on.
        before: A sentence above it.
        typed: Lines that are typed while it runs.
        lines: How many lines are shown; what comes after them differs from one time to the next.
        background: It is left running until the next step has been carried out.
        interrupted: It is ended with Ctrl-C when it has printed something.
        edit: A text of the program and what replaces it, before the command.
    """

    line: str
    on: tuple[str, ...] = BACKENDS
    before: str = ""
    typed: tuple[str, ...] = ()
    lines: int | None = None
    background: bool = False
    interrupted: bool = False
    edit: tuple[str, str] | None = None


LONG = "run orders.py forever --name long"
STEPS = (
    Step(line="version"),
    Step(line="sandbox start", on=("sandbox",)),
    Step(line="sandbox status", on=("sandbox",)),
    Step(line="get config"),
    Step(line="deploy orders.py --dry-run"),
    Step(line="deploy orders.py", on=("sandbox",)),
    Step(line="get tasks"),
    Step(line="delete task orders.none"),
    Step(line="run orders.py"),
    Step(line="run orders.py main --n 2 --name good --follow"),
    Step(line="run orders.py main --n 5 --name bad --follow"),
    Step(line="get runs"),
    Step(line="doctor"),
    Step(line="get run good"),
    Step(line="get run good --follow --json"),
    Step(line="get actions bad"),
    Step(line=f"get action bad {FAILED}"),
    Step(line=f"get io bad {FAILED}"),
    Step(line="get cost good"),
    Step(line="get holders"),
    Step(line="get code good"),
    Step(line="logs good"),
    Step(line="profile good", lines=3),
    Step(line="why good", lines=1),
    Step(line=f"replay bad {FAILED}", typed=("p order, boxes", "q")),
    Step(
        line="recover bad --new-code --follow",
        before="`boxes = 3 - order` becomes `boxes = 9 - order`.",
        edit=("3 - order", "9 - order"),
    ),
    Step(line="rerun good --n 1 --name again --new-code --follow"),
    Step(line=LONG, on=("local",), background=True, before="In another terminal:"),
    Step(line=LONG, on=("sandbox",)),
    Step(line="abort long --reason 'not needed'"),
    Step(
        line="run deployed-task orders.ship --inputs '{\"order\": 1}' --name shipped --follow", on=("sandbox",)
    ),
    Step(line="cache ls"),
    Step(line="cache rm --task orders.price --yes"),
    Step(line="gc --dry-run"),
    Step(line="console --no-open", interrupted=True),
    Step(line="start tui"),
    Step(line="sandbox stop", on=("sandbox",)),
)


def transcript(backend: str) -> str:
    """Carry out the steps of a backend in a new folder and return what was typed and printed."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        (folder / "orders.py").write_text(PROGRAM)
        terminal = Terminal(folder, backend)
        try:
            steps = [step for step in STEPS if backend in step.on]
            return "\n\n".join(terminal.carry_out(step) for step in steps)
        finally:
            terminal.close()


class Terminal:
    """Carries out steps, one after the other.

    Args:
        folder: Has the program.
        backend: Where runs go.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        self._folder = folder
        self._backend = backend
        self._failed = ""
        self._running: subprocess.Popen[str] | None = None
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "UPWELL_"))}
        place = {"UPWELL_BACKEND": backend, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}
        self._environment = inherited | place

    def close(self) -> None:
        """Leave nothing running."""
        if self._running is not None:
            self._running.kill()
        if self._backend == "sandbox":
            self._call("sandbox stop")

    def carry_out(self, step: Step) -> str:
        """Carry out a step and return what a person would have seen."""
        if step.edit is not None:
            program = self._folder / "orders.py"
            program.write_text(program.read_text().replace(*step.edit))
        line = step.line
        if FAILED in line:
            self._failed = self._failed or self._id_of_failed()
            line = line.replace(FAILED, self._failed)
        shown, code = self._run(step, line)
        lines = tidied(with_typed(shown, step.typed), self._folder)
        if step.lines is not None:
            lines = [*lines[: step.lines], "..."]
        exit_line = [f"(exit code {code})"] if code else []
        said = "\n".join([f"$ upwell {line}", *lines, *exit_line])
        above = f"{step.before}\n\n" if step.before else ""
        return f"{above}```console\n{said}\n```"

    def _run(self, step: Step, line: str) -> tuple[str, int]:
        if step.interrupted:
            return self._interrupted(line)
        if step.background and self._backend == "local":
            self._running = self._start(line)
            self._wait_for_run(line.split()[-1])
            return "", 0
        result = self._call(line, typed="".join(f"{text}\n" for text in step.typed))
        if self._running is not None:
            self._running.communicate(timeout=WITHIN_S)
            self._running = None
        return result

    def _start(self, line: str) -> subprocess.Popen[str]:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)]
        return subprocess.Popen(
            [sys.executable, "-m", "upwell._cli", *words],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _call(self, line: str, typed: str = "") -> tuple[str, int]:
        process = self._start(line)
        try:
            shown, _ = process.communicate(typed, timeout=WITHIN_S)
        finally:
            process.kill()
        return shown, process.returncode

    def _interrupted(self, line: str) -> tuple[str, int]:
        process = self._start(line)
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=WITHIN_S)
        finally:
            process.kill()
        return first + rest, process.returncode

    def _wait_for_run(self, name: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while "running" not in self._call(f"get run {name}")[0]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {name} does not start")

    def _id_of_failed(self) -> str:
        shown, _ = self._call("get actions bad --status failed --task ship")
        return shown.splitlines()[1].split()[0]


HEADER = re.compile(
    r"(run +task|action +parent|task +(succeeded|actions|environment|deployed|slot|phase)|key +task|service +\$"
    r"|attempt +executor|prefix +blobs|name +kind|pool +kind)\b.*|service +\$"
)
PROGRESS = re.compile(r"\[\d+\.\d s\] ")
PROMPT = "(Pdb) "
_MASKS = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "2026-01-31T12:00:00.000Z"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-31 12:00:00"),
    (r"\d\d:\d\d:\d\d(\.\d+)?", "12:00:00"),
    (r'"duration_s": [\d.]+', '"duration_s": 0.1'),
    (r"(duration_s +)[\d.]+", r"\g<1>0.1"),
    (r"\b(local|lambda|worker) [\w/\[\]$-]*\d[\w/\[\]$-]*", r"\1 1"),
    (r"bundles/[0-9a-f]{64}", "bundles/5d41"),
    (r"\d+ messages in flight", "0 messages in flight"),
    (r"\d+:\d\d min|\d+\.\d+ m?s|\b\d+ s\b", "0.1 s"),
    (r"\d+\.\d{6}", "0.000001"),
    (r"\b\d+\.\d{3}\b", "0.100"),
    (r"\b\d+%", "50%"),
    (r"(?<![$\d.])\d+\.\d\d(?![\d.])", "1.00"),
    (r"\$\d+\.\d\d\b", "$2.50"),
    (r"[\d,]+(\.\d+)? MiB", "100 MiB"),
    (r"\bpid \d+", "pid 4242"),
    (r"^http://127\.0\.0\.1:\d+/$", "http://127.0.0.1:8640/"),
    (r"127\.0\.0\.1:(?!8640)\d+", "127.0.0.1:4566"),
    (r"upwell-replay-\w+", "upwell-replay"),
)


def tidied(text: str, folder: Path) -> list[str]:
    """Return lines without what differs from one time to the next; tables stay in columns."""
    lines = text.rstrip().replace(str(folder), "/home/me/shop").splitlines()
    lines = [line for line in lines if not PROGRESS.match(line)]
    found: list[str] = []
    while lines:
        if HEADER.fullmatch(lines[0]):
            starts = [0, *(match.end() for match in re.finditer(r" {2,}", lines[0]))]
            size = next((i for i, line in enumerate(lines) if not _is_row(line, starts)), len(lines))
            found += _aligned(lines[:size], starts)
            lines = lines[size:]
        else:
            found.append(_masked(lines.pop(0)))
    return found


def with_typed(text: str, typed: Sequence[str]) -> str:
    """Return what was printed with what was typed at the debugger's prompts."""
    first, *rest = text.split(PROMPT)
    return first + "".join(f"{PROMPT}{line}\n{said}" for line, said in zip(typed, rest, strict=True))


def _is_row(line: str, starts: Sequence[int]) -> bool:
    """Whether a line has cells at these places, and nothing but spaces before them."""
    return bool(line) and all(line[start - 2 : start].strip() == "" for start in starts[1:])


def _aligned(lines: Sequence[str], starts: Sequence[int]) -> Iterator[str]:
    """Mask the cells of a table one by one, and align them anew."""
    ends = [*starts[1:], None]
    rows = [[_masked(line[a:b].strip()) for a, b in zip(starts, ends, strict=True)] for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(starts))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _masked(text: str) -> str:
    for pattern, replacement in _MASKS:
        text = re.sub(pattern, replacement, text)
    return text


def begin(backend: str) -> str:
    """Return the line above the transcript of a backend."""
    return f"<!-- {backend}: written by python -m docs.cli -->"


def end(backend: str) -> str:
    """Return the line below the transcript of a backend."""
    return f"<!-- end of {backend} -->"


def page_with(page: str, backend: str, text: str) -> str:
    """Return the page with a transcript in it."""
    before, _, rest = page.partition(begin(backend))
    return f"{before}{begin(backend)}\n\n{text}\n\n{end(backend)}{rest.partition(end(backend))[2]}"


if __name__ == "__main__":
    for name in sys.argv[1:] or BACKENDS:
        PAGE.write_text(page_with(PAGE.read_text(), name, transcript(name)))
