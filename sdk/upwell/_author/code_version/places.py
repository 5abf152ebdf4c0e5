"""Which files are the user's own code, and where a module's file is."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

OWN_PACKAGES = frozenset({"upwell", "upwell_runtime", "upwell_infra"})
"""Executors bring their own; in a checkout of upwell itself they lie below the root folder."""
STANDARD_LIBRARY = sysconfig.get_path("stdlib") + os.sep
_INSTALLED = ("site-packages", "dist-packages")


def looks_installed(name: str) -> bool:
    """Whether a file is installed, by its name alone: of most modules one need not ask the disk."""
    return f"{os.sep}site-packages{os.sep}" in name or name.startswith(STANDARD_LIBRARY)


def is_installed(path: Path) -> bool:
    """Whether a resolved path is that of a distribution or of the standard library."""
    return any(part in _INSTALLED for part in path.parts) or path.is_relative_to(resolved(STANDARD_LIBRARY))


@lru_cache(4096)
def resolved(name: str) -> Path:
    """Return the path of a file or folder, without symbolic links."""
    return Path(name).resolve()


def root_of(file: Path, module: str) -> Path | None:
    """Return the folder that a module is found in, from its file and name; None if these do not go together."""
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[depth] if depth < len(file.parents) else None


def locate(module: str, root: Path) -> tuple[str | None, list[str]]:
    """Return the file of a module that need not be imported, and the folders that its own modules are in.

    No code is executed: a module of a package is looked for in the package's folders.

    Args:
        module: Importable name.
        root: A folder to look in before those of the import path.
    """
    loaded = sys.modules.get(module)
    if loaded is not None and module != "__main__":
        file = getattr(loaded, "__file__", None)
        return file if isinstance(file, str) else None, _folders(getattr(loaded, "__path__", None))
    spec = _spec_of(module, root)
    if spec is None:
        return None, []
    return spec.origin if spec.has_location else None, _folders(spec.submodule_search_locations)


def _spec_of(module: str, root: Path) -> ModuleSpec | None:
    parent, _, _ = module.rpartition(".")
    if parent:
        _, folders = locate(parent, root)
        return PathFinder.find_spec(module, folders) if folders else None
    try:
        return PathFinder.find_spec(module, [str(root)]) or importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None


def _folders(paths: Iterable[str] | None) -> list[str]:
    return [] if paths is None else list(paths)
