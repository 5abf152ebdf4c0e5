"""Maps as streams: results in input order whatever ends first, items read no further than calls can start."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from scenario import Observed, Scenario

import upwell
from upwell._core.model import ActionRecord

env = upwell.TaskEnvironment("case-map-streams")
N, CONCURRENCY = 8, 3


@env.task
async def later_is_faster(x: int) -> int:
    await asyncio.sleep(0.02 * (N - x))
    return x


@env.task
async def add(x: int, y: int) -> int:
    return x + y


@env.task
def sync_for() -> list[int | Exception]:
    lengths = (len(word) for word in ("a", "bb", "ccc"))
    results = []
    for result in upwell.map(add, lengths, [10, 20, 30, 40], concurrency=2):
        results.append(result)  # noqa: PERF402  # a loop is what this is about
    return results


@env.task
async def main() -> dict[str, list[Any]]:
    read: list[int] = []
    room = []

    def numbers() -> Iterator[int]:
        for number in range(N):
            read.append(number)
            yield number

    async def words() -> AsyncIterator[int]:
        for number in (7, 8):
            yield number

    streamed: list[int | Exception] = []
    async for result in upwell.map(later_is_faster, numbers(), concurrency=CONCURRENCY, batch=1):
        streamed.append(result)
        room.append(len(read))
    return {
        "streamed": streamed,
        "read": sorted(set(room))[-1:],
        "zipped": await sync_for.aio(),
        "async source": await upwell.map(add, words(), range(5)),
        "aio": [x async for x in upwell.map.aio(add, [1], [1])],
        "empty": await upwell.map(later_is_faster, []),
    }


def most_at_once(actions: list[ActionRecord]) -> int:
    """Return how many attempts overlapped."""
    spans = [(attempt.started_at, attempt.ended_at) for action in actions for attempt in action.attempts]
    return max(sum(start <= at < (end or at) for start, end in spans) for at, _ in spans)


def check(observed: Observed) -> None:
    mapped = observed.of(later_is_faster)
    assert len(mapped) == N
    assert 1 <= most_at_once(mapped) <= CONCURRENCY
    assert len(observed.of(add)) == 3 + 2 + 1


SCENARIO = Scenario(
    main,
    value={
        "streamed": list(range(N)),
        "read": [N],
        "zipped": [11, 22, 33],
        "async source": [7, 9],
        "aio": [2],
        "empty": [],
    },
    check=check,
)
