"""Why an action ran instead of taking a kept result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upwell._core.model import ActionRecord, CacheSummary


class Reason(StrEnum):
    """Why an action ran, or why it did not have to."""

    HIT = "hit"
    NOT_CACHED = "not cached"
    OFF = "caching off"
    OVERWRITE = "run overwrites"
    WRITE_ONLY = "always computed"
    TOO_OLD = "too old"
    DATA_GONE = "data gone"
    AT_THE_SAME_TIME = "at the same time"
    NEW_KEY = "new key"
    FIRST = "first"


TEXTS = {
    Reason.HIT: "its result was kept",
    Reason.NOT_CACHED: 'its task keeps no results: cache="auto" would',
    Reason.OFF: "its run was started with disable_run_cache",
    Reason.OVERWRITE: "its run was started with overwrite_cache: kept results are not used, and replaced",
    Reason.WRITE_ONLY: 'its task has cache="override": it is always computed, and the result kept',
    Reason.TOO_OLD: "the kept result was older than max_age",
    Reason.DATA_GONE: "the data of the kept result was deleted",
    Reason.AT_THE_SAME_TIME: "an equal call was being computed then; Cache(serialize=True) would have waited",
    Reason.NEW_KEY: "no result is kept under its key",
    Reason.FIRST: "no earlier result of its task is kept",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of an action.

    Attributes:
        reason: Why it ran.
        entry: The kept result that this is about: of the same key, or the nearest one.
    """

    reason: Reason
    entry: CacheSummary | None = None


def decided_early(record: ActionRecord) -> Reason | None:
    """Return why an action ran, or did not, where the action itself tells; None if its key must be compared."""
    spec = record.spec
    if record.cached_from is not None:
        return Reason.HIT
    if spec.task.cache_parts is None:
        return Reason.NOT_CACHED
    if spec.run.cache_mode == "off":
        return Reason.OFF
    if spec.task.cache_write_only:
        return Reason.WRITE_ONLY
    if spec.run.cache_mode == "overwrite":
        return Reason.OVERWRITE
    if spec.unusable is not None:
        return Reason.TOO_OLD if spec.unusable.why == "too old" else Reason.DATA_GONE
    return None


def judge(record: ActionRecord, same: CacheSummary | None, near: CacheSummary | None) -> Verdict:
    """Return why an action ran that had no result to take.

    Args:
        record: The action.
        same: What is kept under its key now, if that is another action's.
        near: The nearest earlier result of its task.
    """
    early = decided_early(record)
    if early is not None:
        return Verdict(reason=early)
    if same is not None and same.made_by != record.key:
        return Verdict(reason=Reason.AT_THE_SAME_TIME, entry=same)
    if near is None:
        return Verdict(reason=Reason.FIRST)
    return Verdict(reason=Reason.NEW_KEY, entry=near)
