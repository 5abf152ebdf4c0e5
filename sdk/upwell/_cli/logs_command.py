"""`upwell logs`: what tasks printed and logged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.log_lines import LogLine
    from upwell._core.model import RunRecord

ID_CHARS = 12
"""Of an action's id, where lines of several are shown."""
STYLES = {"stderr": "red", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}


@shared_options
def logs(
    session: Session,
    run: RunName,
    action: Annotated[
        str | None,
        typer.Argument(metavar="[ACTION]", show_default=False, help="Id of an action or item; else all."),
    ] = None,
    attempt: Annotated[int | None, typer.Option("--attempt", min=1, help="Only those of this attempt.")] = None,
    search: Annotated[
        str, typer.Option("--search", metavar="TEXT", show_default=False, help="Only lines with this in them.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run has ended, and exit as it did.")
    ] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="90s|5m|2h", help="Follow for so long at most.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each line as JSON.")] = False,
) -> None:
    """Print what the tasks of a run printed and logged, by action and attempt."""
    from upwell._cli.failures import InterruptedRunError
    from upwell._cli.following import within
    from upwell._cli.lengths import read_seconds
    from upwell._cli.outcome import failed
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import note
    from upwell._client.logs import follow_lines, log_query, read_lines
    from upwell._core.model import Status

    show = _show_json if as_json else _Shower(action is None)
    timeout_s = None if timeout is None else read_seconds(timeout, option="--timeout")

    async def lines(backend: Backend, record: RunRecord) -> AsyncIterator[LogLine]:
        if follow:
            found = follow_lines(backend, run, action, attempt=attempt, text=search)
        else:
            query = await log_query(backend.store, record, action, attempt=attempt, text=search)
            found = read_lines(backend.logs, query)
        async for line in found:
            yield line

    async def load(backend: Backend, record: RunRecord) -> RunRecord | None:
        found = False
        async for line in lines(backend, record):
            show(line)
            found = True
        if not found:
            note(f"there are no such lines; `upwell get actions {run}` lists the actions of the run")
        return await backend.store.get_run(run)

    try:
        late = f"run {run} has not ended and goes on"
        record = asyncio.run(within(timeout_s, read_run(session, run, load), late))
    except KeyboardInterrupt:
        raise InterruptedRunError(f"no longer following run {run}, which goes on") from None
    if follow and record is not None and record.status.is_terminal and record.status is not Status.SUCCEEDED:
        raise failed(record)


def _show_json(line: LogLine) -> None:
    from upwell._cli.terminal import print_json_line
    from upwell._client.logs import line_time

    document: dict[str, Any] = {
        "time": line_time(line),
        "run": line.run_id,
        "action": line.action_id or None,
        "attempt": line.attempt or None,
        "item": line.item or None,
        "stream": line.stream,
        "level": line.level or None,
        "logger": line.logger or None,
        "message": line.text,
    }
    print_json_line(document)


class _Shower:
    """Prints lines for people.

    Args:
        of_several: Whether they are of several actions.
    """

    def __init__(self, of_several: bool) -> None:
        from upwell._cli.terminal import out

        self._out = out()
        self._of_several = of_several

    def __call__(self, line: LogLine) -> None:
        from upwell._cli.terminal import plain
        from upwell._client.logs import line_text, line_time

        who = [line.action_id[:ID_CHARS].ljust(ID_CHARS)] if self._of_several else []
        who += [line.item[:ID_CHARS]] if line.item else []
        place = " ".join([line_time(line)[11:], *who, f"#{line.attempt} "])
        style = STYLES.get(line.level or line.stream, "")
        self._out.print(plain(place, "dim") + plain(line_text(line), style))
