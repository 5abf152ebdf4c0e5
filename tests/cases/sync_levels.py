"""Sync tasks that call sync tasks, three levels deep."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-sync-levels")


@env.task
def at_least_zero(x: float) -> float:
    return max(x, 0.0)


@env.task
def percent(x: float) -> float:
    return x / 100


@env.task
def preprocess(x: float) -> float:
    return percent(at_least_zero(x))


@env.task
def main(raw_value: float) -> float:
    return preprocess(raw_value)


def check(observed: Observed) -> None:
    (root,) = observed.of(main)
    (middle,) = observed.of(preprocess)
    assert middle.spec.parent_id == root.spec.action_id == "a0"
    for leaf in observed.of(at_least_zero) + observed.of(percent):
        assert leaf.spec.parent_id == middle.spec.action_id
        assert leaf.spec.depth == 2
    assert len(observed.actions) == 4
    assert observed.kinds(percent) == {observed.kind(reusable=False)}


SCENARIO = Scenario(main, {"raw_value": 42.0}, value=0.42, check=check)
