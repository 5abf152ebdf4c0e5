"""The script that runs: here it is `__main__`, in other processes it goes by the name of its file."""

from __future__ import annotations

import ast
import importlib
import sys
from functools import cache, reduce
from pathlib import Path
from typing import Any

MAIN = "__main__"
_root: list[Path] = []


def set_root_dir(path: Path | None) -> None:
    """Say where the user's code starts; by default it is the folder of the script that runs."""
    _root[:] = [] if path is None else [path.resolve()]


def root_dir() -> Path | None:
    """Return where the user's code starts, if somebody said so."""
    return _root[0] if _root else None


def importable_name(module: str, root_dir: Path | None = None) -> str:
    """Return the name under which another process can import a module of this one.

    It is the module's own, except for the script that runs: its name comes from its file, relative to
    `root_dir` (default: what `set_root_dir` said, else its folder).
    """
    if module != MAIN:
        return module
    main = sys.modules.get(MAIN)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    if file is None:
        return MAIN
    return _name_of_file(file, root_dir if root_dir is not None else (_root[0] if _root else None))


def own_name(module: str) -> str:
    """Return the name that a module goes by in this process: the running script is `__main__`."""
    return MAIN if module == importable_name(MAIN) else module


def reference_to(kind: type) -> tuple[str, str] | None:
    """Return how another process finds a class of the script that runs; None for all other classes.

    Those that only a script has, because they are defined below `if __name__ == "__main__":` or in a notebook,
    cannot be found elsewhere.
    """
    if kind.__module__ != MAIN or "<locals>" in kind.__qualname__:
        return None
    module, file = importable_name(MAIN), getattr(sys.modules.get(MAIN), "__file__", None)
    if module == MAIN or file is None or kind.__qualname__.partition(".")[0] not in _classes_of(file):
        return None
    return module, kind.__qualname__


def find(module: str, qualname: str) -> Any:
    """Return what `reference_to` gave the names of."""
    return reduce(getattr, qualname.split("."), importlib.import_module(own_name(module)))


@cache
def _name_of_file(file: str, root_dir: Path | None) -> str:
    path = Path(file).resolve()
    root = root_dir.resolve() if root_dir is not None else path.parent
    relative = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return ".".join(relative.with_suffix("").parts)


@cache
def _classes_of(file: str) -> frozenset[str]:
    """Return the classes that a module has whoever imports it."""
    try:
        tree = ast.parse(Path(file).read_text())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return frozenset()
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))
