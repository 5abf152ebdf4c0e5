"""The report of the running task: HTML, figures and tables in tabs, kept if the task has `report=True`.

It is written by `flush`, and when the task ends. The console shows it, and `Run.get_report` returns it.
Functions that write have an `.aio` twin.

Example:
    >>> import upwell.report
    >>> upwell.report.log("<p>half of the data is missing</p>")
    >>> upwell.report.get_tab("details").log("<pre>...</pre>")

    A figure of matplotlib or plotly, or a data frame, is given as it is: `upwell.report.log(figure)`.
"""

from __future__ import annotations

from upwell._author.context import ctx
from upwell._author.report import MAIN_TAB, Report, Tab
from upwell._author.syncify import Bound

__all__ = ["Report", "Tab", "current_report", "flush", "get_tab", "log", "replace"]


def current_report() -> Report:
    """Return the report of the running task; outside of tasks one that nobody keeps."""
    return ctx().report or Report("no task")


def get_tab(name: str, /, create_if_missing: bool = True) -> Tab:
    """Return a tab of the report, made if need be.

    Raises:
        ValueError: there is none, and it is not to be made.
    """
    return current_report().get_tab(name, create_if_missing=create_if_missing)


async def _log(content: object, do_flush: bool = False) -> None:
    await get_tab(MAIN_TAB).log.aio(content)
    if do_flush:
        await current_report().flush.aio()


async def _replace(content: object, do_flush: bool = False) -> None:
    await get_tab(MAIN_TAB).replace.aio(content)
    if do_flush:
        await current_report().flush.aio()


async def _flush() -> None:
    await current_report().flush.aio()


log = Bound(_log)
"""Append HTML, a figure or a table to the main tab: `log(content, do_flush=False)`."""

replace = Bound(_replace)
"""Put it in place of what is in the main tab: `replace(content, do_flush=False)`."""

flush = Bound(_flush)
"""Write the report as it is."""
