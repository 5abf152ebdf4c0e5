"""What other modules put into a module's containers as they are imported: plugins, handlers, settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property

from upwell._author.code_version.names import Dotted, Use
from upwell._author.code_version.source_module import SourceModule, Statement
from upwell._author.code_version.user_modules import Definition, UserModules

_FIXED = (ast.Constant, ast.Tuple, ast.JoinedStr, ast.Lambda, ast.UnaryOp, ast.BinOp, ast.Compare, ast.BoolOp)
Touches = dict[tuple[str, str], list[tuple[SourceModule, Statement]]]


class Registrations:
    """The statements of modules that change what names of other modules hold.

    Args:
        modules: The user's modules.
        first: The module whose import, with all that it imports, brings the modules that are looked at.
    """

    def __init__(self, modules: UserModules, first: SourceModule) -> None:
        self._modules = modules
        self._first = first

    def into(self, definition: Definition) -> list[Definition]:
        """Return what other modules put into a container, by module; nothing if it is none.

        They change it, register something with a decorator of it, or call a function of its module that does.
        """
        if not _can_be_filled(definition):
            return []
        module, name = definition.module, definition.name
        found = list(self._changed.get((module.name, name), ()))
        for (where, function), touches in self._called.items():
            if where == module.name and module.fills(function, name):
                found += touches
        by_module: dict[str, tuple[SourceModule, list[Statement]]] = {}
        for other, statement in found:
            statements = by_module.setdefault(other.name, (other, []))[1]
            statements += [statement] if statement not in statements else []
        return [
            Definition(self._modules, other, name, registrations=tuple(statements))
            for _, (other, statements) in sorted(by_module.items())
        ]

    @cached_property
    def _imported(self) -> list[SourceModule]:
        """The modules that an import of the first one imports, itself included."""
        found = {self._first.name: self._first}
        todo = [self._first]
        while todo:
            for name in self._modules.imported_by(todo.pop()):
                module = self._modules.module(name)
                if module is not None and name not in found:
                    found[name] = module
                    todo.append(module)
        return list(found.values())

    @cached_property
    def _changed(self) -> Touches:
        return self._touches("changed", "registered_with")

    @cached_property
    def _called(self) -> Touches:
        return self._touches("called")

    def _touches(self, *effects: str) -> Touches:
        found: Touches = {}
        for module in self._imported:
            for statement in module.statements:
                for path in frozenset().union(*(getattr(statement.effects, e) for e in effects)):
                    for target in self._elsewhere(module, path):
                        touches = found.setdefault((target.module.name, target.name), [])
                        touches.append((module, statement))
        return found

    def _elsewhere(self, module: SourceModule, path: Dotted) -> Iterator[Definition]:
        """Yield what a path means if that is in another module."""
        for target in self._modules.meaning(module, Use(path)):
            if isinstance(target, Definition) and target.module is not module:
                yield target


def _can_be_filled(definition: Definition) -> bool:
    """Whether a name is assigned something that others can change."""
    nodes = [s.node for s in definition.module.binding(definition.name)]
    values = [n.value for n in nodes if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None]
    return not definition.registrations and any(not isinstance(value, _FIXED) for value in values)
