"""Lines of tasks in files: one per local run, or those that the processes of a sandbox share."""

from __future__ import annotations

import asyncio
import heapq
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from upwell._core.log_lines import LogCursorError, LogLine, LogPage, LogQuery

LOOKED_AT_BYTES = 64 * 1024 * 1024
"""Of one page: a query that few lines pass gives short pages, each with a cursor of the next."""
SUFFIX = ".jsonl"
EARLIER = ".1"
"""Ends the name of what a file held before it was begun anew."""


class LogFile:
    """Appends the lines of a run to its file, which is there once something was printed.

    Each line is written at once: nothing that was printed is lost with the process, and a line of a few hundred
    bytes takes microseconds.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._is_closed = False

    def write(self, line: str) -> None:
        """Append a line; after `close`, from a thread that was given up, it is dropped."""
        if self._is_closed:
            return
        with suppress(OSError):  # a disk that is full fails no task for what it prints
            if self._fd is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(self._fd, f"{line}\n".encode())

    def close(self) -> None:
        """Close the file."""
        self._is_closed = True
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def run_log(folder: Path, run_id: str) -> Path:
    """Return the file of a local run's lines."""
    return folder / f"{run_id}{SUFFIX}"


class FileLogs:
    """Implements `Logs` over files.

    Args:
        files: Return the files that may have lines of a query, those with earlier lines first.
    """

    def __init__(self, files: Callable[[LogQuery], list[Path]]) -> None:
        self._files = files

    async def read(self, query: LogQuery, *, cursor: str | None, limit: int) -> LogPage:
        """See `Logs.read`."""
        return await asyncio.to_thread(self._read, query, cursor, limit)

    def _read(self, query: LogQuery, cursor: str | None, limit: int) -> LogPage:
        reached = _offsets(cursor)
        files = [path for path in self._files(query) if path.exists()]
        if cursor is not None:  # what a file held earlier was read before, unless its name says where to go on
            files = [path for path in files if path.suffix != EARLIER or path.name in reached]
        readers = [_Reader(path, reached.get(path.name, 0), query) for path in files]
        lines = list(islice(heapq.merge(*readers, key=lambda line: line.at), limit))
        for reader in readers:
            reader.reached = reader.start
        for line in lines:
            name, _, end = line.place.rpartition(":")
            next(reader for reader in readers if reader.path.name == name).reached = int(end)
        if len(lines) < limit:  # each reader has come to its end
            for reader in readers:
                reader.reached = reader.offset
        offsets = {reader.path.name: reader.reached for reader in readers}
        is_last = len(lines) < limit and all(reader.is_at_end for reader in readers)
        return LogPage(lines=lines, cursor=json.dumps(reached | offsets), is_last=is_last)


class _Reader:
    """The lines of a query in one file, from an offset on."""

    def __init__(self, path: Path, start: int, query: LogQuery) -> None:
        self.path = path
        self.start = start if start <= path.stat().st_size else 0  # it was begun anew
        self.offset = self.reached = self.start
        self.is_at_end = False
        self._query = query

    def __iter__(self) -> Iterator[LogLine]:
        term = self._query.term.encode()
        with self.path.open("rb") as file:
            file.seek(self.start)
            while self.offset - self.start < LOOKED_AT_BYTES:
                raw = file.readline()
                if not raw.endswith(b"\n"):  # its end is yet to come
                    self.is_at_end = True
                    return
                self.offset += len(raw)
                if term not in raw:
                    continue
                line = LogLine.load(raw, f"{self.path.name}:{self.offset}")
                if line is not None and self._query.has(line):
                    yield line


def _offsets(cursor: str | None) -> dict[str, int]:
    """Return how far each file was read.

    Raises:
        LogCursorError: the cursor is of something else.
    """
    try:
        offsets = json.loads(cursor) if cursor is not None else {}
        if isinstance(offsets, dict) and all(type(n) is int and n >= 0 for n in offsets.values()):
            return offsets
    except ValueError:
        pass
    raise LogCursorError(cursor)
