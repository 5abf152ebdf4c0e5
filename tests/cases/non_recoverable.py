"""A `NonRecoverableError` ends an action whatever retries it has left."""

from scenario import Observed, Scenario

import upwell
from upwell.errors import NonRecoverableError, RuntimeUserError

env = upwell.TaskEnvironment("case-non-recoverable")


@env.task(retries=5)
async def give_up() -> None:
    raise NonRecoverableError("there is no point")


@env.task
async def main() -> list[str]:
    try:
        await give_up()
    except RuntimeUserError as e:
        return [type(e).__name__, e.code, str(e)]
    return []


def check(observed: Observed) -> None:
    assert observed.ends(give_up) == [["failed"]]


SCENARIO = Scenario(main, value=["RuntimeUserError", "NonRecoverableError", "there is no point"], check=check)
