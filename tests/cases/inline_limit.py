"""Values above `max_inline_io` are refused, with the way out named."""

from scenario import Observed, Scenario

import upwell
from upwell.errors import InlineIOMaxBytesBreached

env = upwell.TaskEnvironment("case-inline-limit", max_inline_io="16Ki")


@env.task
async def size(text: str) -> int:
    return len(text)


@env.task
async def make(n: int) -> str:
    return "x" * n


@env.task(max_inline_io_bytes=1000)
async def small(text: str) -> int:
    return len(text)


@env.task
async def main() -> list[str | int]:
    seen: list[str | int] = [await size("x" * 16_000), await small("x" * 900)]
    for call in (size("x" * 17_000), make(17_000), small("x" * 1001)):
        try:
            await call
        except InlineIOMaxBytesBreached as e:
            seen.append(e.code if "File" in str(e) else str(e))
    seen.append(await size.override(max_inline_io_bytes="1Mi")("x" * 17_000))
    return seen


def check(observed: Observed) -> None:
    assert len(observed.of(size)) == 2
    assert len(observed.of(small)) == 1
    assert [action.status for action in observed.of(make)] == ["FAILED"]


SCENARIO = Scenario(main, value=[16_000, 900, *["InlineIOMaxBytesBreached"] * 3, 17_000], check=check)
