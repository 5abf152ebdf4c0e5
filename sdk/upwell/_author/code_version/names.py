"""Which names of its module a piece of code uses."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from upwell._author.code_version.normal import Function
from upwell._author.syntax import parse

Dotted = tuple[str, ...]
"""A name and the attributes that follow it."""
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import names: a module, or something in one.

    Attributes:
        module: Dotted name; relative if `level` is not 0.
        level: Number of leading dots.
        name: What is taken out of it; None is the module itself.
    """

    module: str
    level: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A name that code uses, with the attributes that follow it: `pkg.util.clean`.

    Attributes:
        path: The name and the attributes.
        imported: What the name is, if an import in the code itself says so; else it is the module's.
    """

    path: Dotted
    imported: Imported | None = None

    @property
    def dotted(self) -> str:
        """The path as it is written."""
        return ".".join(self.path)


@dataclass(slots=True)
class Bound:
    """Names that code gives a meaning, in one scope."""

    names: set[str] = field(default_factory=set)
    imports: dict[str, list[Imported]] = field(default_factory=dict)
    of_module: set[str] = field(default_factory=set)
    """Those of `global`."""
    of_outer: set[str] = field(default_factory=set)
    """Those of `nonlocal`."""
    of_class: bool = False


def imports_of(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    """Yield the names that an import binds and what they are; `*` is one of them."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, Imported(node.module or "", node.level, alias.name)
        elif alias.asname:
            yield alias.asname, Imported(alias.name)
        else:
            top = alias.name.partition(".")[0]
            yield top, Imported(top)


def bound_in(nodes: Iterable[ast.AST]) -> Bound:
    """Return the names that code binds in its own scope, not in those of functions and classes inside."""
    found = Bound()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.names.add(node.name)
        elif isinstance(node, Comprehension):
            todo += [n for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]
        elif isinstance(node, ast.Global):
            found.of_module.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            found.of_outer.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for name, imported in imports_of(node):
                found.names.add(name)
                found.imports.setdefault(name, []).append(imported)
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                found.names.add(node.id)
        elif not isinstance(node, ast.Lambda):
            name_field = "rest" if isinstance(node, ast.MatchMapping) else "name"
            if isinstance(named := getattr(node, name_field, None), str):
                found.names.add(named)
            todo += ast.iter_child_nodes(node)
    found.names -= found.of_module | found.of_outer
    return found


def uses_of(node: ast.AST) -> frozenset[Use]:
    """Return the names that code uses and does not bind itself, with what follows them."""
    visitor = _Uses()
    visitor.visit(node)
    return frozenset(visitor.found)


def object_path(node: ast.expr) -> Dotted:
    """Return the names that lead to an object, up to its items: `a.b` of `a.b[0].c`; `()` if none do."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        names = [node.attr, *names] if isinstance(node, ast.Attribute) else []
        node = node.value
    return (node.id, *names) if isinstance(node, ast.Name) else ()


class _Uses(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: set[Use] = set()
        self._scopes: list[Bound] = []

    # --- names ------------------------------------------------------------------------------------------------

    def _use(self, path: Dotted) -> None:
        for i, scope in enumerate(reversed(self._scopes)):
            if scope.of_class and i > 0:
                continue
            if path[0] in scope.of_module:
                self.found.update(Use(path, imported) for imported in scope.imports.get(path[0], ()))
                break
            if path[0] not in scope.names:
                continue
            self.found.update(Use(path, imported) for imported in scope.imports.get(path[0], ()))
            if not scope.of_class:  # in a class's body, a name can be the module's until the class binds it
                return
        self.found.add(Use(path))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use((node.id,))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        path = [node.attr]
        value = node.value
        while isinstance(value, ast.Attribute):
            path.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            self._use((value.id, *reversed(path)))
        else:
            self.visit(value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._use((node.target.id,))
        self.generic_visit(node)

    # --- scopes -----------------------------------------------------------------------------------------------

    def _inside(self, scope: Bound, nodes: Iterable[ast.AST]) -> None:
        self._scopes.append(scope)
        for node in nodes:
            self.visit(node)
        self._scopes.pop()

    def _function(self, node: Function) -> None:
        for outside in (*node.decorator_list, *_defaults(node.args)):
            self.visit(outside)
        for hint in (*(a.annotation for a in _arguments(node.args)), node.returns):
            self._hint(hint)
        scope = bound_in(node.body)
        scope.names.update(a.arg for a in _arguments(node.args))
        self._inside(scope, node.body)

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815  # ast's names

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in _defaults(node.args):
            self.visit(default)
        scope = bound_in([node.body])
        scope.names.update(a.arg for a in _arguments(node.args))
        self._inside(scope, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outside in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(outside)
        scope = bound_in(node.body)
        scope.of_class = True
        self._inside(scope, node.body)

    def _comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        targets = bound_in([g.target for g in node.generators])
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(targets, [*first.ifs, *others, *results])

    visit_ListComp = visit_SetComp = _comprehension  # noqa: N815  # ast's names
    visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815  # ast's names

    # --- hints ------------------------------------------------------------------------------------------------

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        self._hint(node.annotation)
        if node.value is not None:
            self.visit(node.value)

    def _hint(self, hint: ast.expr | None) -> None:
        """Visit a type hint, whose texts are names of types."""
        if isinstance(hint, ast.Constant) and isinstance(hint.value, str):
            try:
                body = parse(hint.value.strip()).body
            except SyntaxError:
                return
            match body:
                case [ast.Expr(value=named)]:
                    self._hint(named)
        elif isinstance(hint, ast.Subscript):
            self.visit(hint.value)
            generic = "".join(object_path(hint.value)[-1:])
            items = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
            types = {"Literal": 0, "Annotated": 1}.get(generic, len(items))
            for i, item in enumerate(items):
                self._hint(item) if i < types else self.visit(item)
        elif isinstance(hint, ast.BinOp | ast.List | ast.Tuple):
            for part in [hint.left, hint.right] if isinstance(hint, ast.BinOp) else hint.elts:
                self._hint(part)
        elif hint is not None:
            self.visit(hint)


def _arguments(args: ast.arguments) -> list[ast.arg]:
    rest = [a for a in (args.vararg, args.kwarg) if a is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]


def _defaults(args: ast.arguments) -> list[ast.expr]:
    return [d for d in (*args.defaults, *args.kw_defaults) if d is not None]
