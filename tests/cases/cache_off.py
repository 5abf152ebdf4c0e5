"""A run with the cache off neither looks up nor keeps results."""

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-cache-off", cache=upwell.Cache("auto", version_override="v1"))


@env.task
async def compute(folder: str) -> int:
    note(folder, "computed")
    return 1


@env.task
async def main(folder: str) -> int:
    assert upwell.ctx().disable_run_cache
    return await compute(folder) + await compute(folder)


def check(observed: Observed) -> None:
    assert observed.notes == ["computed", "computed"]
    assert all(action.cached_from is None for action in observed.actions)


SCENARIO = Scenario(main, in_folder, value=2, check=check, options={"disable_run_cache": True})
