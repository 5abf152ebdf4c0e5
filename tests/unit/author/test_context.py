from __future__ import annotations

import asyncio
from typing import Any

from upwell._author.context import (
    NO_CONTEXT,
    ctx,
    custom_context,
    engine,
    get_custom_context,
    group,
)


def test_outside_a_task_there_is_none() -> None:
    assert not ctx()
    assert ctx().action is None
    assert engine() is None
    assert get_custom_context() == {}


class TestBlocks:
    def test_the_innermost_group_wins_and_ends_with_its_block(self) -> None:
        with group("outer"):
            with group("inner"):
                assert _group() == "inner"
            assert _group() == "outer"
        assert ctx() is NO_CONTEXT

    async def test_custom_context_adds_and_is_restored(self, engine: Any) -> None:
        async def body() -> list[dict[str, str]]:
            seen = [get_custom_context()]
            with custom_context(run="2", more="x"):
                seen.append(get_custom_context())
            return [*seen, get_custom_context()]

        assert await engine.run(body) == [{"run": "1"}, {"run": "2", "more": "x"}, {"run": "1"}]

    async def test_blocks_of_concurrent_coroutines_do_not_mix(self) -> None:
        barrier = asyncio.Barrier(2)

        async def in_group(name: str) -> str | None:
            with group(name):
                await barrier.wait()
                return _group()

        assert list(await asyncio.gather(in_group("a"), in_group("b"))) == ["a", "b"]


def _group() -> str | None:
    data = ctx().group_data
    return data.name if data else None
