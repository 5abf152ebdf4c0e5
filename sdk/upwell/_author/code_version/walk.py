"""Finds what a function's result can depend on in the user's own code."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from upwell._author.code_version.live import Item, Link, LiveFunction
from upwell._author.code_version.look import Look
from upwell._author.code_version.places import OWN_PACKAGES, resolved, root_of
from upwell._author.code_version.registrations import Registrations
from upwell._author.code_version.user_modules import TASK_ENVIRONMENT, Definition, Foreign, UserModules
from upwell._author.code_version.version import CodePart, CodeVersion
from upwell._types.main_module import importable_name, root_dir

FILLED = "filled by"
SOURCE_CHARS = 20_000
"""Of a larger piece, like a table of data, the start is kept to be shown; all of it is in the digest."""


def version_of(
    func: Callable[..., Any], root: Path | None = None, *, loaded_at: float | None = None
) -> CodeVersion:
    """Return the version of a function's code, and of all own code that it reaches.

    Source files are read and not executed; one that has not changed is read once in a process. What is not in a
    file of the user's (closures, sessions) is taken from this process.

    Args:
        func: The function.
        root: The folder that the user's modules are below; by default what `set_root_dir` said, else the folder
            that the function's module is found in. A function that is not below it is found likewise.
        loaded_at: When the program was loaded, epoch seconds. Of files that have changed since, the byte code
            that this process runs counts instead of the text. None if that cannot be.
    """
    look = Look(_modules_of(func, root, loaded_at))
    first = look.item(func, f"{getattr(func, '__module__', '')}:{getattr(func, '__qualname__', 'task')}")
    if isinstance(first, Foreign):
        return CodeVersion(digest=_hash("foreign", first.name), parts=())
    if isinstance(first, Definition | LiveFunction):
        first.is_first = True
    registrations = Registrations(look.modules, first.module) if isinstance(first, Definition) else None
    items, links = _reachable(look, first, registrations)
    number = {item.key: i for i, item in enumerate(items)}
    named = _named(items)
    whole, parts = [], []
    for i, item in enumerate(items):
        text = (item.kind, item.text)
        by_name = [part for use, to in links[i] for part in (use, _target(to, lambda t: named[number[t.key]]))]
        by_place = [part for use, to in links[i] for part in (use, _target(to, lambda t: str(number[t.key])))]
        whole.append(_hash(*text, *by_place))
        source = _shown([*_import_lines(item, links[i]), item.source])
        parts.append(CodePart(name=named[i], kind=item.kind, digest=_hash(*text, *by_name), source=source))
    return CodeVersion(digest=_hash("code 1", *whole), parts=tuple(parts))


def _modules_of(func: Callable[..., Any], root: Path | None, loaded_at: float | None) -> UserModules:
    root = root or root_dir()
    code = getattr(inspect.unwrap(func), "__code__", None)
    file = resolved(os.path.abspath(code.co_filename)) if code is not None else None
    module = importable_name(str(getattr(func, "__module__", None)), root)
    if file is not None and file.is_file() and not (root is not None and file.is_relative_to(root.resolve())):
        root = root_of(file, module)
    package = module.partition(".")[0]
    if package in OWN_PACKAGES or package in sys.stdlib_module_names:
        package = module if package in OWN_PACKAGES else ""
    return UserModules((root or Path.cwd()).resolve(), loaded_at, package)


def _reachable(
    look: Look, first: Item, registrations: Registrations | None
) -> tuple[list[Item], list[list[Link]]]:
    """Return an item and what it reaches, nearest first, and what each one's names are."""
    items: list[Item] = []
    links: list[list[Link]] = []
    seen: set[object] = set()

    def add(item: Item | Foreign) -> None:
        if not isinstance(item, Foreign) and item.key not in seen:
            seen.add(item.key)
            items.append(item)

    add(first)
    for item in items:  # grows as it is gone through
        links.append(_links(look, item))
        if registrations is not None and isinstance(item, Definition):
            links[-1] += [(FILLED, filling) for filling in registrations.into(item)]
        for _, target in links[-1]:
            add(target)
    return items, links


def _links(look: Look, item: Item) -> list[Link]:
    if not isinstance(item, Definition):
        return list(item.links)
    uses = sorted(item.uses, key=lambda use: (use.path, str(use.imported)))
    return [(use.dotted, look.at(target)) for use in uses for target in item.meaning(use)]


def _named(items: list[Item]) -> list[str]:
    """Return the items' names, made unique."""
    seen: Counter[str] = Counter()
    names = []
    for item in items:
        seen[item.qualified] += 1
        n = seen[item.qualified]
        names.append(item.qualified if n == 1 else f"{item.qualified}#{n}")
    return names


def _target(target: Item | Foreign, name: Callable[[Item], str]) -> str:
    return f"foreign {target.name}" if isinstance(target, Foreign) else f"own {name(target)}"


def _import_lines(item: Item, links: list[Link]) -> list[str]:
    """Return where an item's names come from, as comments."""
    if not isinstance(item, Definition):
        return []
    lines = set()
    for use, target in links:
        if isinstance(target, Definition) and use == FILLED:
            lines.add(f"# {target.module.name} puts something into it")
        elif isinstance(target, Definition) and target.module is not item.module:
            lines.add(f"# {use} is {target.qualified}")
        elif isinstance(target, Foreign) and target != TASK_ENVIRONMENT:
            is_alias = use.partition(".")[0] != target.name.partition(".")[0]
            lines.update([f"# {use} is {target.name}"] if is_alias else [])
    return sorted(lines)


def _shown(lines: list[str]) -> str:
    text = "\n".join(lines)
    more = len(text) - SOURCE_CHARS
    return text if more <= 0 else f"{text[:SOURCE_CHARS]}\n# ... and {more} more characters"


def _hash(*parts: str) -> str:
    h = hashlib.sha256()
    for part in parts:
        data = part.encode()
        h.update(len(data).to_bytes(8, "big"))
        h.update(data)
    return h.hexdigest()
