"""Reports: HTML that a task makes of itself, kept beside its result."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from upwell._author.figures import is_plotly, plotly_script, to_html
from upwell._author.syncify import Bound, syncify
from upwell._types.io_context import current_io_context

MAIN_TAB = "main"
_STYLE = (
    "body{font-family:sans-serif;margin:1rem;color:#111;background:#fff}"
    "body>input{position:absolute;opacity:0}"
    "body>label{display:inline-block;padding:.4rem .8rem;cursor:pointer;border-bottom:2px solid transparent}"
    "body>input:checked+label{border-color:#0b5f6b;font-weight:600}"
    "body>input:focus-visible+label{outline:2px solid #0b5f6b}"
    "body>section{visibility:hidden;height:0;overflow:hidden}"
)
"""A tab that is not shown keeps its width, so that scripts which draw into it find how much room there is."""
_SHOWN = "{visibility:visible;height:auto;overflow:visible;padding-top:1rem}"
log = logging.getLogger("upwell.report")


@dataclass(slots=True)
class Tab:
    """One page of a report.

    Attributes:
        name: Shown as its title; unique in the report.
        parts: Pieces of HTML, in order.
        needs_plotly: Whether plotly's script has to draw one of them.
    """

    name: str
    parts: list[str] = field(default_factory=list)
    needs_plotly: bool = False
    on_change: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    async def _log(self, content: object) -> None:
        self.parts.append(to_html(content))
        self.needs_plotly = self.needs_plotly or is_plotly(content)
        self.on_change()

    async def _replace(self, content: object) -> None:
        self.parts[:] = [to_html(content)]
        self.needs_plotly = is_plotly(content)
        self.on_change()

    @property
    def log(self) -> Bound[[object], None]:
        """Append HTML, a figure or a table: `tab.log(content)`, or `await tab.log.aio(content)`.

        Figures are matplotlib's or plotly's; tables are what has a `_repr_html_`, as data frames have.
        """
        return Bound(self._log)

    @property
    def replace(self) -> Bound[[object], None]:
        """Put HTML, a figure or a table in place of what is there."""
        return Bound(self._replace)

    @property
    def html(self) -> str:
        """All of its content."""
        return "\n".join(self.parts)


class Report:
    """The report of one attempt of an action.

    Args:
        name: Name of the task.
        uri: Where it is written; None where it is not: outside of tasks, and in tasks without `report=True`.
    """

    def __init__(self, name: str, uri: str | None = None) -> None:
        self.name = name
        self.uri = uri
        self.tabs: dict[str, Tab] = {}
        self._is_changed = False

    def get_tab(self, name: str = MAIN_TAB, *, create_if_missing: bool = True) -> Tab:
        """Return a tab.

        Raises:
            ValueError: there is none, and it is not to be made.
        """
        if name not in self.tabs:
            if not create_if_missing:
                raise ValueError(f"the report of {self.name} has no tab {name!r}; it has {sorted(self.tabs)}")
            self.tabs[name] = Tab(name, on_change=self._changed)
        return self.tabs[name]

    def _changed(self) -> None:
        self._is_changed = True

    def get_final_report(self) -> str:
        """Return all tabs as one page. What tasks wrote is in it as it is: show it in a frame of its own."""
        tabs = list(self.tabs.values())
        rules = "".join(f"#t{i}:checked~#s{i}{_SHOWN}" for i in range(len(tabs)))
        script = plotly_script() if any(tab.needs_plotly for tab in tabs) else ""
        choices = "".join(
            f'<input type="radio" name="tab" id="t{i}"{" checked" if i == 0 else ""}>'
            f'<label for="t{i}">{html.escape(tab.name)}</label>'
            for i, tab in enumerate(tabs)
        )
        if len(tabs) == 1:  # nothing to choose from
            rules, choices = f"#s0{_SHOWN}", ""
        pages = "".join(f'<section id="s{i}">\n{tab.html}\n</section>' for i, tab in enumerate(tabs))
        return (
            f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{html.escape(self.name)}</title>'
            f"<style>{_STYLE}{rules}</style>{script}</head>\n<body>{choices}{pages}</body></html>\n"
        )

    @syncify
    async def flush(self) -> None:
        """Write what there is; nothing happens where the report is not kept."""
        if self.uri is None:
            return
        self._is_changed = False
        target = await current_io_context().transfer_for(self.uri).open_write(self.uri)
        try:
            await target.write(self.get_final_report().encode())
            await target.close()
        except BaseException:
            await target.abort()
            raise

    async def finish(self) -> None:
        """Write what has changed since it was last written; the task's result does not depend on it."""
        if not self._is_changed:
            return
        try:
            await self.flush.aio()
        except Exception:
            log.warning("a report could not be written", extra={"task": self.name}, exc_info=True)
