"""Kept results: used for equal inputs and version, shown on the action, recomputed with `override`."""

from scenario import Observed, Scenario, in_folder, note

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("case-cached", cache="disable")


@env.task(cache=upwell.Cache("auto", version_override="v1", ignored_inputs=("verbose",)))
async def compute(folder: str, x: int, verbose: bool = False) -> int:
    note(folder, f"compute {x}")
    return x * x


@env.task(cache="auto")
async def by_code(folder: str) -> list[int]:
    note(folder, "by code")
    return list(range(5000))


@env.task(cache="override")
async def always(folder: str) -> str:
    note(folder, "always")
    return "always"


@env.task(cache=upwell.Cache("auto", version_override="v1"))
async def fails(folder: str) -> None:
    note(folder, "fails")
    raise ValueError("failures are not kept")


@env.task
async def never(folder: str) -> str:
    note(folder, "never kept")
    return "never"


@env.task
async def main(folder: str) -> list[int]:
    seen = [await compute(folder, 3), await compute(folder, 3), await compute(folder, 3, verbose=True)]
    seen.append(await compute(folder, 4))
    other = compute.override(cache=upwell.Cache("auto", version_override="v2"))
    seen.append(await other(folder, 3))
    seen += [len(await by_code(folder)), len(await by_code(folder))]
    for _ in range(2):
        await always(folder)
        await never(folder)
        try:
            await fails(folder)
        except RuntimeUserError:
            seen.append(-1)
    return seen


def check(observed: Observed) -> None:
    expected = ["compute 3", "compute 4", "compute 3", "by code"]
    assert observed.notes[:4] == expected
    assert sorted(observed.notes[4:]) == ["always"] * 2 + ["fails"] * 2 + ["never kept"] * 2
    computed = {action.spec.action_id for action in observed.of(compute) if action.attempts}
    hits = [action for action in observed.of(compute) if action.cached_from is not None]
    assert (len(computed), len(hits)) == (3, 2)
    for hit in hits:
        assert hit.status == "SUCCEEDED"
        assert hit.attempts == ()
        assert hit.cached_from is not None
        assert hit.cached_from.run_id == observed.run.spec.run_id
        assert hit.cached_from.action_id in computed


SCENARIO = Scenario(main, in_folder, value=[9, 9, 9, 16, 9, 5000, 5000, -1, -1], check=check)
