from __future__ import annotations

from functools import cache

import pytest
from bench.cache.edits import EDITS, Edit
from bench.cache.programs import FACTORY, PLUGINS, SHOP
from bench.cache.stability import stability_table, version_in

from upwell._author.code_version.version import CodeVersion

PROGRAMS = [SHOP, PLUGINS, FACTORY]


@cache
def unedited(program: int) -> CodeVersion:
    return version_in(PROGRAMS[program])


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.about)
def test_what_changes_the_version_of_the_code(edit: Edit) -> None:
    before, after = unedited(PROGRAMS.index(edit.program)), version_in(edit.edited())
    assert (before.digest != after.digest) is edit.changes
    changed = {p.digest for p in before.parts} ^ {p.digest for p in after.parts}
    assert bool(changed) is edit.changes  # it can always be said which part it was


def test_the_table_tells_which_part_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    edit = next(edit for edit in EDITS if edit.about == "a helper three modules away")
    monkeypatch.setattr("bench.cache.stability.EDITS", [edit])
    (row,) = stability_table()
    assert (row.expected, row.changes, row.parts) == (True, True, ("shop.rates:tax",))
