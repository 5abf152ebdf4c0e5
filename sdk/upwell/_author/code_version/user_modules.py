"""The user's modules, and what names mean in them."""

from __future__ import annotations

import ast
import builtins
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType

from upwell._author.code_version.names import Imported, Use, object_path
from upwell._author.code_version.places import OWN_PACKAGES, is_installed, locate, looks_installed, resolved
from upwell._author.code_version.settings import is_environment_class, version_settings
from upwell._author.code_version.source_module import Form, SourceModule, Statement, folder_module, read_module
from upwell._types.main_module import MAIN, importable_name


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something outside of the user's code: it counts by its name.

    Attributes:
        name: Dotted name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Something in a module whose file has changed since it was loaded: what this process has counts.

    Attributes:
        module: The module.
        path: A name in it, and what follows.
    """

    module: ModuleType
    path: tuple[str, ...]


@dataclass(eq=False)
class Definition:
    """A name of a module; without one, the whole module.

    Attributes:
        modules: What it is part of.
        module: The module.
        name: The name, or "".
        registrations: The statements of this module that change what another one holds under the name; then
            it is they, and not what the name is here.
        is_first: Whether it is the function whose version is asked for: its hints say what its values become.
    """

    modules: UserModules
    module: SourceModule
    name: str
    registrations: tuple[Statement, ...] = ()
    is_first: bool = False

    @property
    def key(self) -> object:
        """What it is told apart by."""
        return self.qualified, bool(self.registrations)

    @property
    def qualified(self) -> str:
        """`<module>:<name>`."""
        return f"{self.module.name}:{self.name}" if self.name else self.module.name

    @cached_property
    def statements(self) -> list[Statement]:
        """The statements that say what it is."""
        if self.registrations:
            return list(self.registrations)
        if not self.name:
            return self.module.statements
        defined = self.module.defined(self.name)
        return [s for s in defined if not (s.is_plain and s.imports)] or defined

    @property
    def kind(self) -> str:
        """What it is: `function`, `class`, `constant`, `registrations` or `module`."""
        if self.registrations:
            return "registrations"
        if not self.name:
            return "module"
        nodes = [s.node for s in self.module.binding(self.name)]
        if nodes and all(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in nodes):
            return "function"
        return "class" if nodes and all(isinstance(n, ast.ClassDef) for n in nodes) else "constant"

    @cached_property
    def forms(self) -> list[Form]:
        """Its statements in normal form."""
        keeps_hints = self.is_first or self.name in self.module.given
        return [
            s.form(self.modules.task_decorators(self.module, s.node), keeps_hints=keeps_hints)
            for s in self.statements
        ]

    @property
    def text(self) -> str:
        """What stands for it in hashes."""
        return "\n".join(form.text for form in self.forms)

    @property
    def source(self) -> str:
        """What it says, as Python."""
        return "\n".join(form.source for form in self.forms)

    @property
    def uses(self) -> frozenset[Use]:
        """The names that it uses."""
        return frozenset().union(*(form.uses for form in self.forms))

    def meaning(self, use: Use) -> list[Target]:
        """Return what a name that it uses is."""
        return self.modules.meaning(self.module, use)


Been = frozenset[tuple[str, str]]
Target = Definition | Foreign | Loaded
TASK_ENVIRONMENT = Foreign("upwell.TaskEnvironment")
"""What a task environment counts as: its settings are not code."""
CLOCKS_DIFFER_S = 2.0
"""A file's clock can be a file server's."""
_NOWHERE: Been = frozenset()


class UserModules:
    """The user's modules: those below a folder that are not installed, which is what executors get.

    Args:
        root: The folder.
        loaded_at: When the program was loaded, epoch seconds. The text of a file that has changed since is not
            what this process runs. None if that cannot be.
        package: A module or package that is the user's wherever it is.
    """

    def __init__(self, root: Path, loaded_at: float | None = None, package: str = "") -> None:
        self.root = root
        self._loaded_at = loaded_at
        self._package = package
        self._modules: dict[str, SourceModule | None] = {}
        self._definitions: dict[tuple[str, str], Definition] = {}
        self._environments: dict[Definition, bool] = {}

    # --- modules ----------------------------------------------------------------------------------------------

    def owns(self, module: str, place: str) -> bool:
        """Whether a module is the user's.

        Args:
            module: Importable name.
            place: Its file, or the folder of a package without `__init__.py`.
        """
        if self._package and (module == self._package or module.startswith(f"{self._package}.")):
            return True
        if module.partition(".")[0] in OWN_PACKAGES or looks_installed(place):
            return False
        path = resolved(place)
        return path.is_relative_to(self.root) and not is_installed(path)

    def module(self, name: str) -> SourceModule | None:
        """Return a module of the user's; None if it is not the user's, or not to be read from its file."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def _read(self, name: str) -> SourceModule | None:
        file, folders = self._place(name)
        if file is None:
            return folder_module(name) if any(self.owns(name, folder) for folder in folders) else None
        if not file.endswith(".py") or not self.owns(name, file) or self._has_changed(file):
            return None
        return read_module(name, resolved(file))

    def _place(self, name: str) -> tuple[str | None, list[str]]:
        """Return the file of a module, whoever's it is, and the folders that its own modules are in."""
        if name == importable_name(MAIN, self.root):
            file = getattr(sys.modules[MAIN], "__file__", None)
            return (os.path.abspath(file) if file else None), []
        return locate(name, self.root) if name else (None, [])

    def is_foreign(self, name: str) -> bool:
        """Whether a loaded module is not the user's; what is typed in is."""
        file, _ = self._place(name)
        return not self.owns(name, file) if file is not None else name in sys.builtin_module_names

    def _has_changed(self, file: str) -> bool:
        try:
            return self._loaded_at is not None and os.stat(file).st_mtime > self._loaded_at + CLOCKS_DIFFER_S
        except OSError:
            return True

    def _loaded(self, name: str) -> ModuleType | None:
        """Return a module of the user's that is loaded and whose file says something else by now."""
        module = sys.modules.get(MAIN if name == importable_name(MAIN, self.root) else name)
        file, _ = self._place(name) if module is not None else (None, [])
        if file is None or not file.endswith(".py") or not self.owns(name, file):
            return None
        return module if self._has_changed(file) else None

    # --- names ------------------------------------------------------------------------------------------------

    def definition(self, module: SourceModule, name: str = "") -> Definition:
        """Return what a name of a module is; without one, the module."""
        key = (module.name, name)
        if key not in self._definitions:
            self._definitions[key] = Definition(self, module, name)
        return self._definitions[key]

    def meaning(self, module: SourceModule, use: Use) -> list[Target]:
        """Return what a name that is used in a module is; nothing if it is Python's own."""
        if use.imported is not None:
            return self._imported(module, use.imported, use.path[1:], _NOWHERE)
        return self._named(module, use.path, _NOWHERE) or []

    def reached(self, module: str, path: tuple[str, ...], been: Been = frozenset()) -> list[Target]:
        """Return what is found along a path of attributes that starts at a module.

        Args:
            module: Importable name.
            path: The attributes.
            been: Names that led here. A package that imports its own module under that name means the module.
        """
        source = self.module(module)
        if source is None:
            loaded = self._loaded(module)
            return [Loaded(loaded, path) if loaded is not None else Foreign(".".join([module, *path[:1]]))]
        if not path:
            return [self.definition(source)]
        found = self._named(source, path, been)
        if found is not None:
            return found
        inner = f"{module}.{path[0]}"
        if self.module(inner) is not None or self._loaded(inner) is not None:
            return self.reached(inner, path[1:], been)
        return [self.definition(source, "__getattr__")] if "__getattr__" in source else [Foreign(inner)]

    def _named(self, module: SourceModule, path: tuple[str, ...], been: Been) -> list[Target] | None:
        """Return what a path that starts with a name of a module is; None if the module has no such name."""
        here = (module.name, path[0])
        if here in been:
            return None
        if path[0] in module:
            return self._bound(module, path, been | {here})
        for star in module.stars:
            found = self._from_star(module, star, path, been | {here})
            if found is not None:
                return found
        return None

    def _bound(self, module: SourceModule, path: tuple[str, ...], been: Been) -> list[Target]:
        definition = self.definition(module, path[0])
        imports = [i for s in module.binding(path[0]) for i in s.imports.get(path[0], ())]
        if not imports:
            return [TASK_ENVIRONMENT] if self._is_environment(definition) else [definition]
        found = [t for i in imports for t in self._imported(module, i, path[1:], been)]
        is_all = len(imports) == 1 and all(s.is_plain and s.imports for s in definition.statements)
        return found if is_all else [*found, definition]

    def _from_star(
        self, module: SourceModule, star: Imported, path: tuple[str, ...], been: Been
    ) -> list[Target] | None:
        where = module.absolute(star)
        source = self.module(where)
        if source is None:
            return None if hasattr(builtins, path[0]) else [Foreign(f"{where}.*")]
        hidden = path[0].startswith("_") if source.exported is None else path[0] not in source.exported
        return None if hidden else self._named(source, path, been)

    def _imported(
        self, module: SourceModule, imported: Imported, attributes: tuple[str, ...], been: Been
    ) -> list[Target]:
        path = attributes if imported.name is None else (imported.name, *attributes)
        return self.reached(module.absolute(imported), path, been)

    # --- environments -----------------------------------------------------------------------------------------

    def task_decorators(self, module: SourceModule, node: ast.stmt) -> list[ast.expr] | None:
        """Return a function's decorators without what only says how and where a task runs; None for all."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        kept = [d if not self._makes_task(module, d) else version_settings(d) for d in node.decorator_list]
        return None if kept == node.decorator_list else [d for d in kept if d is not None]

    def _makes_task(self, module: SourceModule, decorator: ast.expr) -> bool:
        method = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(method, ast.Attribute) or method.attr != "task":
            return False
        return self._are_environments(module, method.value)

    def _are_environments(self, module: SourceModule, value: ast.expr) -> bool:
        use = Use(object_path(value))
        found = self.meaning(module, use) if use.path else []
        return bool(found) and all(t == TASK_ENVIRONMENT for t in found)

    def _is_environment(self, definition: Definition) -> bool:
        """Whether a name is assigned a task environment, whose settings are not code."""
        if definition not in self._environments:
            self._environments[definition] = False  # until it is known; names may lead back to this one
            binding = definition.module.binding(definition.name)
            value = getattr(binding[0].node, "value", None) if len(binding) == 1 else None
            self._environments[definition] = self._makes_environment(definition.module, value)
        return self._environments[definition]

    def _makes_environment(self, module: SourceModule, value: object) -> bool:
        if isinstance(value, ast.Name | ast.Attribute):
            return self._are_environments(module, value)
        if not isinstance(value, ast.Call):
            return False
        path = object_path(value.func)
        if path[-1:] == ("clone_with",) and isinstance(value.func, ast.Attribute):
            return self._are_environments(module, value.func.value)
        maker = path[:-1] if path[-1:] == ("from_task",) else path
        found = self.meaning(module, Use(maker)) if maker else []
        return bool(found) and all(isinstance(t, Foreign) and is_environment_class(t.name) for t in found)
