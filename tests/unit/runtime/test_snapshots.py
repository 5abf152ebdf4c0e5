"""What is restored from a snapshot draws numbers of its own; the hooks are those of Lambda's own library."""

from __future__ import annotations

import random

import pytest
import snapshot_restore_py  # type: ignore[import-untyped]  # it has no types

from upwell_runtime import wiring


def drawn_after(state: object) -> float:
    """Restore a snapshot: the process goes on with the random state that it had, after the hooks."""
    random.setstate(state)  # type: ignore[arg-type]  # of random.getstate()
    for hook, args, kwargs in snapshot_restore_py.get_after_restore():
        hook(*args, **kwargs)
    return random.random()


def test_two_environments_of_one_snapshot_draw_different_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    wiring.be_unique_when_restored()
    state = random.getstate()
    assert drawn_after(state) != drawn_after(state)
    assert len(snapshot_restore_py.get_after_restore()) == 1


def test_without_a_snapshot_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    before = len(snapshot_restore_py.get_after_restore())
    wiring.be_unique_when_restored()
    assert len(snapshot_restore_py.get_after_restore()) == before
