"""What a user process writes past the logs of its attempts: C code, subprocesses, threads of nobody's."""

from __future__ import annotations

import time
from collections.abc import Iterable

from upwell._core.log_lines import Redactor
from upwell._exec.boundary import Start
from upwell._exec.logs.attempt_log import AttemptLog, LineSink


class Strays:
    """Takes what cannot be told to be of one attempt; it is kept as the run's, if all are of one.

    Args:
        lines: Takes the lines.
    """

    def __init__(self, lines: LineSink) -> None:
        self._lines = lines
        self._key: tuple[str, tuple[str, ...]] | None = None
        self._log: AttemptLog | None = None

    def log(self, starts: Iterable[Start]) -> AttemptLog:
        """Return the log of what any of some attempts may have written."""
        starts = list(starts)
        runs = {start.spec.run.run_id for start in starts}
        secrets = tuple(sorted({value for start in starts for value in start.secrets.values()}))
        key = (runs.pop() if len(runs) == 1 else "", secrets)
        if self._log is None or key != self._key:
            self.close()
            self._key, run_id = key, key[0]
            self._log = AttemptLog(
                "", run_id=run_id, attempt=0, sink=self._lines, now=time.time, secrets=Redactor(secrets)
            )
        return self._log

    def close(self) -> None:
        """Write lines that were begun."""
        if self._log is not None:
            self._log.close()
