"""Objects of a class without any base: as input, as a dict's value, as output."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-plain-class")


class Thing:
    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number

    def __repr__(self) -> str:
        return f"Thing({self.name!r}, {self.number})"

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    __hash__ = object.__hash__


@env.task
async def by_name(thing: Thing) -> dict[str, Thing]:
    return {thing.name: thing}


@env.task
async def main(thing: Thing) -> dict[str, Thing]:
    thing.number += 10
    return await by_name(thing)


THING = Thing("example", 5)


def check(observed: Observed) -> None:
    assert THING.number == 5  # the task changed its own copy
    assert type(observed.value["example"]).__name__ == "Thing"


SCENARIO = Scenario(main, {"thing": THING}, value={"example": Thing("example", 15)}, check=check)
