"""Which actions the calls of an attempt are: the same ones whenever the attempt is repeated."""

from __future__ import annotations

from upwell._core.batch import AGAIN
from upwell._core.ids import Occurrences, digest
from upwell._core.journal import Journal
from upwell._core.model import ActionSpec, ErrorInfo, Outcome, Status
from upwell._exec.boundary import Call


class CallIds:
    """Names the calls of one attempt of an action.

    Args:
        spec: The action.
        journal: What is known of its calls.
        failures: How often the action had failed before the attempt.
        replays: Whether an earlier attempt may have made calls.
    """

    def __init__(self, spec: ActionSpec, journal: Journal, *, failures: int, replays: bool) -> None:
        self._spec = spec
        self._journal = journal
        self._failures = failures
        self._replays = replays
        self._occurrences = Occurrences()

    def of(self, call: Call) -> list[str]:
        """Return the ids that a call has in the tries of the action."""
        name, inputs = call.task.name, call.input_digest
        caller = digest(self._spec.action_id, call.item) if call.item else self._spec.action_id
        first_id = self._occurrences.next_id(caller, name, inputs, call.group)
        if not self._replays:
            return [first_id]
        return [first_id] + [digest(first_id, str(n)) for n in range(1, self._spec.task.retry.count + 1)]

    def of_this_try(self, ids: list[str]) -> str:
        """Return the id of a call made now: a retry does not repeat what succeeded in earlier tries.

        What failed, or was aborted with the try that called it, gets a new id, which depends on nothing but the
        number of tries that failed: an attempt that only replaces a lost executor comes to the same one.
        """
        for known_id in ids:
            known = self._journal.outcomes.get(known_id)
            if known is not None and known.status is Status.SUCCEEDED:
                return known_id
        return ids[min(self._failures, len(ids) - 1)]

    def outcome(self, ids: list[str], call: Call) -> Outcome | None:
        """Return what is known of a call.

        Of a batch of which items failed in an earlier try, that is for which items it is called again.
        """
        known = self._journal.outcomes.get(self.of_this_try(ids))
        return known or self._half_done(ids, call)

    def _half_done(self, ids: list[str], call: Call) -> Outcome | None:
        if call.items <= 1:
            return None
        known = [self._journal.outcomes.get(known_id) for known_id in ids[: self._failures]]
        outputs = [outcome.output for outcome in known if outcome is not None and outcome.output is not None]
        if not outputs:
            return None
        again = ErrorInfo(code=AGAIN, message="the items that failed are called again")
        return Outcome(status=Status.FAILED, error=again, output=outputs[-1])
