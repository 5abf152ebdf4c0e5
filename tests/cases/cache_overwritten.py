"""A run that overwrites the cache computes every time."""

from scenario import Observed, Scenario, in_folder, note

import upwell

env = upwell.TaskEnvironment("case-cache-overwritten", cache=upwell.Cache("auto", version_override="v1"))


@env.task
async def compute(folder: str) -> int:
    note(folder, "computed")
    return 1


@env.task
async def main(folder: str) -> int:
    return await compute(folder) + await compute(folder)


def check(observed: Observed) -> None:
    assert observed.notes == ["computed", "computed"]
    assert all(action.spec.task.cache_key for action in observed.actions)


SCENARIO = Scenario(main, in_folder, value=2, check=check, options={"overwrite_cache": True})
