"""Records as DynamoDB items, and back.

What other components write or index is an attribute of its own; the rest is the JSON of `wire` in `record`.

The state machine ends a run by setting `status`, `ended_at`, `outcome` and `error_code` in place, without
knowing of versions. `saved_status` tells such a write: it keeps the status that the record was last saved with,
so where the two differ, somebody else wrote once since, and the run counts as one version newer.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from upwell._aws.dynamodb_table import Condition, Item
from upwell._core.keys import action_pk, cache_shard, task_shard
from upwell._core.limits import KIB
from upwell._core.model import (
    ActionKey,
    ActionRecord,
    CacheEntry,
    CacheSummary,
    ErrorInfo,
    Outcome,
    RunRecord,
    Status,
)
from upwell._core.usage import WRITE_UNIT_BYTES, item_bytes
from upwell._core.wire import (
    WireError,
    dump_cache_entry,
    dump_cache_summary,
    dump_outcome,
    dump_record,
    dump_run,
    load_cache_entry,
    load_cache_summary,
    load_outcome,
    load_record,
    load_run,
)

RUN_SK = "run"
VIEW_SK_PREFIX = "view#"
RUNS_LISTING = "run"
"""Partition of the index that lists runs by time."""
DEFLATED_BYTES_MAX = 64 * KIB
"""Items above this stay as they are: to deflate one takes milliseconds, in which nothing else runs."""
IMAGES_KEPT = 2048
"""Records that the stream told of, as they were parsed: those of its batch, and of one or two before."""
ABSENT = Condition(expression="attribute_not_exists(pk)")


def text(value: str) -> dict[str, str]:
    """Return a string in attribute-value form."""
    return {"S": value}


def number(value: float) -> dict[str, str]:
    """Return a number in attribute-value form."""
    return {"N": str(value)}


def with_expiry(item: Item, since: float, retention_s: float | None) -> Item:
    """Return an item that DynamoDB deletes some time after an instant (TTL); None keeps it."""
    return item if retention_s is None else {**item, "expires_at": number(int(since + retention_s))}


def compact(item: Item, name: str, content: str) -> Item:
    """Return an item with one more attribute, deflated if it takes more than a write unit otherwise."""
    whole = {**item, name: text(content)}
    if WRITE_UNIT_BYTES < item_bytes(whole) <= DEFLATED_BYTES_MAX:
        whole[name] = {"B": zlib.compress(content.encode())}
    return whole


def expanded(attribute: Mapping[str, Any]) -> str:
    """Return the text of an attribute that `compact` made."""
    ((kind, content),) = attribute.items()
    return zlib.decompress(content).decode() if kind == "B" else str(content)


# --- actions --------------------------------------------------------------------------------------------------


def action_item_key(key: ActionKey) -> Item:
    """Return where an action record is."""
    return {"pk": text(action_pk(key.run_id, key.action_id)), "sk": text(key.action_id)}


def action_item(record: ActionRecord) -> Item:
    """Return an action record as an item. The fold reads `run_id`, `task`, `status`, `hits` in the stream."""
    item = {
        **action_item_key(record.key),
        "run_id": text(record.spec.run.run_id),
        "task": text(record.spec.task.name),
        "status": text(record.status.value),
        "version": number(record.version),
        "generation": number(record.generation),
    }
    if record.hits:
        item["hits"] = {"M": {task: number(count) for task, count in record.hits.items()}}
    return compact(item, "record", dump_record(record))


def read_hits(item: Mapping[str, Any]) -> dict[str, int]:
    """Return how many calls of an action were answered from the cache, by task."""
    return {task: int(count["N"]) for task, count in item.get("hits", {"M": {}})["M"].items()}


def read_action(item: Item) -> ActionRecord:
    """Return the record of an item."""
    return load_record(expanded(item["record"]))


def read_image(item: Mapping[str, Any]) -> ActionRecord:
    """Return the record of an item of the stream; in an event of Lambda, its bytes are in base64.

    What one change left is what the next one of the action found: it is parsed once.

    Raises:
        WireError: it is none.
    """
    try:
        ((_, content),) = item["record"].items()
        return _parsed(content, "B" in item["record"])
    except (ValueError, TypeError, zlib.error) as e:
        raise WireError(f"an item whose record is no text: {type(e).__name__}") from e


@lru_cache(maxsize=IMAGES_KEPT)
def _parsed(content: str | bytes, is_deflated: bool) -> ActionRecord:
    if is_deflated:
        content = base64.b64decode(content) if isinstance(content, str) else content
        return load_record(zlib.decompress(content).decode())
    return load_record(str(content))


def version_is(expected: int | None) -> Condition:
    """Return the condition that an action's stored version is `expected` (None: that there is none)."""
    if expected is None:
        return ABSENT
    return Condition(
        expression="#version = :expected", names={"#version": "version"}, values={":expected": number(expected)}
    )


# --- cache ----------------------------------------------------------------------------------------------------


def cache_item(entry: CacheEntry) -> Item:
    """Return a cache entry as an item. What lists show is in `about` alone, which the index has a copy of."""
    item = {"pk": text(entry.key), "entry": text(dump_cache_entry(replace(entry, parts=None, max_age_s=None)))}
    if not entry.task:
        return item
    return item | {
        "task_shard": text(task_shard(entry.task, cache_shard(entry.key))),
        "created_at": number(entry.created_at),
        "about": text(dump_cache_summary(entry.summary)),
    }


def read_cached(item: Item) -> CacheEntry:
    """Return the cache entry of an item."""
    entry = load_cache_entry(item["entry"]["S"])
    if "about" not in item:
        return entry
    about = load_cache_summary(item["about"]["S"])
    return replace(entry, task=about.task, parts=about.parts, max_age_s=about.max_age_s)


def read_summary(item: Item) -> CacheSummary:
    """Return what a list shows of a cache entry, of an item of the table or of its index."""
    return load_cache_summary(item["about"]["S"]) if "about" in item else read_cached(item).summary


# --- runs -----------------------------------------------------------------------------------------------------


def run_item_key(run_id: str) -> Item:
    """Return where a run record is."""
    return {"pk": text(run_id), "sk": text(RUN_SK)}


def run_item(run: RunRecord) -> Item:
    """Return a run as an item: what `save_run` stores, and the state machine writes at the start."""
    item = {
        **run_item_key(run.spec.run_id),
        "listing": text(RUNS_LISTING),
        "created_at": text(instant(run.spec.created_at)),
        "status": text(run.status.value),
        "saved_status": text(run.status.value),
        "version": number(run.version),
        "record": text(dump_run(replace(run, outcome=None, ended_at=None, look_at=None, looked_at=0.0))),
    }
    if run.look_at is not None and run.status is not Status.SUCCEEDED:
        item |= {"look_at": number(run.look_at), "looked_at": number(run.looked_at)}
    if run.ended_at is not None:
        item["ended_at"] = text(instant(run.ended_at))
    if run.outcome is not None:
        item["outcome"] = text(dump_outcome(run.outcome))
        if run.outcome.error is not None:
            item["error_code"] = text(run.outcome.error.code)
    return item


def written_as(statuses: Collection[Status]) -> set[str]:
    """Return what items of runs in these statuses may have as theirs.

    The state machine writes FAILED for each end that is none of success; `read_run` tells which it was.
    """
    ends = {Status.ABORTED, Status.TIMED_OUT}.intersection(statuses)
    return {status.value for status in statuses} | ({Status.FAILED.value} if ends else set())


def read_run(item: Item) -> RunRecord:
    """Return the run of an item; what was written in place wins over what was saved."""
    saved = load_run(item["record"]["S"])
    status = Status(item["status"]["S"])
    overtaken = status.value != item["saved_status"]["S"]
    outcome = _run_outcome(item, status)
    if status is Status.FAILED and outcome is not None:
        status = outcome.status  # the state machine knows failures only; the root action knows which
    return replace(
        saved,
        status=status,
        version=int(item["version"]["N"]) + overtaken,
        ended_at=datetime.fromisoformat(item["ended_at"]["S"]).timestamp() if "ended_at" in item else None,
        outcome=outcome,
        look_at=float(item["look_at"]["N"]) if "look_at" in item else None,
        looked_at=float(item["looked_at"]["N"]) if "look_at" in item else 0.0,
    )


def look_is(look_at: float) -> Condition:
    """Return the condition that a run is to be looked at when it was planned."""
    return Condition(expression="look_at = :planned", values={":planned": number(look_at)})


def run_version_is(expected: int | None) -> Condition:
    """Return the condition that a run's version, as `read_run` tells it, is `expected`."""
    if expected is None:
        return ABSENT
    return Condition(
        expression="(#version = :expected AND #status = saved_status) "
        "OR (#version = :before AND #status <> saved_status)",
        names={"#version": "version", "#status": "status"},
        values={":expected": number(expected), ":before": number(expected - 1)},
    )


def _run_outcome(item: Mapping[str, Any], status: Status) -> Outcome | None:
    recorded = item.get("outcome", {}).get("S", "")
    try:
        return load_outcome(recorded) if recorded else _unexplained(item, status, "")
    except WireError:  # the cause of a failure of the state machine itself
        return _unexplained(item, status, recorded)


def _unexplained(item: Mapping[str, Any], status: Status, cause: str) -> Outcome | None:
    """Return the outcome of a run whose end no executor told of."""
    code = item.get("error_code", {}).get("S", "")
    if not code and not cause:
        return None
    message = cause or f"the run ended as {status.value}"
    error = ErrorInfo(code=code or "RuntimeSystemError", message=message, kind="system", recoverable=False)
    return Outcome(status=status, error=error)


def instant(at: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC; such texts sort by time."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
