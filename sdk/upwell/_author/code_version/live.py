"""What is not a name of a source file: functions in functions, sessions without files, values in closures."""

from __future__ import annotations

import ast
import functools
import inspect
import os
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from upwell._author.code_version.names import Use
from upwell._author.code_version.normal import Function, normal_form, with_decorators
from upwell._author.code_version.places import OWN_PACKAGES, own_path
from upwell._author.code_version.source_module import Form, SourceModule
from upwell._author.code_version.user_modules import Definition, Foreign, Loaded, Target, UserModules
from upwell._author.code_version.values import value_text
from upwell._author.registry import importable_name
from upwell._author.source import code_text

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
        return value_text(self.value) or f"a {_type_name(type(self.value))}"

    @property
    def source(self) -> str:
        """What it says, for a reader."""
        name = self.qualified.rpartition(":")[2].rpartition(".")[2]
        return f"{name} = {self.text if value_text(self.value) is None else repr(self.value)}"


@dataclass(frozen=True, eq=False)
class LiveFunction:
    """A function of this process: one inside another function, or one without a file."""

    look: Look
    func: types.FunctionType
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
            form = self._module.function_at(code.co_name, code.co_firstlineno)
        else:
            form = _typed_in(self.func)
        if form is None or not isinstance(form.node, Function):
            return None
        kept = [d for d in form.node.decorator_list if not self._makes_task(d)]
        return Form(with_decorators(form.node, kept)) if kept != form.node.decorator_list else form

    def _makes_task(self, decorator: ast.expr) -> bool:
        """Whether a decorator is an environment's, which may be a variable of the function around."""
        method = decorator.func if isinstance(decorator, ast.Call) else decorator
        return isinstance(method, ast.Attribute) and method.attr == "task"

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
        fields = [
            f"{name}: {hint if isinstance(hint, str) else _type_name(hint)}" for name, hint in hints.items()
        ]
        return f"class {self.cls.__qualname__}: {fields}"

    @property
    def source(self) -> str:
        """What it says, for a reader."""
        return f"{self.text}\n{NO_SOURCE}"

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Its bases, methods and attributes."""
        members = {f"base {i}": base for i, base in enumerate(self.cls.__bases__) if base is not object}
        for name, value in sorted(vars(self.cls).items()):
            member = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(member, types.FunctionType) or value_text(member) is not None:
                members |= (
                    {}
                    if name in ("__module__", "__doc__", "__qualname__", "__firstlineno__")
                    else {name: member}
                )
        return tuple(
            (name, self.look.item(value, f"{self.qualified}.{name}")) for name, value in members.items()
        )


Item = Definition | LiveFunction | LiveClass | Value


class Look:
    """Says what code or value an object of this process stands for.

    Args:
        modules: The user's modules.
    """

    def __init__(self, modules: UserModules) -> None:
        self.modules = modules

    def module_name(self, func: types.FunctionType) -> str:
        """Return the importable name of a function's module."""
        return importable_name(str(func.__globals__.get("__name__", func.__module__)), self.modules.root)

    def source_of(self, func: types.FunctionType) -> SourceModule | None:
        """Return the module in whose file a function is; None without a file, or if that is not the user's."""
        module = self.modules.module(self.module_name(func))
        file = own_path(os.path.abspath(func.__code__.co_filename))
        return module if module is not None and module.path is not None and module.path == file else None

    def at(self, target: Target) -> Item | Foreign:
        """Return what a name of a source file is."""
        if not isinstance(target, Loaded):
            return target
        found = self.along(vars(target.module), target.path, importable_name(target.module.__name__))
        return found[0] if found else Foreign(".".join([target.module.__name__, *target.path]))

    def along(self, namespace: dict[str, Any], path: tuple[str, ...], where: str) -> list[Item | Foreign]:
        """Return what is found in a namespace along a path of attributes; nothing if it is Python's own."""
        if path[:1] == () or path[0] not in namespace:
            return []
        value = namespace[path[0]]
        for i, attribute in enumerate(path[1:], 1):
            if not isinstance(value, types.ModuleType):
                break
            if self.modules.module(importable_name(value.__name__)) is not None:
                return [self.at(t) for t in self.modules.reached(importable_name(value.__name__), path[i:])]
            value = getattr(value, attribute, None)
        return [self.item(value, f"{where}:{path[0]}")]

    def item(self, value: Any, qualified: str) -> Item | Foreign:
        """Return what an object is.

        Args:
            value: The object.
            qualified: What to call it if it has no name of its own.
        """
        if isinstance(value, functools.partial):
            args = {str(i): argument for i, argument in enumerate(value.args)}
            return self._made_of(value, qualified, {"func": value.func, **args, **value.keywords})
        if isinstance(value, types.MethodType):
            return self._made_of(value, qualified, {"self": value.__self__, "func": value.__func__})
        if isinstance(value, types.ModuleType):
            found = self.modules.reached(importable_name(value.__name__), ())
            return self.at(found[0]) if not isinstance(found[0], Loaded) else Foreign(value.__name__)
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.BuiltinFunctionType):
            return Foreign(f"{value.__module__}.{value.__qualname__}")
        if value_text(value) is not None and not _is_enum(value):
            return Value(qualified, value)
        return self._instance(value, qualified)

    def _function(self, func: types.FunctionType) -> Item | Foreign:
        name = self.module_name(func)
        if self._is_foreign(name):
            return Foreign(f"{name}.{func.__qualname__}")
        module, code = self.source_of(func), func.__code__
        if module is not None and "<locals>" not in code.co_qualname and "<lambda>" not in code.co_qualname:
            outermost = code.co_qualname.partition(".")[0]
            if outermost in module:
                return self.modules.definition(module, outermost)
        return LiveFunction(self, func)

    def _class(self, cls: type) -> Item | Foreign:
        name = importable_name(cls.__module__, self.modules.root)
        if self._is_foreign(name):
            return Foreign(_type_name(cls))
        module, outermost = self.modules.module(name), cls.__qualname__.partition(".")[0]
        if module is not None and outermost in module:
            return self.modules.definition(module, outermost)
        return LiveClass(self, cls)

    def _instance(self, value: Any, qualified: str) -> Item | Foreign:
        kind = self._class(type(value))
        if isinstance(kind, Foreign):
            return Foreign(".".join([kind.name, *filter(None, [getattr(value, "__qualname__", None)])]))
        held = (
            {}
            if _is_enum(value)
            else {k: v for k, v in getattr(value, "__dict__", {}).items() if value_text(v)}
        )
        return self._made_of(value, qualified, {"type": type(value), **held})

    def _made_of(self, value: Any, qualified: str, parts: dict[str, Any]) -> Value:
        links = tuple((name, self.item(part, f"{qualified}.{name}")) for name, part in parts.items())
        return Value(qualified, value, links)

    def _is_foreign(self, module: str) -> bool:
        """Whether a loaded module is not the user's; what is typed in is."""
        if module.partition(".")[0] in OWN_PACKAGES:
            return True
        file = self.modules.file_of(module)
        return own_path(os.path.abspath(file)) is None if file is not None else self.modules.is_builtin(module)


def _is_enum(value: object) -> bool:
    return hasattr(type(value), "__members__")


def _typed_in(func: types.FunctionType) -> Form | None:
    """Return the text of a function that was typed into a session; None if that does not keep it."""
    if os.path.exists(func.__code__.co_filename):  # the file says something else by now
        return None
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(func))).body
    except (OSError, TypeError, SyntaxError):
        return None
    return Form(normal_form(body[0])) if body and isinstance(body[0], Function) else None


def _names(code: types.CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return set(code.co_names).union(*inner)


def _type_name(kind: Any) -> str:
    return f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', kind)}"
