"""A source file as what it binds: which statements give a name of the module its meaning."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from upwell._author.code_version.effects import CallEffects, Effects, effects_of, effects_of_call
from upwell._author.code_version.names import Dotted, Imported, Use, bound_in, imports_of, uses_of
from upwell._author.code_version.normal import Function, dump, normal_form, with_decorators
from upwell._author.syntax import parse

MODULES_KEPT = 1024
_NONE: frozenset[str] = frozenset()
_NO_RESULTS = frozenset({"upwell", "logging", "warnings"})
"""Modules whose settings, which scripts make by calls at their top, change no result."""


@dataclass(eq=False)
class Statement:
    """A statement of a module, compound ones as a whole.

    Attributes:
        node: Its tree.
        names: The names that it binds.
        imports: What those are that it imports.
        is_plain: Whether it does nothing but define, import or assign them.
    """

    node: ast.stmt
    names: frozenset[str]
    imports: dict[str, list[Imported]]
    is_plain: bool
    _forms: dict[tuple[bool, tuple[str, ...] | None], Form] = field(default_factory=dict)

    @classmethod
    def of(cls, node: ast.stmt) -> Statement:
        """Return what a statement binds."""
        imports: dict[str, list[Imported]] = {}
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, imported in imports_of(node):
                imports.setdefault(name, []).append(imported)
            return cls(node, frozenset(imports), imports, is_plain=True)
        bound = bound_in([node])
        is_plain = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign)
        return cls(node, frozenset(bound.names), bound.imports, is_plain)

    @cached_property
    def effects(self) -> Effects:
        """What it does when the module is imported, besides binding names."""
        return effects_of(self.node)

    @cached_property
    def call_effects(self) -> CallEffects:
        """What a call of it does, if it is a function."""
        return effects_of_call(self.node) if isinstance(self.node, Function) else CallEffects(_NONE, _NONE)

    def form(self, decorators: list[ast.expr] | None = None, *, keeps_hints: bool = False) -> Form:
        """Return its normal form, with other decorators if they are given, and all hints if they matter."""
        key = (keeps_hints, None if decorators is None else tuple(map(dump, decorators)))
        if key not in self._forms:
            node = normal_form(self.node, keeps_hints=keeps_hints)
            if decorators is not None and isinstance(node, Function):
                node = with_decorators(node, decorators)
            self._forms[key] = Form(node)
        return self._forms[key]


@dataclass(eq=False)
class Form:
    """Code in normal form."""

    node: ast.AST

    @cached_property
    def text(self) -> str:
        """What stands for it in hashes."""
        return dump(self.node)

    @cached_property
    def source(self) -> str:
        """What it says, as Python."""
        try:
            return ast.unparse(self.node)
        except RecursionError:
            return "# it is nested too deeply to be shown"

    @cached_property
    def uses(self) -> frozenset[Use]:
        """The names that it uses."""
        try:
            return uses_of(self.node)
        except RecursionError:  # then local names too are taken for the module's
            return frozenset(Use((n.id,)) for n in ast.walk(self.node) if isinstance(n, ast.Name))


class SourceModule:
    """A module of the user's, read from its file; nothing of it is executed.

    What only type checkers read (`if TYPE_CHECKING:`) and what only runs as a script
    (`if __name__ == "__main__":`) is left out.

    Attributes:
        name: Its importable name.
        path: Its file; None for a folder without `__init__.py`.
        is_package: Whether relative imports start at itself.
        statements: Its statements.
    """

    def __init__(self, name: str, path: Path | None, tree: ast.Module, *, is_package: bool) -> None:
        self.name = name
        self.path = path
        self.is_package = is_package
        self.statements = [Statement.of(node) for node in _executed(tree.body)]
        self._tree = tree
        self._binding: dict[str, list[Statement]] = {}
        self._defined: dict[str, list[Statement]] = {}
        self._filled: dict[str, frozenset[str]] = {}
        for statement in self.statements:
            for bound in statement.names:
                self._binding.setdefault(bound, []).append(statement)

    def __contains__(self, name: str) -> bool:
        return name in self._binding or (not hasattr(builtins, name) and bool(self._assigning(name)))

    def _assigning(self, name: str) -> list[Statement]:
        """Return the functions that change what a name of the module holds."""
        return [s for s in self._functions.values() if name in s.call_effects.changed]

    def binding(self, name: str) -> list[Statement]:
        """Return the statements that bind a name, in order."""
        return self._binding.get(name, [])

    def absolute(self, imported: Imported) -> str:
        """Return the importable name of the module that an import in this one names."""
        if not imported.level:
            return imported.module
        parts = self.name.split(".")
        kept = len(parts) - imported.level + self.is_package
        return ".".join([*parts[: max(kept, 0)], *filter(None, [imported.module])])

    @cached_property
    def imports_first(self) -> list[str]:
        """The modules that it imports as it is imported itself."""
        return self._imported(s for s in self.statements if s.imports)

    @cached_property
    def imports_ever(self) -> list[str]:
        """The same with those that its functions import.

        Packages around them are among them, and what only looks like a module (`pkg.func` of
        `from pkg import func`).
        """
        return self._imported(self.statements)

    def _imported(self, statements: Iterable[Statement]) -> list[str]:
        found: set[str] = set()
        for node in (n for s in statements for n in ast.walk(s.node)):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.update(f"{self.absolute(i)}.{i.name}" for _, i in imports_of(node))
        parts = [name.split(".") for name in found]
        return sorted({".".join(p[:i]) for p in parts for i in range(1, len(p) + 1)})

    @cached_property
    def outward(self) -> list[tuple[Statement, Dotted, bool]]:
        """What its statements do with names that are imported: statement, name, and whether it calls that."""
        found = []
        for statement in self.statements:
            effects = statement.effects
            for path in effects.called | effects.changed | effects.registered_with:
                binding = self._binding.get(path[0])
                if binding is None or any(path[0] in s.imports for s in binding):
                    found.append((statement, path, path in effects.called))
        return found

    @cached_property
    def stars(self) -> list[Imported]:
        """The modules whose names it has by `import *`, the last first."""
        return [i for s in reversed(self.statements) for i in s.imports.get("*", ())]

    @cached_property
    def given(self) -> frozenset[str]:
        """The names that it gives to calls as it is imported: what is called can read their hints."""
        return frozenset().union(*(s.effects.given for s in self.statements))

    @cached_property
    def exported(self) -> frozenset[str] | None:
        """The names of a literal `__all__`; None if it has none."""
        for statement in self.binding("__all__"):
            try:
                value = ast.literal_eval(getattr(statement.node, "value", None))  # type: ignore[arg-type]  # tried
            except (ValueError, TypeError):
                return None
            return frozenset(map(str, value))
        return None

    def defined(self, name: str) -> list[Statement]:
        """Return the statements that give a name its meaning: those that bind it or change what it holds."""
        if name not in self._defined:
            self._defined[name] = self._find_defined(name)
        return self._defined[name]

    def _find_defined(self, name: str) -> list[Statement]:
        binding = self.binding(name)
        if any(i.module.partition(".")[0] in _NO_RESULTS for s in binding for i in s.imports.get(name, ())):
            return binding
        changing = list(self._doing("changed", name))
        if not any(name in s.imports for s in binding):
            changing += self._doing("registered_with", name)
            if not any(isinstance(s.node, Function | ast.ClassDef) for s in binding):
                changing += self._doing("passed", name)
                called = (f for what, f in self._effects if what == "called")
                changing += [s for f in called if self.fills(f, name) for s in self._doing("called", f)]
        if not binding and not changing:  # a `global` of functions that the module itself does not call
            return self._assigning(name)
        return [s for s in self.statements if s in binding or s in changing] if changing else binding

    def _doing(self, what: str, name: str) -> list[Statement]:
        return self._effects.get((what, name), [])

    @cached_property
    def _effects(self) -> dict[tuple[str, str], list[Statement]]:
        """The statements by what they do with which name."""
        found: dict[tuple[str, str], list[Statement]] = {}
        for statement in self.statements:
            effects = statement.effects
            keys = {("changed", path[0]) for path in effects.changed}
            keys |= {("registered_with", path[0]) for path in effects.registered_with}
            keys |= {("called", path[0]) for path in effects.called if len(path) == 1}
            keys |= {("passed", name) for name in effects.passed}
            for key in keys:
                found.setdefault(key, []).append(statement)
        return found

    @cached_property
    def _functions(self) -> dict[str, Statement]:
        return {s.node.name: s for s in self.statements if isinstance(s.node, Function)}

    def fills(self, function: str, name: str) -> bool:
        """Whether a call of a function of the module may change what a name of it holds."""
        if function not in self._filled:
            self._filled[function] = self._changed_by(function, frozenset())
        return name in self._filled[function]

    def _changed_by(self, function: str, seen: frozenset[str]) -> frozenset[str]:
        if function in seen or function not in self._functions:
            return frozenset()
        effects = self._functions[function].call_effects
        return effects.changed.union(*(self._changed_by(f, seen | {function}) for f in effects.called))

    def function_at(self, name: str, line: int) -> Function | None:
        """Return a function by its name and first line, decorators included, however deep it is."""
        return self._nested.get((name, line))

    @cached_property
    def _nested(self) -> dict[tuple[str, int], Function]:
        found = {}
        for node in ast.walk(self._tree):
            if isinstance(node, Function):
                line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                found[node.name, line] = node
        return found

    def enclosing(self, line: int) -> str | None:
        """Return a name that the statement around a line binds."""
        for statement in self.statements:
            node = statement.node
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            if first <= line <= (node.end_lineno or line):
                return min(statement.names, default=None)
        return None


def _executed(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that an import executes and that can matter."""
    for node in body:
        guard = _guard(node)
        if guard is None:
            yield node
        else:
            yield from _executed(guard)


def _guard(node: ast.stmt) -> list[ast.stmt] | None:
    """Return what is executed of an `if` for type checkers or scripts; None if it is no such."""
    if not isinstance(node, ast.If):
        return None
    match node.test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return node.orelse
        case ast.UnaryOp(
            op=ast.Not(), operand=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")
        ):
            return node.body
        case ast.Compare(
            left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
        ):
            return node.orelse
    return None


@lru_cache(MODULES_KEPT)
def _parsed(name: str, path: Path, modified_ns: int, size_bytes: int) -> SourceModule | None:
    try:
        tree = parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    return SourceModule(name, path, tree, is_package=path.name == "__init__.py")


def read_module(name: str, path: Path) -> SourceModule | None:
    """Return a module by its file, read again when that has changed; None if it cannot be read."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return _parsed(name, path, stat.st_mtime_ns, stat.st_size)


def folder_module(name: str) -> SourceModule:
    """Return the module of a folder without `__init__.py`."""
    return SourceModule(name, None, ast.Module(body=[], type_ignores=[]), is_package=True)
