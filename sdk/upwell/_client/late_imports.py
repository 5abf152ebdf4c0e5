"""Modules that a program will import later: inside functions, or when an import fails elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from upwell._author.code_version.names import imports_of
from upwell._author.code_version.source_module import SourceModule
from upwell._author.code_version.user_modules import UserModules

_INDENTED_IMPORT = re.compile(rb"^[ \t]+(?:import|from)[ \t]", re.MULTILINE)


def late_imports(root: Path, loaded: Iterable[Path]) -> set[Path]:
    """Return the source files below a folder that loaded ones have yet to import, and those that these import.

    They are found in the text of the files; nothing is executed. `importlib.import_module(name)` is not seen.

    Args:
        root: The folder, resolved.
        loaded: Files below it that are loaded.
    """
    modules = UserModules(root)
    known = set(loaded)
    found: set[Path] = set()
    todo = [f for f in known if _INDENTED_IMPORT.search(f.read_bytes())]
    while todo:
        module = modules.module(_name_of(root, todo.pop()))
        for path in _imported(modules, module) if module is not None else ():
            if path not in known and path.is_relative_to(root):
                known.add(path)
                found.add(path)
                todo.append(path)
    return found


def _name_of(root: Path, file: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(modules: UserModules, module: SourceModule) -> Iterator[Path]:
    nodes = (node for statement in module.statements for node in ast.walk(statement.node))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(modules, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for _, imported in imports_of(node):
                where = modules.absolute(module, imported)
                yield from _files(modules, where)
                yield from _files(modules, f"{where}.{imported.name}")


def _files(modules: UserModules, name: str) -> Iterator[Path]:
    """Yield the files of a module and of the packages around it."""
    parts = name.split(".")
    if modules.module(name) is None:
        return
    for i in range(1, len(parts) + 1):
        module = modules.module(".".join(parts[:i]))
        if module is not None and module.path is not None:
            yield module.path
