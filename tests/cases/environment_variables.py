"""Environment variables of the environment, of an override and of the run; none outlives its action."""

import os

from scenario import Observed, Scenario

import upwell

plain = upwell.TaskEnvironment("case-environment-variables-plain")
env = upwell.TaskEnvironment(
    "case-environment-variables", env_vars={"CASE_OF_ENV": "env", "CASE_OF_BOTH": "env"}
)
NAMES = ("CASE_OF_ENV", "CASE_OF_BOTH", "CASE_OF_CALL", "CASE_OF_RUN")


@env.task
async def read() -> list[str]:
    return [os.environ.get(name, "") for name in NAMES]


@env.task
def read_in_a_thread() -> list[str]:
    return [os.environ.get(name, "") for name in NAMES]


@plain.task
async def main() -> list[list[str]]:
    return [
        await read(),
        await read_in_a_thread.aio(),
        await read.override(env_vars={"CASE_OF_CALL": "call"})(),
        [os.environ.get(name, "") for name in NAMES],
    ]


def check(observed: Observed) -> None:
    assert not os.environ.keys() & set(NAMES)


SCENARIO = Scenario(
    main,
    value=[
        ["env", "run", "", "run"],
        ["env", "run", "", "run"],
        ["", "run", "call", "run"],
        ["", "run", "", "run"],
    ],
    check=check,
    options={"env_vars": {"CASE_OF_RUN": "run", "CASE_OF_BOTH": "run"}},
)
