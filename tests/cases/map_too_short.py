"""A check in the root fails before anything is mapped."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-map-too-short")


@env.task
def linear(x: int) -> int:
    return 2 * x + 5


@env.task
def main(x_list: list[int]) -> list[int]:
    if len(x_list) < 10:
        raise ValueError(f"x_list doesn't have a large enough sample size found: {len(x_list)}")
    return list(upwell.map(linear, x_list, return_exceptions=False))


def check(observed: Observed) -> None:
    assert str(observed.error).endswith("found: 2")
    assert [action.spec.action_id for action in observed.actions] == ["a0"]


SCENARIO = Scenario(main, {"x_list": [1, 2]}, error="RuntimeUserError", code="ValueError", check=check)
