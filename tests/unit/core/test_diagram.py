"""The diagram in the documentation is the table in the code."""

from __future__ import annotations

import runpy
from pathlib import Path

from upwell._core.states import TRANSITIONS

DIAGRAM = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "diagram.py"))


def test_the_page_shows_the_table_as_it_is() -> None:
    page = DIAGRAM["PAGE"].read_text()
    assert DIAGRAM["diagram"]() in page
    assert page == DIAGRAM["drawn"](page), "the table has changed: run `python -m docs.diagram`"


def test_every_event_is_in_the_diagram() -> None:
    assert all(event.value in DIAGRAM["diagram"]() for _, event in TRANSITIONS)
