"""What the attempts of a run printed and logged, by page."""

from __future__ import annotations

from upwell._client.backend import Backend
from upwell._client.logs import log_query
from upwell._console.cursors import CursorError, dump_cursor, load_cursor
from upwell._console.models import Line, LogLines
from upwell._core.log_lines import LogCursorError, LogLine
from upwell._core.model import RunRecord


async def log_page(
    backend: Backend,
    run: RunRecord,
    action_id: str | None,
    *,
    attempt: int | None,
    text: str,
    cursor: str | None,
    limit: int,
) -> LogLines:
    """Return a page of lines; see `upwell._client.logs.log_query`.

    Raises:
        CursorError: the cursor is not one that was given out.
    """
    query = await log_query(backend.store, run, action_id, attempt=attempt, text=text)
    reached = None if cursor is None else load_cursor(cursor, (str,))[0]
    try:
        page = await backend.logs.read(query, cursor=reached, limit=limit)
    except LogCursorError as e:
        raise CursorError(cursor or "") from e
    resume = dump_cursor(page.cursor)
    return LogLines(
        lines=[_line(line) for line in page.lines], next=None if page.is_last else resume, resume=resume
    )


def _line(line: LogLine) -> Line:
    return Line(
        id=line.place,
        at=line.at,
        action_id=line.action_id or None,
        attempt=line.attempt or None,
        item=line.item or None,
        stream=line.stream,
        level=line.level or None,
        logger=line.logger or None,
        text=line.text,
    )
