"""Replays: a journal is read whole before a later attempt begins, and compared with what that asks for."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from contextlib import suppress

from upwell._author.context import Mode
from upwell._core.journal import Cursor, Entry, Journal
from upwell._core.model import ActionKey, ActionRecord, ActionWarning, ErrorInfo
from upwell._core.ports import Journals
from upwell._core.replay import Replay
from upwell._exec.boundary import Call, Ended
from upwell.errors import NonDeterminismError, NonDeterminismWarning

log = logging.getLogger("upwell.replay")

EMPTY_SHARDS_TO_STOP = 2
"""A shard may be missing entirely when its writer died in between; two in a row are the end."""


async def read_journal(
    store: Journals, key: ActionKey, journal: Journal, cursors: dict[int, Cursor] | None = None
) -> list[Entry]:
    """Read every shard of a journal into `journal`, and return the entries.

    Args:
        store: Where the journal is.
        key: The parent.
        journal: Takes the entries in.
        cursors: Filled with where each shard was read to.
    """
    entries: list[Entry] = []
    shard = empty = 0
    while empty < EMPTY_SHARDS_TO_STOP:
        cursor = Cursor()
        fresh = cursor.take(await store.read(key, shard, cursor.after))
        empty = 0 if fresh else empty + 1
        entries += fresh
        if cursors is not None:
            cursors[shard] = cursor
        shard += 1
    journal.apply(entries)
    return entries


class Checks:
    """Compares what an attempt asks for with what its journal holds, and reports the difference.

    Args:
        record: The action as claimed.
    """

    def __init__(self, record: ActionRecord) -> None:
        self._record = record
        self._replay: Replay | None = None
        self._ahead: Sequence[str] = ()
        self.warnings: tuple[ActionWarning, ...] = ()
        """For the action's record."""

    def begin(self, entries: Sequence[Entry]) -> None:
        """Take in the journal that the attempt replays."""
        run = self._record.spec.run
        self._replay = Replay(
            entries,
            generation=run.generation,
            failures=self._record.failures,
            code_generation=run.code_generation,
        )

    def ask(self, ids: Sequence[str], call: Call) -> None:
        """Note a call, by its ids in the tries of the action."""
        if self._replay is not None:
            self._ahead = call.ahead
            self._replay.ask(ids, call.task.name, call.input_digest)

    def at_end(self, ended: Ended, mode: Mode) -> ErrorInfo | None:
        """Report a difference of a task that has returned; return the failure of one whose run is strict."""
        if self._replay is None:
            return None
        self._ahead = ended.ahead
        return self._conclude(self._replay, mode, traces_left=ended.traces_left)

    def at_rest(self, mode: Mode) -> ErrorInfo | None:
        """Report a difference of a task that waits for nothing but children; return the failure, if any.

        Which traces it has asked for is not known here.
        """
        return None if self._replay is None else self._conclude(self._replay, mode, traces_left=())

    def _conclude(self, replay: Replay, mode: Mode, *, traces_left: Sequence[str]) -> ErrorInfo | None:
        spec = self._record.spec
        difference = replay.difference(spec.task.name, ahead=self._ahead, traces_left=traces_left)
        if difference is None:
            return None
        if spec.run.strict and difference.is_error:
            code = NonDeterminismError.__name__
            return ErrorInfo(code=code, message=difference.text, recoverable=False)
        warning = ActionWarning(
            code=NonDeterminismWarning.__name__, message=difference.text, attempt=self._record.attempt
        )
        if (warning.code, warning.attempt) not in {(w.code, w.attempt) for w in self._record.warnings}:
            self._tell(warning, mode)
            self.warnings = (warning,)
        return None

    def _tell(self, warning: ActionWarning, mode: Mode) -> None:
        if mode == "local":
            with suppress(NonDeterminismWarning):  # a filter makes errors of warnings; `strict` is for that
                warnings.warn(warning.message, NonDeterminismWarning, stacklevel=2)
            return
        spec = self._record.spec
        fields = {"run_id": spec.run.run_id, "action_id": spec.action_id, "attempt": self._record.attempt}
        log.warning("a replay differs from its journal", extra=fields | {"difference": warning.message})
