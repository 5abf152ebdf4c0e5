"""The first failure of a map passes through the root to the run."""

from scenario import Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-map-first-failure")


@env.task
def pick(n: int) -> str:
    if n == 2:
        raise ValueError("Intentional error for testing")
    return f"item {n}"


@env.task
def main(n: int):  # type: ignore[no-untyped-def]  # a task without an annotated output
    for entry in list(upwell.map(pick, range(n), return_exceptions=False)):
        print(entry)


def check(observed: Observed) -> None:
    assert "pick" in "\n".join(observed.error.__notes__)  # type: ignore[union-attr]
    (root,) = observed.of(main)
    assert root.status == "FAILED"


SCENARIO = Scenario(
    main,
    {"n": 3},
    error="RuntimeUserError",
    code="ValueError",
    message="Intentional error for testing",
    check=check,
)
