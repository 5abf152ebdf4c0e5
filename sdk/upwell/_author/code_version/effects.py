"""What statements of a module do besides binding names: they fill lists, register functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upwell._author.code_version.names import Dotted, bound_in, object_path
from upwell._author.code_version.normal import Function

_CHANGING_METHODS = frozenset(
    [
        *("append", "appendleft", "extend", "extendleft", "insert", "reverse", "rotate", "sort"),
        *("add", "discard", "update", "difference_update", "intersection_update"),
        *("symmetric_difference_update", "clear", "pop", "popitem", "popleft", "remove", "setdefault"),
        *("__delitem__", "__setitem__"),
    ]
)
"""Methods of Python's containers that change them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a statement does as the module is imported, by the names that are written: `registry.HANDLERS`.

    Attributes:
        changed: Names whose value it changes: `X[0] = 1`, `X.append(1)`.
        registered_with: Names of a decorator's object: `X` of `@X.register`.
        called: Functions that it calls; decorators too.
        passed: Names that it gives to a call and keeps no result of: `fill(X)`.
        given: Names that it gives to any call: `f` of `g = trace(f)`.
    """

    changed: frozenset[Dotted] = frozenset()
    registered_with: frozenset[Dotted] = frozenset()
    called: frozenset[Dotted] = frozenset()
    passed: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallEffects:
    """What a call of a function does.

    Attributes:
        changed: Names of the module whose value it changes.
        called: Functions that it calls, by their name alone.
    """

    changed: frozenset[str]
    called: frozenset[str]


def effects_of(node: ast.stmt) -> Effects:
    """Return what a statement of a module does."""
    if isinstance(node, Function | ast.ClassDef):
        decorators = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
        methods = [d for d in decorators if isinstance(d, ast.Attribute) and d.attr != "task"]
        return Effects(registered_with=_paths(m.value for m in methods), called=_paths(decorators))
    if isinstance(node, ast.Import | ast.ImportFrom):
        return Effects()
    executed = list(_executed([node]))
    calls = [n for n in executed if isinstance(n, ast.Call)]
    for_effect = [n.value for n in executed if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
    objects = [call.func.value for call in for_effect if isinstance(call.func, ast.Attribute)]
    return Effects(
        changed=_paths([*_targets(executed), *objects]),
        called=_paths(call.func for call in calls),
        passed=_given(for_effect),
        given=_given(calls),
    )


def effects_of_call(node: Function) -> CallEffects:
    """Return what a call of a function of the module does."""
    bound = bound_in(node.body)
    local = bound.names | {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    executed = list(_executed(node.body))
    calls = [n.func for n in executed if isinstance(n, ast.Call)]
    objects = [f.value for f in calls if isinstance(f, ast.Attribute) and f.attr in _CHANGING_METHODS]
    changed = {path[0] for path in _paths([*_targets(executed), *objects])}
    stored = {n.id for n in executed if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    called = frozenset(f.id for f in calls if isinstance(f, ast.Name))
    return CallEffects(frozenset((changed - local) | (stored & bound.of_module)), called - local)


def _executed(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when these statements do: all but the insides of functions and classes."""
    todo: list[ast.AST] = list(nodes)
    while todo:
        node = todo.pop()
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            yield node
            todo += ast.iter_child_nodes(node)


def _targets(executed: list[ast.AST]) -> Iterator[ast.expr]:
    """Yield the objects of which an item or an attribute is assigned or deleted."""
    for node in executed:
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            yield node.value


def _paths(nodes: Iterable[ast.expr]) -> frozenset[Dotted]:
    return frozenset(path for node in nodes if (path := object_path(node)))


def _given(calls: Iterable[ast.Call]) -> frozenset[str]:
    """Return the names that are arguments of calls."""
    given = [a for call in calls for a in (*call.args, *(k.value for k in call.keywords))]
    return frozenset(a.id for a in given if isinstance(a, ast.Name))
