"""Which code or value an object of this process stands for."""

from __future__ import annotations

import functools
import inspect
import os
import types
from typing import Any

from upwell._author.code_version.live import Item, LiveClass, LiveFunction, Value, type_name
from upwell._author.code_version.places import resolved
from upwell._author.code_version.source_module import SourceModule
from upwell._author.code_version.user_modules import Foreign, Loaded, Target, UserModules
from upwell._author.code_version.values import value_text
from upwell._types.main_module import importable_name


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
        if module is None or module.path is None:
            return None
        return module if module.path == resolved(os.path.abspath(func.__code__.co_filename)) else None

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
        outer, value = value, inspect.unwrap(value) if callable(value) else value
        if isinstance(value, types.FunctionType):
            return self._function(value, outer)
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.BuiltinFunctionType):
            return Foreign(f"{value.__module__}.{value.__qualname__}")
        if value_text(value) is not None and not _is_enum(value):
            return Value(qualified, value)
        return self._instance(value, qualified)

    def _function(self, func: types.FunctionType, outer: Any) -> Item | Foreign:
        name = self.module_name(func)
        if self.modules.is_foreign(name):
            return Foreign(f"{name}.{func.__qualname__}")
        module, code = self.source_of(func), func.__code__
        if module is not None and "<locals>" not in code.co_qualname and "<lambda>" not in code.co_qualname:
            outermost = code.co_qualname.partition(".")[0]
            if outermost in module:
                return self.modules.definition(module, outermost)
        live = LiveFunction(self, func)
        # Without text, decorators are not known; what they have made of the function holds it.
        return live if live.has_text or not isinstance(outer, types.FunctionType) else LiveFunction(self, outer)

    def _class(self, cls: type) -> Item | Foreign:
        name = importable_name(cls.__module__, self.modules.root)
        if self.modules.is_foreign(name):
            return Foreign(type_name(cls))
        module, outermost = self.modules.module(name), cls.__qualname__.partition(".")[0]
        if module is not None and outermost in module:
            return self.modules.definition(module, outermost)
        return LiveClass(self, cls)

    def _instance(self, value: Any, qualified: str) -> Item | Foreign:
        kind = self._class(type(value))
        if isinstance(kind, Foreign):
            return Foreign(".".join([kind.name, *filter(None, [getattr(value, "__qualname__", None)])]))
        held = {} if _is_enum(value) else getattr(value, "__dict__", {})
        simple = {name: part for name, part in held.items() if value_text(part) is not None}
        return self._made_of(value, qualified, {"type": type(value), **simple})

    def _made_of(self, value: Any, qualified: str, parts: dict[str, Any]) -> Value:
        links = tuple((name, self.item(part, f"{qualified}.{name}")) for name, part in parts.items())
        return Value(qualified, value, links)


def _is_enum(value: object) -> bool:
    return hasattr(type(value), "__members__")
