"""Checks a replay: what an earlier attempt of the same try asked for, a later one has to ask for as well.

The order in which calls are made says nothing, since asyncio may choose it anew; nor does a call that the
journal does not hold, since the earlier attempt may not have come so far. What the journal holds and the task
has not asked for by the time it returns, or waits for nothing but other children, is evidence. A retry after a
failure is a new try, and may differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from upwell._core.journal import WINDOW_S, Completed, Entry, Hits, Scheduled, Traced

INPUTS_CHARS = 8
"""What is kept of the digest of a child's inputs."""
TASKS_NAMED = 5
DIGESTS_NAMED = 3
ADVICE = (
    "What decides which calls a task makes has to come from its inputs, from its children or from traces; "
    "put clocks, random numbers and requests into functions with @upwell.trace"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as a replay is compared by.

    Attributes:
        what: The task's name, or `trace` and the name of a traced function.
        inputs: The start of its inputs' digest; empty where it is not known.
    """

    what: str
    inputs: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A replay asked for other calls than the journal holds.

    Attributes:
        text: Both sides: what was not asked for, and what the journal does not hold.
        is_error: Whether a strict run has to fail for it: not where new code was asked to go on.
    """

    text: str
    is_error: bool = True


class Replay:
    """Follows what one attempt asks for.

    Args:
        entries: The journal as it was when the attempt began.
        generation: The run's generation.
        failures: How often the action has failed: which try this is.
        code_generation: The generation since which the run has the code that it has now.
    """

    def __init__(
        self, entries: Iterable[Entry] = (), *, generation: int = 1, failures: int = 0, code_generation: int = 1
    ) -> None:
        entries = list(entries)
        held = _held(entries, generation, failures)
        self._is_new_code = any(entry.generation < code_generation for entry in held)
        self._left = _calls(held)
        self._traces = {entry.trace_id for entry in held if isinstance(entry, Traced)}
        self._held = Counter(call.what for call in self._left.values())
        self._known = set(_calls(_sent(entries)))
        self._known |= {entry.action_id for entry in entries if isinstance(entry, Completed)}
        hits = [entry for entry in entries if isinstance(entry, Hits)]
        self._known |= {hit.action_id for entry in hits for hit in entry.children}
        self._unknown: Counter[Asked] = Counter()

    def ask(self, ids: Sequence[str], what: str, inputs: str = "") -> None:
        """Note a call.

        Args:
            ids: The id that it has, and those that it had or would have in other tries.
            what: The task, or `trace` and a name.
            inputs: Digest of its inputs.
        """
        for action_id in ids:
            self._left.pop(action_id, None)
        if self._held and not any(action_id in self._known for action_id in ids):
            self._unknown[Asked(what, inputs[:INPUTS_CHARS])] += 1

    def difference(
        self, task: str, *, ahead: Collection[str] = (), traces_left: Collection[str] = ()
    ) -> Difference | None:
        """Return how the calls so far differ from the journal; None if they do not.

        Args:
            task: Name of the task that replays.
            ahead: Tasks of which maps make calls ahead of their consumers, or did until they were left early.
                How many, depends on the time, so that calls of these tasks say nothing.
            traces_left: Traces that it is known not to have asked for.
        """
        left = Counter(
            call
            for call_id, call in self._left.items()
            if (call_id in traces_left if call_id in self._traces else call.what not in ahead)
        )
        if not left:
            return None
        why = "the code of the run has changed, and " if self._is_new_code else ""
        text = (
            f"{why}{task} made other calls than its journal holds. "
            f"Held, and not asked for: {_list(left, self._held)}. "
            f"Asked for, and not held: {_list(self._unknown, None) or 'nothing'}"
            f"{_shape(left, self._unknown)}. {ADVICE}"
        )
        return Difference(text, is_error=not self._is_new_code)


def _sent(entries: Iterable[Entry]) -> list[Scheduled | Traced]:
    return [
        entry
        for entry in entries
        if isinstance(entry, Scheduled) or (isinstance(entry, Traced) and not entry.nested)
    ]


def _held(entries: list[Entry], generation: int, failures: int) -> list[Scheduled | Traced]:
    """Return what this try has asked for before; a recovery goes on with the last try before it."""
    sent = _sent(entries)
    held = [entry for entry in sent if (entry.generation, entry.failures) == (generation, failures)]
    before = [entry.generation for entry in sent if 0 < entry.generation < generation]
    if failures == 0 and before:
        held += _last_try(entries, sent, max(before))
    return held


def _last_try(
    entries: list[Entry], sent: list[Scheduled | Traced], generation: int
) -> list[Scheduled | Traced]:
    """Return what the last try of an earlier generation asked for, whatever became of it.

    A recovery forgets failures: what the task called after one, it may not call after a success. What was sent
    before the child that failed, or a while before it failed, cannot have followed from that.
    """
    last = max(entry.failures for entry in sent if entry.generation == generation)
    held = [entry for entry in sent if (entry.generation, entry.failures) == (generation, last)]
    sent_at = {call_id: entry.at for entry in held for call_id in _calls([entry])}
    failed_at = {
        entry.action_id: entry.at
        for entry in entries
        if isinstance(entry, Completed) and entry.outcome.error is not None and entry.action_id in sent_at
    }
    if not failed_at:
        return held
    until = max(min(sent_at[child] for child in failed_at), min(failed_at.values()) - WINDOW_S)  # clocks differ
    return [entry for entry in held if entry.at <= until]


def _calls(sent: Iterable[Scheduled | Traced]) -> dict[str, Asked]:
    calls: dict[str, Asked] = {}
    for entry in sent:
        if isinstance(entry, Traced):
            calls[entry.trace_id] = Asked(f"trace {entry.name}")
        else:
            calls.update({child.action_id: Asked(child.task, child.inputs) for child in entry.children})
    return calls


def _list(calls: Counter[Asked], of: Counter[str] | None) -> str:
    """Return calls by task: how many (of how many), and with which inputs."""
    by_task: dict[str, list[Asked]] = {}
    counts: Counter[str] = Counter()
    for call, count in calls.items():
        by_task.setdefault(call.what, []).append(call)
        counts[call.what] += count
    named = [
        f"{counts[what]}{f' of {of[what]}' if of else ''} x {what}{_inputs(by_task[what])}"
        for what in sorted(by_task)[:TASKS_NAMED]
    ]
    more = len(by_task) - len(named)
    return ", ".join([*named, f"calls of {more} other tasks"] if more else named)


def _inputs(calls: list[Asked]) -> str:
    digests = sorted({call.inputs for call in calls if call.inputs})
    if not digests:
        return ""
    more = ", ..." if len(digests) > DIGESTS_NAMED else ""
    return f" (inputs {', '.join(digests[:DIGESTS_NAMED])}{more})"


def _shape(left: Counter[Asked], unknown: Counter[Asked]) -> str:
    """Return what the two sides have in common: the same calls in a different shape."""
    same = {call.what for call in left} & {call.what for call in unknown}
    if not same:
        return ""
    regrouped = {call.what for call in left if call in unknown and call.inputs}
    parts = []
    if regrouped:
        parts.append(f"the same inputs of {', '.join(sorted(regrouped)[:TASKS_NAMED])} came in another group")
    if same - regrouped:
        parts.append(f"{', '.join(sorted(same - regrouped)[:TASKS_NAMED])} got other inputs")
    return f" ({'; '.join(parts)})"
