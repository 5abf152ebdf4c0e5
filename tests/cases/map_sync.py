"""A sync task consumes a map as a list."""

from statistics import fmean

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-map-sync")


@env.task
def linear(x: int) -> int:
    return 2 * x + 5


@env.task
def main(x_list: list[int] = list(range(1, 11))) -> float:  # noqa: B006  # a task gets a copy of its own
    results = list(upwell.map(linear, x_list))
    return fmean(x for x in results if isinstance(x, int))


def check(observed: Observed) -> None:
    assert len(observed.of(linear)) == 10
    assert {action.spec.group for action in observed.of(linear)} == {"case-map-sync.linear_map"}


SCENARIO = Scenario(main, {"x_list": list(range(10))}, value=14.0, check=check)
