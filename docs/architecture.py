"""Draws docs/architecture.svg from the tables below: `python -m docs.architecture`.

The picture has a background of its own, so that it can be read on light and dark pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

TARGET = Path(__file__).with_name("architecture.svg")

CLIENTS = (
    ("your program", "upwell.run(task, ...)"),
    ("command line", "upwell run FILE.py TASK"),
    ("your tests", "upwell_flows.run(task, ...)"),
)
SUBMIT = ("client", "code bundle, inputs, start, follow, recover  (upwell/_client)")
ENGINE = (
    ("worker", "receives messages,", "counts slots"),
    ("executor", "claim, run, finish,", "reply, delete"),
    ("driver", "sends children, replays", "the journal, waits"),
    ("decide()", "pure: record + command", "-> record + effects"),
)
PORTS = ("Orchestrator", "ActionQueue", "StateStore", "BlobStore")
EXECUTORS = "executors"
"""Not a port, but what differs between the backends as well: where the engine runs."""
ROWS = (
    (
        "local",
        (
            ("in process", "record and timer"),
            ("memory", "refilled by replay"),
            ("SQLite", "one file"),
            ("folder", ""),
            ("this process", ""),
        ),
    ),
    (
        "sandbox",
        (
            ("Step Functions", "emulated"),
            ("SQS", "emulated"),
            ("DynamoDB", "emulated"),
            ("S3", "emulated"),
            ("processes", "Lambda's, workers"),
        ),
    ),
    (
        "aws",
        (
            ("Step Functions", "an execution a run"),
            ("SQS", "a queue a pool"),
            ("DynamoDB", "four tables"),
            ("S3", "one bucket"),
            ("Lambda, Fargate", "by environment"),
        ),
    ),
)

WIDTH, HEIGHT, EDGE, GAP = 960, 646, 24, 12
LABEL_WIDTH = 92
INK, SOFT = "#1f2937", "#4b5563"
PAPER, LINE = "#f8fafc", "#94a3b8"
PROGRAM, CORE, PORT = "#e0e7ff", "#dcfce7", "#fef3c7"
BACKENDS = {"local": "#ffffff", "sandbox": "#e0f2fe", "aws": "#e0f2fe"}
FONT = "ui-sans-serif, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the canvas."""

    x: float
    y: float
    width: float
    height: float

    def columns(self, count: int) -> list[Box]:
        """Return so many boxes side by side."""
        width = (self.width - GAP * (count - 1)) / count
        return [Box(self.x + i * (width + GAP), self.y, width, self.height) for i in range(count)]

    @property
    def middle(self) -> float:
        """The x of its vertical axis."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height


def rect(box: Box, fill: str) -> str:
    """Return a rounded rectangle."""
    place = f'x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}"'
    return f'<rect {place} rx="8" fill="{fill}" stroke="{LINE}"/>'


def text(
    x: float, y: float, content: str, *, size: int = 13, bold: bool = False, anchor: str = "middle"
) -> str:
    """Return a line of text."""
    style = f'font-size="{size}" text-anchor="{anchor}" fill="{INK if bold or size > 12 else SOFT}"'
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" {style}{weight}>{escape(content)}</text>'


def titled(box: Box, fill: str, title: str, *lines: str) -> list[str]:
    """Return a box with a title and lines below it, centred in both directions."""
    lines = tuple(line for line in lines if line)
    y = box.y + (box.height - 17 * len(lines)) / 2 + 5
    parts = [rect(box, fill), text(box.middle, y, title, size=14, bold=True)]
    return parts + [text(box.middle, y + 17 * (i + 1), line, size=12) for i, line in enumerate(lines)]


def arrow(x: float, start: float, end: float) -> str:
    """Return an arrow that points down."""
    return f'<path d="M{x:g} {start:g}V{end - 6:g}" stroke="{SOFT}" stroke-width="1.5" marker-end="url(#tip)"/>'


def draw_clients() -> list[str]:
    """Draw who starts runs, and the client."""
    row = Box(EDGE, EDGE, WIDTH - 2 * EDGE, 58)
    client = Box(EDGE, row.bottom + 22, row.width, 52)
    parts = []
    for box, (title, line) in zip(row.columns(len(CLIENTS)), CLIENTS, strict=True):
        parts += [*titled(box, PROGRAM, title, line), arrow(box.middle, box.bottom, client.y)]
    return [*parts, *titled(client, PROGRAM, *SUBMIT), arrow(EDGE + 20, client.bottom, 330)]


def draw_engine() -> list[str]:
    """Draw the engine and its parts."""
    x = EDGE + LABEL_WIDTH
    frame = Box(x, 178, WIDTH - EDGE - x, 122)
    inside = Box(frame.x + GAP, frame.y + 36, frame.width - 2 * GAP, 74)
    title = "the engine: the same code on every backend  (upwell/_core, _exec)"
    parts = [rect(frame, CORE), text(frame.x + 14, frame.y + 23, title, size=14, bold=True, anchor="start")]
    for box, (name, *lines) in zip(inside.columns(len(ENGINE)), ENGINE, strict=True):
        parts += titled(box, "#ffffff", name, *lines)
    return parts


def draw_backends() -> list[str]:
    """Draw the ports as heads of columns, and a row of adapters per backend."""
    x = EDGE + LABEL_WIDTH
    heads = Box(x, 322, WIDTH - EDGE - x, 40).columns(len(PORTS) + 1)
    parts = [text(EDGE, 347, "ports", size=14, bold=True, anchor="start")]
    for box, name in zip(heads, (*PORTS, EXECUTORS), strict=True):
        is_port = name != EXECUTORS
        parts += titled(box, PORT if is_port else CORE, name)
        parts += [arrow(box.middle, 300, box.y)] if is_port else []
    for index, (backend, cells) in enumerate(ROWS):
        y = 380 + index * 76
        parts.append(text(EDGE, y + 37, backend, size=14, bold=True, anchor="start"))
        for head, (title, line) in zip(heads, cells, strict=True):
            parts += titled(Box(head.x, y, head.width, 64), BACKENDS[backend], title, line)
    note = "sandbox and aws: the same adapters (upwell/_aws) at another endpoint; local: upwell/_local"
    return [*parts, text(x, 380 + 3 * 76 + 16, note, size=12, anchor="start")]


def picture() -> str:
    """Return the picture as SVG."""
    tip = (
        '<marker id="tip" markerWidth="8" markerHeight="8" refX="3" refY="4" orient="auto">'
        f'<path d="M0 0L7 4L0 8Z" fill="{SOFT}"/></marker>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="{FONT}">'
    )
    label = "<title>One engine behind ports, and the adapters of three backends</title>"
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" rx="14" fill="{PAPER}" stroke="{LINE}"/>'
    body = [*draw_clients(), *draw_engine(), *draw_backends()]
    return "\n".join([head, label, f"<defs>{tip}</defs>", paper, *body, "</svg>"]) + "\n"


def main() -> None:
    """Write the picture."""
    TARGET.write_text(picture(), encoding="utf-8")
    print(TARGET.relative_to(Path.cwd()) if TARGET.is_relative_to(Path.cwd()) else TARGET)


if __name__ == "__main__":
    main()
