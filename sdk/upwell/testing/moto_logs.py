"""Lines of tasks in moto's CloudWatch Logs, put there as ECS does."""

from __future__ import annotations

from collections import defaultdict

from upwell._aws.clients import Clients
from upwell._core.keys import DEFAULT_POOL, worker_log_group, worker_log_stream
from upwell._core.log_lines import LogLine
from upwell._core.model import ActionKey
from upwell._core.ports import StateStore
from upwell._core.settings import Settings

WORKER = "moto"
"""Id of the worker that all tasks run on."""


class MotoLogs:
    """Takes lines, and puts them into the log groups of the pools of their actions.

    Args:
        clients: Of moto.
        settings: Of the platform.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._prefix = settings.prefix
        self._taken: list[str] = []

    def write(self, line: str) -> None:
        """Take a line."""
        self._taken.append(line)

    async def put(self, store: StateStore) -> None:
        """Put what was taken where it belongs.

        Args:
            store: Has the actions.
        """
        by_pool: defaultdict[str, list[tuple[LogLine, str]]] = defaultdict(list)
        for text in self._taken:
            line = LogLine.load(text)
            assert line is not None  # an attempt's log made it
            record = await store.get(ActionKey(line.run_id, line.action_id))
            by_pool[record.spec.task.pool if record is not None else DEFAULT_POOL].append((line, text))
        self._taken.clear()
        for pool, lines in by_pool.items():
            self._put(pool, sorted(lines, key=lambda found: found[0].at))

    def _put(self, pool: str, lines: list[tuple[LogLine, str]]) -> None:
        logs, group, stream = (
            self._clients.logs,
            worker_log_group(self._prefix, pool),
            worker_log_stream(WORKER),
        )
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": int(line.at * 1000), "message": text} for line, text in lines],
        )
