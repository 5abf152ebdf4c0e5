"""When a run is too large or too deep, and how often somebody looks."""

from __future__ import annotations

import pytest

from upwell._core.guard import LOOK_EVERY, Growth, is_look_due, too_deep, too_many
from upwell._core.ids import digest

MILLION = 1_000_000


def test_a_run_at_its_bound_may_not_call_and_one_below_may() -> None:
    assert too_many("r", {"env.leaf": 98, "env.main": 1}, 100, parent="env.main", child="env.leaf") is None
    text = too_many("r", {"env.leaf": 99, "env.main": 1}, 100, parent="env.main", child="env.leaf")
    assert text is not None
    assert "run r has 100 actions and may have 100" in text
    assert "99 of them are calls of env.leaf" in text
    assert "env.main was about to call env.leaf" in text
    assert "--max-actions" in text


def test_the_deepest_level_may_be_called_and_the_next_may_not() -> None:
    assert too_deep(7, 7, parent="env.f", child="env.f") is None
    text = too_deep(8, 7, parent="env.f", child="env.g")
    assert text is not None
    assert "env.f calls env.g on level 8" in text
    assert "--max-depth" in text


def looks(calls: int, max_actions: int, *, children_of_each: int) -> int:
    """Return how often a run is looked at in one process while it makes so many calls, evenly over parents."""
    growth, found = Growth(), 0
    for number in range(calls):
        parent = digest("parent", str(number // children_of_each))
        growth = Growth(actions=growth.actions, called=growth.called + 1)
        if is_look_due(digest(parent, str(number)), growth, max_actions):
            found += 1
            growth = Growth(actions=number)
    return found


@pytest.mark.parametrize("children_of_each", [2, 100_000], ids=["many small parents", "one large parent"])
def test_a_large_run_is_looked_at_now_and_then_whatever_its_shape(children_of_each: int) -> None:
    found = looks(100_000, MILLION, children_of_each=children_of_each)
    assert 20 <= found <= 100_000 / LOOK_EVERY


def test_a_run_with_a_small_bound_is_looked_at_with_every_call() -> None:
    assert looks(50, 100, children_of_each=2) == 50


def test_most_small_runs_are_never_looked_at() -> None:
    due = [is_look_due(digest(str(n)), Growth(), MILLION) for n in range(10_000)]
    assert 20 <= sum(due) <= 60
