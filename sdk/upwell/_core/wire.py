"""What crosses a process boundary, as JSON: messages, records, journal entries.

Readers accept what older writers wrote: fields may be added with defaults, never renamed or removed; golden
files in tests/golden hold each version. Encoding is by the dataclasses of `model`, by name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from upwell._core.holds import Hold
from upwell._core.journal import Completed, Entry, Hits, Missed, Scheduled, Traced, Traces
from upwell._core.model import ActionRecord, ActionSpec, CacheEntry, CacheSummary, Outcome, RunRecord

WIRE_VERSION = 1
T = TypeVar("T")


class WireError(ValueError):
    """Bytes from outside are not what they should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The body of a queue message."""

    action: ActionSpec
    task_token: str | None = None
    """Of the state machine that waits; on the root action only."""
    v: int = 1
    """Messages of version 1 do not say so."""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _dump(kind: Any, value: object) -> str:
    data: bytes = _adapter(kind).dump_json(value, exclude_defaults=True)
    return data.decode()


def _load(kind: type[T], text: str | bytes, what: str) -> T:
    try:
        value: T = _adapter(cast(Any, kind)).validate_json(text)
    except ValidationError as e:
        raise WireError(f"this is not {what}: {e.errors(include_url=False, include_input=False)}") from e
    return value


def dump_message(message: Message) -> str:
    """Return the body of a queue message."""
    return _dump(Message, replace(message, v=WIRE_VERSION))


def load_message(body: str) -> Message:
    """Read the body of a queue message.

    Raises:
        WireError: it isn't one, or it is of a later version than this code knows.
    """
    message = _load(Message, body, "an action message")
    if message.v > WIRE_VERSION:
        raise WireError(f"the message is of version {message.v}, this executor reads up to {WIRE_VERSION}")
    return message


def salvage_message(body: str) -> Message | None:
    """Read what it takes to end the action of a message that `load_message` refuses; None if it lacks that."""
    try:
        content = json.loads(body)
        action, token = content["action"], content.get("task_token")
        run, task = action["run"], action["task"]
        essential: dict[str, Any] = {
            "run": {name: run[name] for name in ("run_id", "generation") if name in run},
            "action_id": action["action_id"],
            "task": {name: task[name] for name in ("name", "module", "pool")},
            "inputs": {"size_bytes": 0},
            "parent_sleeps": True,
        }
        essential |= {name: action[name] for name in ("parent_id", "shard", "queued_at") if name in action}
        return _load(Message, json.dumps({"action": essential, "task_token": token}), "an action message")
    except (ValueError, KeyError, TypeError, AttributeError):  # a WireError is a ValueError
        return None


def dump_action(spec: ActionSpec) -> dict[str, Any]:
    """Return an action as the JSON object that the state machine puts into the root's message."""
    action: dict[str, Any] = json.loads(_dump(ActionSpec, spec))
    return action


def dump_record(record: ActionRecord) -> str:
    """Return an action record as JSON."""
    return _dump(ActionRecord, record)


def load_record(text: str) -> ActionRecord:
    """Read an action record."""
    return _load(ActionRecord, text, "an action record")


def dump_run(run: RunRecord) -> str:
    """Return a run record as JSON."""
    return _dump(RunRecord, run)


def load_run(text: str) -> RunRecord:
    """Read a run record."""
    return _load(RunRecord, text, "a run record")


def dump_outcome(outcome: Outcome) -> str:
    """Return an outcome as JSON."""
    return _dump(Outcome, outcome)


def load_outcome(text: str) -> Outcome:
    """Read an outcome."""
    return _load(Outcome, text, "an outcome")


def dump_cache_entry(entry: CacheEntry) -> str:
    """Return a cache entry as JSON."""
    return _dump(CacheEntry, entry)


def load_cache_entry(text: str) -> CacheEntry:
    """Read a cache entry."""
    return _load(CacheEntry, text, "a cache entry")


def dump_cache_summary(summary: CacheSummary) -> str:
    """Return what a list of the cache says of an entry as JSON."""
    return _dump(CacheSummary, summary)


def load_cache_summary(text: str) -> CacheSummary:
    """Read what a list of the cache says of an entry."""
    return _load(CacheSummary, text, "the summary of a cache entry")


def dump_hold(hold: Hold) -> str:
    """Return a hold as JSON."""
    return _dump(Hold, hold)


def load_hold(text: str) -> Hold:
    """Read a hold."""
    return _load(Hold, text, "a hold")


_KINDS: dict[str, type[Entry]] = {
    "s": Scheduled,
    "c": Completed,
    "t": Traced,
    "g": Traces,
    "m": Missed,
    "h": Hits,
}


def dump_entry(entry: Entry) -> str:
    """Return a journal entry: a letter for its kind, then JSON."""
    letter = next(k for k, kind in _KINDS.items() if isinstance(entry, kind))
    return letter + _dump(_KINDS[letter], entry)


def load_entry(text: str) -> Entry:
    """Read a journal entry."""
    if text[:1] not in _KINDS:
        raise WireError(f"a journal entry cannot start with {text[:1]!r}")
    return _load(_KINDS[text[0]], text[1:], "a journal entry")
