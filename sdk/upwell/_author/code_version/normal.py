"""The normal form of source text: what is left of it when all that cannot change a result is taken away."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef
_LISTS = ("body", "orelse", "finalbody")
_IGNORED_FIELDS = frozenset({"ctx", "type_comment", "kind", "type_ignores"})


def normal_form(statement: ast.stmt, *, keeps_hints: bool = False) -> ast.stmt:
    """Return a statement of a module, or a nested function, in normal form.

    Docstrings and other lone constants, `pass`, the hints of variables, and those of functions without
    decorators are gone. A decorator can read hints (validation, dispatch by type), and those of a class's
    attributes are its fields, so these stay. Expressions are those of the argument, not copies.

    Args:
        statement: The statement.
        keeps_hints: Whether the hints of a function stay in any case.
    """
    form = _statement(statement, in_class=False)
    if keeps_hints and isinstance(form, Function) and isinstance(statement, Function):
        return _changed(form, args=statement.args, returns=statement.returns)
    return form


def _body(statements: Iterable[ast.stmt], *, in_class: bool) -> list[ast.stmt]:
    kept = [s for s in statements if not _is_idle(s, in_class=in_class)]
    return [_statement(s, in_class=in_class) for s in kept] or [ast.Pass()]


def _is_idle(node: ast.stmt, *, in_class: bool) -> bool:
    if isinstance(node, ast.AnnAssign):
        return node.value is None and not in_class
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _statement(node: ast.stmt, *, in_class: bool) -> ast.stmt:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return _changed(node, body=_body(node.body, in_class=False), **_signature(node))
    if isinstance(node, ast.ClassDef):
        return _changed(node, body=_body(node.body, in_class=True))
    if isinstance(node, ast.AnnAssign) and node.value is not None and not in_class:
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
    if isinstance(node, ast.Match):
        return _changed(node, cases=[_changed(c, body=_body(c.body, in_class=in_class)) for c in node.cases])
    blocks = {name: block for name in _LISTS if (block := getattr(node, name, None))}
    if not blocks:
        return node
    fields: dict[str, Any] = {name: _body(block, in_class=in_class) for name, block in blocks.items()}
    if handlers := getattr(node, "handlers", None):
        fields["handlers"] = [_changed(h, body=_body(h.body, in_class=in_class)) for h in handlers]
    return _changed(node, **fields)


def _signature(node: Function) -> dict[str, Any]:
    if node.decorator_list:
        return {}
    old = node.args
    plain = {name: [_unhinted(a) for a in getattr(old, name)] for name in ("posonlyargs", "args", "kwonlyargs")}
    rest = {name: _unhinted(a) for name in ("vararg", "kwarg") if (a := getattr(old, name)) is not None}
    return {"args": _changed(old, **plain, **rest), "returns": None}


def _unhinted(argument: ast.arg) -> ast.arg:
    return argument if argument.annotation is None else _changed(argument, annotation=None)


def _changed(node: Node, **fields: Any) -> Node:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def with_decorators(node: Function, decorators: Sequence[ast.expr]) -> Function:
    """Return a function in normal form with other decorators; its hints stay."""
    return _changed(node, decorator_list=list(decorators))


def dump(node: ast.AST) -> str:
    """Return the text of a tree that stands for it in hashes.

    It is the same under every version of Python whose grammar has the tree: positions and empty fields are left
    out, texts are in ASCII, and the parts of an f-string are joined as far as they go.

    Example:
        >>> dump(ast.parse("f(x)").body[0])
        'Expr(value=Call(func=Name(id=f)args=[Name(id=x),]))'
    """
    pieces: list[str] = []
    todo: list[Any] = [node]
    while todo:  # not recursive: sums of a thousand terms are a thousand levels deep
        value = todo.pop()
        if isinstance(value, ast.Constant):
            pieces.append(_constant(value.value))
        elif isinstance(value, ast.AST):
            pieces.append(f"{type(value).__name__}(")
            todo.append(")")
            for field, child in reversed(_fields(value)):
                todo += [child, f"{field}="]
        elif isinstance(value, list):
            pieces.append("[")
            todo.append("]")
            for item in reversed(value):
                todo += [",", item]
        else:
            pieces.append(value if isinstance(value, str) else repr(value))
    return "".join(pieces)


def _fields(node: ast.AST) -> list[tuple[str, Any]]:
    found = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(node, ast.JoinedStr):
            value = _joined(node.values)
        elif name == "format_spec" and isinstance(value, ast.JoinedStr) and not _joined(value.values):
            continue
        if name not in _IGNORED_FIELDS and value is not None and value != []:
            found.append((name, value))
    return found


def _constant(value: object) -> str:
    text = hex(value) if type(value) is int else ascii(value)
    return f"{type(value).__name__}:{text}"


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Return the parts of an f-string with neighbouring texts made one, and without empty ones."""
    parts: list[ast.expr] = []
    for value in values:
        if isinstance(value, ast.Constant):
            if not value.value:
                continue
            if parts and isinstance(parts[-1], ast.Constant):
                parts[-1] = ast.Constant(str(parts[-1].value) + str(value.value))
                continue
        parts.append(value)
    return parts
