"""The same sync call ten times in a loop is ten actions."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-equal-calls")


@env.task
def greet(name: str) -> str:
    return f"Hello, {name}!"


@env.task
def main(name: str) -> str:
    for _ in range(10):
        greet(name)
    return "Done"


def check(observed: Observed) -> None:
    assert len({action.spec.action_id for action in observed.of(greet)}) == 10
    assert observed.ends(greet) == [["succeeded"]] * 10


SCENARIO = Scenario(main, {"name": "World"}, value="Done", check=check)
