"""Functions, classes and values of this process that are not names of a source file."""

from __future__ import annotations

import ast
import inspect
import os
import re
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from upwell._author.code_version.names import Use
from upwell._author.code_version.normal import Function, normal_form, with_decorators
from upwell._author.code_version.source_module import Form, SourceModule
from upwell._author.code_version.user_modules import Definition, Foreign
from upwell._author.code_version.values import value_text
from upwell._author.source import code_text
from upwell._author.syntax import parse
from upwell._types.main_module import importable_name

if TYPE_CHECKING:
    from upwell._author.code_version.look import Look

_DESCRIBING = ("__module__", "__doc__", "__qualname__", "__firstlineno__", "__static_attributes__")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
NO_SOURCE = "# there is no source text; its byte code counts"
Link = tuple[str, "Item | Foreign"]


@dataclass(frozen=True, eq=False)
class Value:
    """A value that this process holds under a name.

    Attributes:
        qualified: `<module>:<name>`.
        value: The value: simple, or of one of the user's classes.
        links: What it is made of.
    """

    qualified: str
    value: Any
    links: tuple[Link, ...] = ()
    kind = "value"

    @property
    def key(self) -> object:
        """What it is told apart by."""
        return id(self.value), self.qualified

    @property
    def text(self) -> str:
        """What stands for it in hashes."""
        return value_text(self.value) or f"a {type_name(type(self.value))}"

    @property
    def source(self) -> str:
        """What it says, for a reader."""
        name = self.qualified.rpartition(":")[2].rpartition(".")[2]
        return f"{name} = {self.text if value_text(self.value) is None else repr(self.value)}"


@dataclass(eq=False)
class LiveFunction:
    """A function of this process: one inside another function, or one without a file.

    Attributes:
        look: Says what its names are.
        func: The function.
        is_first: Whether it is the one whose version is asked for: its hints say what its values become.
    """

    look: Look
    func: types.FunctionType
    is_first: bool = False
    kind = "function"

    @property
    def key(self) -> object:
        """What it is told apart by."""
        return id(self.func)

    @property
    def qualified(self) -> str:
        """`<module>:<qualified name>`."""
        return f"{self.look.module_name(self.func)}:{self.func.__code__.co_qualname}"

    @cached_property
    def _module(self) -> SourceModule | None:
        return self.look.source_of(self.func)

    @cached_property
    def _form(self) -> Form | None:
        code = self.func.__code__
        if self._module is not None:
            node = self._module.function_at(code.co_name, code.co_firstlineno)
        else:
            node = _typed_in(self.func)
        if node is None:
            return None
        form = normal_form(node, keeps_hints=self.is_first)
        assert isinstance(form, Function)
        kept = [d for d in node.decorator_list if not self._makes_task(d)]
        return Form(with_decorators(form, kept) if kept != node.decorator_list else form)

    def _makes_task(self, decorator: ast.expr) -> bool:
        """Whether a decorator is an environment's, which may be a variable of the function around."""
        method = decorator.func if isinstance(decorator, ast.Call) else decorator
        return isinstance(method, ast.Attribute) and method.attr == "task"

    @property
    def has_text(self) -> bool:
        """Whether its source text is known."""
        return self._form is not None or self._module is not None

    @property
    def text(self) -> str:
        """What stands for it in hashes."""
        if self._form is not None:
            return self._form.text
        return "" if self._module is not None else code_text(self.func.__code__, self.func)

    @property
    def source(self) -> str:
        """What it says, for a reader."""
        if self._form is not None:
            return self._form.source
        return "# it is part of the text below" if self._module is not None else NO_SOURCE

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """What its names are."""
        return tuple(self._links())

    def _links(self) -> Iterator[Link]:
        code = self.func.__code__
        cells = dict(zip(code.co_freevars, self.func.__closure__ or (), strict=True))
        is_plain = self._form is not None or self._module is None
        for name, cell in cells.items():
            item = self._cell(name, cell)
            is_plain = is_plain and not isinstance(item, Foreign)
            yield name, item
        for use in sorted(self._uses(), key=lambda u: u.path):
            if use.path[0] not in cells:
                yield from ((use.dotted, item) for item in self._meaning(use))
        if self._module is None or "<locals>" not in code.co_qualname:
            return
        defaults = {str(i): value for i, value in enumerate(self.func.__defaults__ or ())}
        for name, value in (defaults | (self.func.__kwdefaults__ or {})).items():
            yield f"default {name}", self.look.item(value, f"{self.qualified}.{name}")
        around = self._module.enclosing(code.co_firstlineno)
        if not is_plain and around is not None:  # what it closes over is made there
            yield "around", self.look.modules.definition(self._module, around)

    def _uses(self) -> frozenset[Use]:
        if self._form is not None:
            return self._form.uses
        names = _names(self.func.__code__) if self._module is None else ()
        return frozenset(Use((name,)) for name in names)

    def _meaning(self, use: Use) -> list[Item | Foreign]:
        if self._module is not None:
            return [self.look.at(target) for target in self.look.modules.meaning(self._module, use)]
        if use.imported is not None:
            name = use.imported.name
            path = use.path[1:] if name is None else (name, *use.path[1:])
            return [self.look.at(t) for t in self.look.modules.reached(use.imported.module, path)]
        return self.look.along(self.func.__globals__, use.path, self.look.module_name(self.func))

    def _cell(self, name: str, cell: types.CellType) -> Item | Foreign:
        try:
            return self.look.item(cell.cell_contents, f"{self.qualified}.{name}")
        except ValueError:  # not assigned yet
            return Foreign("nothing")


@dataclass(frozen=True, eq=False)
class LiveClass:
    """A class of this process that is not a name of a source file."""

    look: Look
    cls: type
    kind = "class"

    @property
    def key(self) -> object:
        """What it is told apart by."""
        return id(self.cls)

    @property
    def qualified(self) -> str:
        """`<module>:<qualified name>`."""
        return f"{importable_name(self.cls.__module__)}:{self.cls.__qualname__}"

    @property
    def text(self) -> str:
        """What stands for it in hashes."""
        hints = getattr(self.cls, "__annotations__", {})
        models = getattr(self.cls, "__pydantic_fields__", {})
        fields = [f"{name}: {type_name(hint)}" for name, hint in hints.items()]
        fields += [f"{name} is {field!r}" for name, field in models.items()]
        return _ADDRESS.sub("", f"class {self.cls.__qualname__}: {fields}")

    @property
    def source(self) -> str:
        """What it says, for a reader."""
        return f"{self.text}\n{NO_SOURCE}"

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Its bases, methods and attributes."""
        members = {f"base {i}": base for i, base in enumerate(self.cls.__bases__) if base is not object}
        hints = getattr(self.cls, "__annotations__", {})
        members |= {f"type of {name}": hint for name, hint in hints.items() if isinstance(hint, type)}
        for name, value in sorted(vars(self.cls).items()):
            member = getattr(value, "__func__", getattr(value, "fget", value))
            if name in _DESCRIBING:
                continue
            if isinstance(member, types.FunctionType) or value_text(member) is not None:
                members[name] = member
        return tuple(
            (name, self.look.item(value, f"{self.qualified}.{name}")) for name, value in members.items()
        )


Item = Definition | LiveFunction | LiveClass | Value


def _typed_in(func: types.FunctionType) -> Function | None:
    """Return the text of a function that was typed into a session; None if that does not keep it."""
    if os.path.exists(func.__code__.co_filename):  # the file says something else by now
        return None
    try:
        body = parse(textwrap.dedent(inspect.getsource(func))).body
    except (OSError, TypeError, SyntaxError):
        return None
    return body[0] if body and isinstance(body[0], Function) else None


def _names(code: types.CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)


def type_name(kind: Any) -> str:
    """Return the dotted name of a type, or what else a hint says."""
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)
