"""Which edits of a program change the version of a task's code: `stability_table()`."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cache.edits import EDITS, Edit
from bench.cache.programs import Files
from upwell._author.code_version.version import CodeVersion
from upwell._author.registry import forget
from upwell._author.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        about: What is edited.
        expected: Whether the version is to change.
        changes: Whether it did.
        parts: The parts that changed, came or went, by name.
    """

    about: str
    expected: bool
    changes: bool
    parts: tuple[str, ...]


def stability_table() -> list[Row]:
    """Make every edit, each in a fresh copy of its program; return what became of the version of its task."""
    before: dict[str, CodeVersion] = {}
    return [_row(edit, before) for edit in EDITS]


def _row(edit: Edit, before: dict[str, CodeVersion]) -> Row:
    key = str(edit.program)
    if key not in before:
        before[key] = version_in(edit.program)
    old, new = before[key], version_in(edit.edited())
    digests = [{p.name: p.digest for p in version.parts} for version in (old, new)]
    names = [name for name in {**digests[0], **digests[1]} if digests[0].get(name) != digests[1].get(name)]
    return Row(
        about=edit.about, expected=edit.changes, changes=old.digest != new.digest, parts=tuple(sorted(names))
    )


def version_in(files: Files, task: str = "report") -> CodeVersion:
    """Return the version of a task's code in a program that is written to a folder and imported from there."""
    with imported(files) as tasks:
        found: Task[..., object] = getattr(tasks, task)
        version = found.code
    assert version is not None, f"{task} is not cached by its code"
    return version


@contextmanager
def imported(files: Files) -> Iterator[object]:
    """Write a program to a folder and import its module `tasks`, which is forgotten at the end."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield importlib.import_module("tasks")
        finally:
            sys.path.remove(folder)
            own = {Path(name).parts[0].removesuffix(".py") for name in files}
            for name in [name for name in sys.modules if name.partition(".")[0] in own]:
                forget(name)
                del sys.modules[name]


def write(folder: Path, files: Files) -> None:
    """Write a program to a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main() -> None:
    """Print the table."""
    for row in stability_table():
        mark = "" if row.changes == row.expected else "  WRONG"
        print(f"{'new key ' if row.changes else 'same key'}  {row.about}{mark}")


if __name__ == "__main__":
    main()
