"""How the cache key of an action differs from that of an earlier result of its task."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from upwell._core.key_parts import CodeDocument, CodePart, KeyParts
from upwell._core.model import CacheSummary

CONTEXT_LINES = 1
"""Unchanged lines that a diff shows around changed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One part of two keys that is not the same.

    Attributes:
        part: `code`, `version`, `interface`, `policy` or `input`.
        name: Which one: a function, class or constant, a parameter, a setting.
        kind: Of code: what the part is; and how it differs: `changed`, `new` or `gone`.
        change: `changed`, `new`, `gone`, or `depends`: it names something that means something else now.
        before: What it was, where that is known and short.
        after: What it is.
        diff: Of code and interfaces: lines of a unified diff.
    """

    part: str
    name: str = ""
    kind: str = ""
    change: str = "changed"
    before: str | None = None
    after: str | None = None
    diff: tuple[str, ...] = field(default=())


def nearest(
    mine: KeyParts, candidates: Iterable[CacheSummary], ignored: Iterable[str] = ()
) -> CacheSummary | None:
    """Return the earlier result whose key has most in common with this one; of several, the latest.

    Args:
        mine: Parts of this key.
        candidates: Earlier results of the same task.
        ignored: Parameters that do not count.
    """
    known = [each for each in candidates if each.parts is not None]
    return max(known, key=lambda each: (_in_common(mine, each.parts, ignored), each.created_at), default=None)


def differing_inputs(mine: KeyParts, theirs: KeyParts, ignored: Iterable[str] = ()) -> list[str]:
    """Return the parameters whose values differ, or that one of the two does not have."""
    names = dict.fromkeys([*mine.inputs, *theirs.inputs])
    left_out = set(ignored)
    return [n for n in names if n not in left_out and mine.inputs.get(n) != theirs.inputs.get(n)]


def differences(
    mine: KeyParts, theirs: KeyParts, code: CodeDocument | None, their_code: CodeDocument | None
) -> list[Difference]:
    """Return what differs, the code first; values of inputs are for the caller to fill in.

    Args:
        mine: Parts of this key.
        theirs: Parts of the other one.
        code: What this task's code is; None where that is not known any more.
        their_code: What it was.
    """
    found: list[Difference] = []
    if mine.code != theirs.code:
        if code is None or their_code is None:
            found += _unknown_code(mine, theirs)
        else:
            found += _of_documents(code, their_code)
    ignored = () if code is None else code.ignored
    found += [Difference(part="input", name=name) for name in differing_inputs(mine, theirs, ignored)]
    return found


def _in_common(mine: KeyParts, theirs: KeyParts | None, ignored: Iterable[str]) -> int:
    if theirs is None:
        return -1
    left_out = set(ignored)
    equal = [name for name, value in mine.inputs.items() if theirs.inputs.get(name) == value]
    same_code = (mine.code == theirs.code) + ((mine.how, mine.version) == (theirs.how, theirs.version))
    return same_code + sum(name not in left_out for name in equal)


def _unknown_code(mine: KeyParts, theirs: KeyParts) -> list[Difference]:
    if (mine.how, mine.version) == (theirs.how, theirs.version):
        return [Difference(part="code", name="interface or policy")]
    return [Difference(part="version", before=_label(theirs), after=_label(mine))]


def _label(parts: KeyParts) -> str:
    return f"{parts.version} ({parts.how})"


def _of_documents(mine: CodeDocument, theirs: CodeDocument) -> list[Difference]:
    found = []
    if mine.signature != theirs.signature:
        diff = _diff(theirs.signature, mine.signature)
        found.append(Difference(part="interface", diff=diff))
    settings = ("how", "salt", "ignored", "policies")
    for name in settings:
        before, after = getattr(theirs, name), getattr(mine, name)
        if before != after:
            found.append(Difference(part="policy", name=name, before=_text(before), after=_text(after)))
    if mine.version != theirs.version and mine.how == theirs.how and mine.salt == theirs.salt:
        code = _of_parts(mine.parts, theirs.parts)
        if code and mine.how == "auto":
            found += code
        else:
            found.append(Difference(part="version", before=theirs.label, after=mine.label))
    return found


def _of_parts(mine: tuple[CodePart, ...], theirs: tuple[CodePart, ...]) -> list[Difference]:
    """Return the parts of code that differ: first those whose own text does."""
    before, after = _by_name(theirs), _by_name(mine)
    changed, depending = [], []
    for name in dict.fromkeys([*after, *before]):
        old, new = before.get(name), after.get(name)
        if old is not None and new is not None and old.digest == new.digest:
            continue
        part = new or old
        assert part is not None  # it is in one of the two
        if old is not None and new is not None and old.source == new.source:
            depending.append(Difference(part="code", name=name, kind=part.kind, change="depends"))
            continue
        change = "new" if old is None else "gone" if new is None else "changed"
        diff = _diff(_lines(old), _lines(new))
        changed.append(Difference(part="code", name=name, kind=part.kind, change=change, diff=diff))
    return changed + depending


def _by_name(parts: tuple[CodePart, ...]) -> Mapping[str, CodePart]:
    return {part.name: part for part in parts}


def _lines(part: CodePart | None) -> tuple[str, ...]:
    return () if part is None else tuple(part.source.splitlines())


def _diff(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    lines = list(difflib.unified_diff(before, after, n=CONTEXT_LINES, lineterm=""))
    return tuple(lines[2:])  # without the names of files


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
