"""What statements of a module do besides binding names: they fill lists, register functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upwell._author.code_version.names import bound_in, root_name
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
    """What a statement does as the module is imported.

    Attributes:
        changed: Names whose value it changes: `X[0] = 1`, `X.append(1)`.
        passed: Names that it gives to a call and keeps no result of: `fill(X)`.
        given: Names that it gives to any call: `f` of `g = trace(f)`.
        registered_with: Names of a decorator's object: `X` of `@X.register`.
        called: Functions that it calls, by their name alone; decorators too.
    """

    changed: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    registered_with: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()


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
        return Effects(registered_with=_objects(node.decorator_list), called=_called(node.decorator_list))
    if isinstance(node, ast.Import | ast.ImportFrom):
        return Effects()
    executed = list(_executed([node]))
    changed = _targets(executed)
    calls_for_effect = [n.value for n in executed if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]
    methods = [call.func for call in calls_for_effect if isinstance(call.func, ast.Attribute)]
    changed.update(root for method in methods if (root := root_name(method)))
    return Effects(
        changed=frozenset(changed),
        passed=_given(calls_for_effect),
        given=_given(executed),
        called=_names_called(executed),
    )


def effects_of_call(node: Function) -> CallEffects:
    """Return what a call of a function of the module does."""
    bound = bound_in(node.body)
    local = bound.names | {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
    executed = list(_executed(node.body))
    changed = _targets(executed) | {
        root
        for call in executed
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in _CHANGING_METHODS and (root := root_name(call.func))
    }
    stored = {n.id for n in executed if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return CallEffects(frozenset((changed - local) | (stored & bound.outer)), _names_called(executed) - local)


def _executed(nodes: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield what runs when these statements do: all but the insides of functions and classes."""
    todo: list[ast.AST] = list(nodes)
    while todo:
        node = todo.pop()
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            yield node
            todo += ast.iter_child_nodes(node)


def _targets(executed: list[ast.AST]) -> set[str]:
    """Return the names of which an item or an attribute is assigned or deleted."""
    found = set()
    for node in executed:
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.add(root_name(node))
    return {name for name in found if name is not None}


def _given(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that are arguments of calls."""
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    given = [a for call in calls for a in (*call.args, *(k.value for k in call.keywords))]
    return frozenset(a.id for a in given if isinstance(a, ast.Name))


def _names_called(executed: list[ast.AST]) -> frozenset[str]:
    calls = [n.func for n in executed if isinstance(n, ast.Call)]
    return frozenset(f.id for f in calls if isinstance(f, ast.Name))


def _objects(decorators: list[ast.expr]) -> frozenset[str]:
    """Return the objects whose methods decorate; `X.task` only makes a task."""
    called = [d.func if isinstance(d, ast.Call) else d for d in decorators]
    methods = [d for d in called if isinstance(d, ast.Attribute) and d.attr != "task"]
    return frozenset(root for d in methods if (root := root_name(d)))


def _called(decorators: list[ast.expr]) -> frozenset[str]:
    called = [d.func if isinstance(d, ast.Call) else d for d in decorators]
    return frozenset(d.id for d in called if isinstance(d, ast.Name))
