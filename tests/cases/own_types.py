"""Types of the user's own and signatures of every kind, in an environment that refuses pickles."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from scenario import ANYTHING, Observed, Scenario

import upwell

env = upwell.TaskEnvironment("case-own-types", pickle=False)
lax = upwell.TaskEnvironment("case-own-types-lax")


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __repr__(self) -> str:
        return f"Money({self.cents})"

    def __reduce__(self) -> Any:
        raise RuntimeError("this one is not to be pickled")


upwell.io.register(Money, encode=lambda money: money.cents, decode=Money)


@dataclass
class Bill:
    parts: list[Money]
    rate: float
    total: Money = field(init=False)

    def __post_init__(self) -> None:
        self.rate /= 100
        self.total = Money(round(sum(part.cents for part in self.parts) * (1 + self.rate)))


@env.task
async def bill(label: str, /, *parts: Money, rate: float = 10.0, **notes: Any) -> dict[str, Bill]:
    return {f"{label} {sorted(notes.items())}": Bill(list(parts), rate)}


@env.task
def add(*numbers: int) -> int:
    return sum(numbers)


@upwell.trace
async def traced(*numbers: int, **named: int) -> int:
    return sum(numbers) + sum(named.values())


@lax.task
async def untyped(x):  # type: ignore[no-untyped-def]  # pickled around the registered values
    return repr(x), x[0]


@lax.task
async def main() -> dict[str, Any]:
    bills, total, shown = await asyncio.gather(
        bill("a", Money(100), Money(50), later=True), add.aio(1, 2, 3), untyped((Money(1), {Money(2)}))
    )
    sums = await upwell.map(add, [1, 2], [10, 20], batch=2)
    refused = "not refused"
    try:
        await bill("b", mark=(1, 2))
    except TypeError as e:
        refused = str(e)
    return {
        "bills": {key: repr(found) for key, found in bills.items()},
        "total": total,
        "shown": shown[0],
        "first": shown[1].cents,
        "sums": sums,
        "traced": await traced(1, 2, x=3),
        "refused": refused,
    }


def check(observed: Observed) -> None:
    value = dict(observed.value)
    refused = value.pop("refused")
    assert value == {
        "bills": {"a [('later', True)]": "Bill(parts=[Money(100), Money(50)], rate=0.1, total=Money(165))"},
        "total": 6,
        "shown": "(Money(1), {Money(2)})",
        "first": 1,
        "sums": [11, 22],
        "traced": 6,
    }
    assert refused.startswith("task 'case-own-types.bill': parameter 'notes' holds a builtins.tuple")
    assert "pickle=False" in refused


SCENARIO = Scenario(main, value=ANYTHING, check=check)
