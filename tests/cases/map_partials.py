"""Maps of partials, valid ones and each kind that is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

from scenario import ANYTHING, Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-map-partials")
TASK = "case-map-partials.my_task"


@env.task
def my_task(name: str, config: str, item: str) -> str:
    return f"{name} {config} {item}"


@env.task
def one(item: int) -> int:
    return item


def plain(item: int) -> int:
    return item


def refused(make: Callable[[], Any]) -> str:
    try:
        list(make())
    except (TypeError, ValueError) as e:
        return f"{type(e).__name__}: {e}"
    return "accepted"


@env.task
def main() -> dict[str, list[str]]:
    fixed = partial(my_task, "daniel", "shared_config")
    by_name = partial(my_task, config="shared_config", item="last")
    return {
        "one": [str(x) for x in upwell.map(one, range(3), return_exceptions=False)],
        "fixed": list(upwell.map(fixed, ["0", "1", "2"], return_exceptions=False)),
        "by name": list(upwell.map(by_name, "01", return_exceptions=False)),
        "refused": [
            refused(lambda: upwell.map(partial(my_task, name="daniel", config="c"), ["0"])),
            refused(lambda: upwell.map(partial(my_task, config="c"), ["0"])),
            refused(lambda: upwell.map(fixed, ["0"], ["1"])),
            refused(lambda: upwell.map(plain, [0])),
            refused(lambda: upwell.map(one, 3)),  # type: ignore[call-overload]
            refused(lambda: upwell.map(one)),
            refused(lambda: upwell.map(one, [0], concurrency=-1)),
        ],
    }


def check(observed: Observed) -> None:
    value = observed.value
    assert value["one"] == ["0", "1", "2"]
    assert value["fixed"] == [f"daniel shared_config {i}" for i in range(3)]
    assert value["by name"] == [f"{i} shared_config last" for i in range(2)]
    twice, two_left, two_iterables, no_task, no_iterable, nothing, negative = value["refused"]
    assert twice == (
        "TypeError: Parameter 'name' is provided both as positional argument and keyword argument "
        f"in partial function {TASK}."
    )
    for text in (two_left, two_iterables):
        assert text.startswith("TypeError: Partial function must leave exactly one parameter unspecified")
    assert "leaving 2 unspecified" in two_left
    assert no_task.startswith("TypeError: map: <function plain")
    assert no_iterable.startswith("TypeError: map: 3 is not iterable")
    assert nothing == "TypeError: map: give at least one iterable after the task"
    assert negative.startswith("ValueError: map: concurrency=-1")
    assert len(observed.of(my_task)) == 5


SCENARIO = Scenario(main, value=ANYTHING, check=check)
