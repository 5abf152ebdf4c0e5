"""Lines of tasks in CloudWatch Logs, where Lambda and ECS put what executors write to their standard output."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import ClientError

from upwell._aws.clients import Clients
from upwell._aws.errors import clear_errors, is_code
from upwell._core.keys import function_log_group, worker_log_group, worker_log_stream
from upwell._core.log_lines import LogCursorError, LogLine, LogPage, LogQuery
from upwell._core.settings import Settings

STREAMS_MAX, EVENTS_MAX = 100, 10_000
"""What one request may name, and what it gives."""
REQUESTS_MAX = 10
"""Of one page: CloudWatch may look through much, and find nothing, for each."""
BEFORE_S, AFTER_S = 5.0, 60.0
"""An event's time is when Lambda or ECS got it, by a clock of theirs."""
OVERLAP_S = 10.0
"""So much of what was read is read again when somebody goes on: events of several streams come out of order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Position:
    """Where a page ended.

    Attributes:
        group: Number of the log group, in the order of the query.
        token: CloudWatch's own, within the group; None at its beginning.
        since: From when on the groups are read, epoch seconds.
        newest: The latest line so far.
    """

    group: int = 0
    token: str | None = None
    since: float = 0.0
    newest: float = 0.0

    @classmethod
    def of(cls, cursor: str | None, query: LogQuery) -> _Position:
        if cursor is None:
            return cls(since=query.since)
        try:
            given = json.loads(cursor)
            position = cls(**given)
            numbers = (position.since, position.newest)
            if (
                type(position.group) is int
                and position.group >= 0
                and all(type(n) in (int, float) for n in numbers)
            ):
                return position
        except (ValueError, TypeError):
            pass
        raise LogCursorError(cursor)


class LogGroups:
    """Implements `Logs` by FilterLogEvents.

    A query names the executors that wrote: their log streams, for the time of the attempts, are all that is
    looked through. Of a whole run, the groups of its pools are, for its time.

    Args:
        clients: Makes the requests.
        settings: Has the prefix.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._prefix = settings.prefix

    async def read(self, query: LogQuery, *, cursor: str | None, limit: int) -> LogPage:
        """See `Logs.read`. Of several groups, one comes after the other."""
        position = _Position.of(cursor, query)
        groups = self._groups(query)
        lines: list[LogLine] = []
        for _ in range(REQUESTS_MAX):
            if position.group >= len(groups) or len(lines) >= limit:
                break
            name, streams = groups[position.group]
            answer = await self._filter(name, streams, query, position, limit - len(lines))
            lines += _lines(answer, query)
            newest = max([position.newest, *(line.at for line in lines)])
            token = answer.get("nextToken")
            group = position.group if token else position.group + 1
            position = _Position(group=group, token=token, since=position.since, newest=newest)
        is_last = position.group >= len(groups)
        if is_last:  # whoever goes on begins a little earlier
            since = max(position.since, position.newest - OVERLAP_S)
            position = _Position(since=since, newest=position.newest)
        return LogPage(lines=lines, cursor=json.dumps(asdict(position)), is_last=is_last)

    def _groups(self, query: LogQuery) -> list[tuple[str, list[str]]]:
        """Return the log groups to look through, each with its streams; none are all."""
        found: list[tuple[str, list[str]]] = []
        for pool in query.pools:
            group = {
                "lambda": function_log_group(self._prefix, pool),
                "worker": worker_log_group(self._prefix, pool),
            }
            if not query.executors:
                found += [(name, []) for name in group.values()]
                continue
            for kind, name in group.items():
                ids = sorted({id_ for of, id_ in query.executors if of == kind})
                streams = ids if kind == "lambda" else [worker_log_stream(id_) for id_ in ids]
                found += [(name, streams[n : n + STREAMS_MAX]) for n in range(0, len(streams), STREAMS_MAX)]
        return found

    async def _filter(
        self, group: str, streams: list[str], query: LogQuery, position: _Position, limit: int
    ) -> dict[str, Any]:
        """Return a part of a group's events; nothing of a group or stream that is not there."""
        asked: dict[str, Any] = {
            "logGroupName": group,
            "filterPattern": f'"{query.term}"',
            "startTime": max(0, int((position.since - BEFORE_S) * 1000)),
            "limit": min(limit, EVENTS_MAX),
        }
        if query.until is not None:
            asked["endTime"] = int((query.until + AFTER_S) * 1000)
        if streams:
            asked["logStreamNames"] = streams
        if position.token is not None:
            asked["nextToken"] = position.token

        def ask() -> dict[str, Any]:
            try:
                return dict(self._clients.logs.filter_log_events(**asked))
            except ClientError as e:
                if is_code(e, {"ResourceNotFoundException"}):
                    return {}
                raise

        with clear_errors(f"log group {group}"):
            return await self._clients.call(ask)


def _lines(answer: dict[str, Any], query: LogQuery) -> list[LogLine]:
    found = []
    for event in answer.get("events", ()):
        for n, text in enumerate(event["message"].splitlines()):
            line = LogLine.load(text, f"{event['eventId']}:{n}")
            if line is not None and query.has(line):
                found.append(line)
    return found
