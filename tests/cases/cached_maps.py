"""Kept results of items: whole batches of them are answered in the parent, and the rest by an executor."""

from scenario import Observed, Scenario, in_folder, note

import upwell

N = 60
env = upwell.TaskEnvironment("case-cached-maps", cache=upwell.Cache("auto", ignored_inputs="folder"))
plain = upwell.TaskEnvironment("case-cached-maps-parent")


@env.task
async def square(folder: str, x: int) -> int:
    note(folder, f"square {x}")
    return x * x


@plain.task
async def main(folder: str) -> list[int]:
    sums = []
    for most in (N, N, N + 5):  # all are computed, all are kept, and all but five
        results = upwell.map.aio(square, [folder] * most, range(most), return_exceptions=False, batch=20)
        sums.append(sum([each async for each in results]))
    return sums


def check(observed: Observed) -> None:
    assert sorted(observed.notes) == sorted(f"square {x}" for x in range(N + 5))
    hits = [action for action in observed.of(square) if action.cached_from is not None]
    assert [hit.spec.items for hit in hits] == [20] * 6
    makers = {action.key for action in observed.of(square) if action.cached_from is None}
    assert {hit.cached_from for hit in hits} <= makers


def total(n: int) -> int:
    return sum(x * x for x in range(n))


SCENARIO = Scenario(main, in_folder, value=[total(N), total(N), total(N + 5)], check=check)
