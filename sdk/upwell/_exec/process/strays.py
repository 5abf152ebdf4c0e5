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
        secrets: Of all attempts that the process has had: any of them may have left something that prints.
    """

    def __init__(self, lines: LineSink, secrets: Redactor) -> None:
        self._lines = lines
        self._secrets = secrets
        self._run_id: str | None = None
        self._log: AttemptLog | None = None

    def log(self, starts: Iterable[Start]) -> AttemptLog:
        """Return the log of what any of some attempts may have written."""
        runs = {start.spec.run.run_id for start in starts}
        run_id = runs.pop() if len(runs) == 1 else ""
        if self._log is None or run_id != self._run_id:
            self.close()
            self._run_id = run_id
            self._log = AttemptLog(
                "", run_id=run_id, attempt=0, sink=self._lines, now=time.time, secrets=self._secrets
            )
        return self._log

    def close(self) -> None:
        """Write lines that were begun."""
        if self._log is not None:
            self._log.close()
