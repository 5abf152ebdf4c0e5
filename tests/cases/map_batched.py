"""Maps in batches: items keep results, failures, retries, time limits, names and cache entries of their own."""

import asyncio
from functools import partial

from scenario import Observed, Scenario, in_folder, note

import upwell
from upwell.errors import RuntimeUserError

env = upwell.TaskEnvironment("case-map-batched")
N = 20


@env.task
async def double(x: int) -> int:
    return 2 * x


@env.task
def add(x: int, y: int) -> int:
    return x + y


@env.task(retries=upwell.RetryStrategy(count=1))
async def second_try(folder: str, x: int) -> int:
    attempt = upwell.ctx().attempt or 0
    note(folder, f"try {attempt} of {x}")
    if x % 5 == 0 and attempt < 2:
        raise ValueError("not yet")
    return x


@env.task
async def odd_fails(x: int) -> int:
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x


@env.task(timeout=0.3)
async def too_long(x: int) -> int:
    await asyncio.sleep(30 if x == 1 else 0)
    return x


@env.task
async def named(x: int) -> str:
    action = upwell.ctx().action
    return action.name if action else ""


@env.task
async def nested(x: int) -> list[int]:
    return await upwell.map(double, [x, x + 1, x], batch=2)


@env.task(cache=upwell.Cache("auto", version_override="1"))
def kept(folder: str, x: int) -> int:
    note(folder, f"computed {x}")
    return x


def shown(results: list[int | Exception]) -> list[str]:
    return [f"{r.code}" if isinstance(r, RuntimeUserError) else str(r) for r in results]


@env.task
def in_sync_code() -> list[int]:
    return [r for r in upwell.map(add, range(N), range(N), batch=6) if isinstance(r, int)]


@env.task
async def main(folder: str) -> dict[str, object]:
    names = await upwell.map(named, range(6), batch=3)
    for batch in (4, 1):
        await upwell.map(partial(kept, folder), [0, 1, 2, 3], group_name=f"kept {batch}", batch=batch)
    return {
        "double": await upwell.map(double, range(N), batch=7),
        "sync": await in_sync_code.aio(),
        "retried": await upwell.map(partial(second_try, folder), range(10), batch=10),
        "failures": shown(await upwell.map(odd_fails, range(4), batch=4, return_exceptions=True)),
        "too long": shown(await upwell.map(too_long, range(3), batch=3, return_exceptions=True)),
        "names": len(set(names)),
        "nested": await upwell.map(nested, range(3), batch=3),
    }


def check(observed: Observed) -> None:
    assert [action.spec.items for action in observed.of(second_try)] == [10]
    assert sorted(action.spec.items for action in observed.of(named)) == [3, 3]
    tries = [line for line in observed.notes if line.startswith("try")]
    assert sorted(tries) == sorted([f"try 1 of {x}" for x in range(10)] + ["try 2 of 0", "try 2 of 5"])
    computed = sorted(line for line in observed.notes if line.startswith("computed"))
    assert computed == [f"computed {x}" for x in range(4)]


SCENARIO = Scenario(
    main,
    inputs=in_folder,
    value={
        "double": [2 * x for x in range(N)],
        "sync": [2 * x for x in range(N)],
        "retried": list(range(10)),
        "failures": ["0", "ValueError", "2", "ValueError"],
        "too long": ["0", "MaxRuntimeExceededError", "2"],
        "names": 6,
        "nested": [[0, 2, 0], [2, 4, 2], [4, 6, 4]],
    },
    check=check,
)
