"""Modules that a program will import later: inside functions, or when an import fails elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

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
        names = module.imports_ever if module is not None else []
        imported = [m.path for m in map(modules.module, names) if m is not None and m.path is not None]
        new = {path for path in imported if path.is_relative_to(root)} - known
        known |= new
        found |= new
        todo += new
    return found


def _name_of(root: Path, file: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
