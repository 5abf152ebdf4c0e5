"""The list of kept results, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from upwell._core.model import ActionKey, CacheEntry, Payload

Console = Any
TIMES = [3e9, *[2e9] * 5, 1e9]
"""When results were kept, newest first; five are of one batch."""


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_no_page_leaves_out_results_that_were_kept_at_one_time(console: Console, limit: int) -> None:
    task, maker, output = f"shop.batch_{limit}", ActionKey("good", "a0"), Payload(text="1", size_bytes=1)
    kept = [
        CacheEntry(key=f"{task}-{n}", output=output, made_by=maker, created_at=created_at, task=task)
        for n, created_at in enumerate(TIMES)
    ]
    store = console.backend.store
    await store.put_cached(kept)
    pages = [await console.get("/cache", task=task, limit=limit)]
    while cursor := pages[-1]["next"]:
        pages.append(await console.get("/cache", task=task, limit=limit, cursor=cursor))
    await store.drop_cached([entry.key for entry in kept])
    found = [entry for page in pages for entry in page["entries"]]
    assert [entry["created_at"] for entry in found] == TIMES
    assert {entry["key"] for entry in found} == {entry.key for entry in kept}


async def test_a_cursor_is_of_the_list_of_one_task(console: Console) -> None:
    page = await console.get("/cache", task="shop.kept", limit=1)
    refused = await console.client.get("/api/v1/cache", params={"cursor": page["next"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "CursorError")
