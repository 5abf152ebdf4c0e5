"""Draws the life of an action into docs/execution-model.md, from the table that the engine goes by.

python -m docs.diagram
"""

from __future__ import annotations

from pathlib import Path

from upwell._core.model import TERMINAL, Status
from upwell._core.states import TRANSITIONS

PAGE = Path(__file__).parent / "execution-model.md"
BEGIN, END = "<!-- diagram: written by python -m docs.diagram -->", "<!-- end of diagram -->"


def diagram() -> str:
    """Return the table as a mermaid state diagram; an action without a record is the start."""
    by_arrow: dict[tuple[Status, Status], list[str]] = {}
    for (status, event), to in TRANSITIONS.items():
        by_arrow.setdefault((status, to), []).append(event.value)
    arrows = [f"    {_name(of)} --> {to}: {', '.join(events)}" for (of, to), events in by_arrow.items()]
    ends = [f"    {status} --> [*]" for status in Status if status in TERMINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, *ends, "```"])


def _name(status: Status) -> str:
    return "[*]" if status is Status.NEW else status.value


def drawn(page: str) -> str:
    """Return a page with its diagram as the table is now."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text()))
