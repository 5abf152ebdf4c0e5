"""Why an action ran and what took its time, as a JSON document and as text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from upwell._cli.cache_document import age_text
from upwell._cli.profile_command import time_text
from upwell._client.documents import inputs_document, instant, provenance_document
from upwell._core.key_difference import Difference
from upwell._core.model import ActionRecord, CacheSummary
from upwell._core.took import Step
from upwell._core.why import TEXTS, Reason
from upwell._exec.explain import Explanation

VALUE_CHARS = 200
"""What is shown of an input's value."""
DIFF_LINES = 40
"""What is shown of one part's diff; the document has all of it."""
LEAST_SHARE = 0.005
"""Steps that took less of the time are left out of the text."""


def why_document(
    record: ActionRecord, found: Explanation, steps: Sequence[Step], remarks: Sequence[str]
) -> dict[str, Any]:
    """Return the document that `upwell why --json` prints."""
    spec, verdict, parts = record.spec, found.verdict, record.spec.task.cache_parts
    since, until = spec.queued_at or record.created_at, record.ended_at
    stale = spec.unusable
    return {
        "run": spec.run.run_id,
        "action": spec.action_id,
        "task": spec.task.name,
        "status": record.status.value.lower(),
        "ran": bool(record.attempts) and record.cached_from is None,
        "reason": verdict.reason.name.lower(),
        "text": TEXTS[verdict.reason],
        "cached": provenance_document(record),
        "unusable": None
        if stale is None
        else {
            "run": stale.made_by.run_id,
            "action": stale.made_by.action_id,
            "created_at": instant(stale.made_at),
            "max_age_s": spec.task.cache_max_age_s,
            "age_s": round(max(0.0, since - stale.made_at), 3),
        },
        "key": spec.task.cache_key,
        "version": parts.version if parts is not None else None,
        "version_from": parts.how if parts is not None else None,
        "nearest": None if verdict.entry is None else _entry_document(verdict.entry, since),
        "differences": [_difference_document(each, found) for each in found.differences],
        "took_s": None if until is None else round(until - since, 6),
        "steps": [
            {"attempt": s.attempt or None, "phase": s.phase, "text": s.text, "took_s": round(s.took_s, 6)}
            for s in steps
        ],
        "attempts": [
            {
                "number": a.number,
                "generation": a.generation,
                "executor_kind": a.executor.kind,
                "executor_id": a.executor.id,
                "end": a.end or None,
                "error_code": a.error.code if a.error is not None else None,
            }
            for a in record.attempts
        ],
        "remarks": list(remarks),
    }


def _entry_document(entry: CacheSummary, now: float) -> dict[str, Any]:
    return {
        "key": entry.key,
        "run": entry.made_by.run_id,
        "action": entry.made_by.action_id,
        "created_at": instant(entry.created_at),
        "age_s": round(max(0.0, now - entry.created_at), 3),
        "version": entry.parts.version if entry.parts is not None else None,
    }


def _difference_document(each: Difference, found: Explanation) -> dict[str, Any]:
    before, after = each.before, each.after
    if each.part == "input":
        before, after = _value(found.their_inputs, each.name), _value(found.inputs, each.name)
    return {
        "part": each.part,
        "name": each.name or None,
        "kind": each.kind or None,
        "change": each.change,
        "before": before,
        "after": after,
        "diff": list(each.diff),
    }


def _value(encoded: bytes | None, name: str) -> str | None:
    """Return the value of an input as text; what was pickled is named, and never unpickled."""
    values = {} if encoded is None else inputs_document(encoded)
    if name not in values:
        return None
    text = json.dumps(values[name], ensure_ascii=False)
    return text if len(text) <= VALUE_CHARS else f"{text[: VALUE_CHARS - 4]} ..."


def why_lines(shown: dict[str, Any]) -> list[str]:
    """Return what `upwell why` prints, given as the document."""
    return [*_verdict_lines(shown), *_time_lines(shown)]


def _verdict_lines(shown: dict[str, Any]) -> list[str]:
    cached, stale, near = shown["cached"], shown["unusable"], shown["nearest"]
    if cached is not None:
        made_at = f", made {cached['created_at']}" if cached["created_at"] else ""
        return [
            f"{shown['task']} did not run: {shown['text']}",
            f"  by {cached['run']}/{cached['action']}{made_at}",
        ]
    verb = "ran" if shown["ran"] else f"is {shown['status']}"
    lines = [f"{shown['task']} {verb}: {shown['text']}"]
    if stale is not None:
        age = f"{age_text(stale['age_s'])} old"
        limit = f", and max_age is {age_text(stale['max_age_s'])}" if stale["max_age_s"] else ""
        lines.append(f"  of {stale['run']}/{stale['action']}, {age}{limit}")
    if near is not None:
        which = "nearest" if shown["reason"] == Reason.NEW_KEY.name.lower() else "equal"
        lines.append(f"  {which}: {near['run']}/{near['action']}, kept {age_text(near['age_s'])} before")
    for each in shown["differences"]:
        lines += _difference_lines(each)
    return lines


def _difference_lines(each: dict[str, Any]) -> list[str]:
    match each["part"], each["change"]:
        case "code", "depends":
            return [f"  code: {each['name']} names something that means something else now"]
        case "code", change:
            head = f"  code: {each['kind'] or ''} {each['name']} {_CHANGES[change]}"
        case "interface", _:
            head = "  interface: parameters or result changed"
        case part, _:
            name = f" {each['name']}" if each["name"] else ""
            head = f"  {part}{name}: {_known(each['before'])} -> {_known(each['after'])}"
            if each["before"] is None and each["after"] is None:
                head = f"  {part}{name}: differs"
    diff = each["diff"]
    more = [f"    ... {len(diff) - DIFF_LINES} more lines"] if len(diff) > DIFF_LINES else []
    return [head.replace("  code:  ", "  code: "), *(f"    {line}" for line in diff[:DIFF_LINES]), *more]


_CHANGES = {"changed": "changed", "new": "is new", "gone": "is gone"}


def _known(text: str | None) -> str:
    return "(not known)" if text is None else text or "(empty)"


def _time_lines(shown: dict[str, Any]) -> list[str]:
    lines, took_s = [], shown["took_s"]
    if took_s is not None and shown["attempts"]:
        lines.append(f"it took {time_text(took_s)} from its call to its end:")
    shown_attempts = {a["number"]: f"on {a['executor_kind']} {a['executor_id']}" for a in shown["attempts"]}
    for step in shown["steps"]:
        if took_s and step["took_s"] < LEAST_SHARE * took_s:
            continue
        where = f"attempt {step['attempt']}: " if step["attempt"] else ""
        on = f" {shown_attempts[step['attempt']]}" if step["phase"] == "run" else ""
        lines.append(f"  {time_text(step['took_s']):>10}  {where}{step['text']}{on}")
    return [*lines, *(f"  {remark}" for remark in shown["remarks"])]
