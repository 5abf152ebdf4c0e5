"""Failures in a map: raised, or values, by the way it is consumed and by `return_exceptions`."""

from collections import Counter

from scenario import Observed, Scenario

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("case-map-failures")


@env.task
async def halve(x: int) -> int:
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x // 2


def shown(results: list[int | Exception]) -> list[str]:
    return [f"{r.code}: {r}" if isinstance(r, RuntimeUserError) else str(r) for r in results]


@env.task
def in_sync_code() -> list[str]:
    results = list(upwell.map(halve, [0, 1, 2], group_name="list"))
    try:
        list(upwell.map(halve, [1], group_name="raised", return_exceptions=False))
    except RuntimeUserError as e:
        return [*shown(results), f"raised {e}"]
    return shown(results)


@env.task
async def main() -> dict[str, list[str]]:
    seen = {"sync": await in_sync_code.aio()}
    seen["values"] = shown(await upwell.map(halve, [0, 1, 2], return_exceptions=True))
    seen["stream"] = shown([r async for r in upwell.map(halve, [4, 5])])
    try:
        await upwell.map(halve, [7])
    except RuntimeUserError as e:
        seen["awaited"] = shown([e])
    try:
        async for _ in upwell.map(halve, [9], return_exceptions=False):
            pass
    except RuntimeUserError as e:
        seen["strict stream"] = shown([e])
    try:
        sum([r async for r in upwell.map(halve, [11])])  # type: ignore[misc]  # a failure among numbers
    except RuntimeUserError as e:
        seen["sum"] = shown([e])
    return seen


def check(observed: Observed) -> None:
    ended = Counter(action.status for action in observed.of(halve))
    assert ended == {"SUCCEEDED": 5, "FAILED": 7}
    assert {"case-map-failures.halve_list", "case-map-failures.halve_map"} <= {
        action.spec.group for action in observed.of(halve)
    }


SCENARIO = Scenario(
    main,
    value={
        "sync": ["0", "ValueError: 1 is odd", "1", "raised 1 is odd"],
        "values": ["0", "ValueError: 1 is odd", "1"],
        "stream": ["2", "ValueError: 5 is odd"],
        "awaited": ["ValueError: 7 is odd"],
        "strict stream": ["ValueError: 9 is odd"],
        "sum": ["ValueError: 11 is odd"],
    },
    check=check,
)
