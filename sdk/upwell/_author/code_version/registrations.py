"""What other modules put into a module's containers as they are imported: plugins, handlers, settings."""

from __future__ import annotations

import ast
from functools import cached_property

from upwell._author.code_version.names import Use
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
        changed, called = self._touches
        found = list(changed.get((module.name, name), ()))
        for (where, function), touches in called.items():
            if where == module.name and module.fills(function, name):
                found += touches
        by_module: dict[SourceModule, set[Statement]] = {}
        for other, statement in found:
            by_module.setdefault(other, set()).add(statement)
        return [
            Definition(
                self._modules, other, name, registrations=tuple(s for s in other.statements if s in statements)
            )
            for other, statements in sorted(by_module.items(), key=lambda item: item[0].name)
        ]

    def _imported(self) -> list[SourceModule]:
        """Return the modules that an import of the first one imports, itself included."""
        found = {self._first.name: self._first}
        todo = [self._first]
        while todo:
            for name in todo.pop().imports_first:
                module = self._modules.module(name) if name not in found else None
                if module is not None:
                    found[name] = module
                    todo.append(module)
        return list(found.values())

    @cached_property
    def _touches(self) -> tuple[Touches, Touches]:
        """What is changed in other modules, and which of their functions are called."""
        changed: Touches = {}
        called: Touches = {}
        for module in self._imported():
            for statement, path, is_call in module.outward:
                for target in self._modules.meaning(module, Use(path)):
                    if isinstance(target, Definition) and target.module is not module:
                        touches = called if is_call else changed
                        touches.setdefault((target.module.name, target.name), []).append((module, statement))
        return changed, called


def _can_be_filled(definition: Definition) -> bool:
    """Whether a name is assigned something that others can change."""
    nodes = [s.node for s in definition.module.binding(definition.name)]
    values = [n.value for n in nodes if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None]
    return not definition.registrations and any(not isinstance(value, _FIXED) for value in values)
