"""Batch requests of SQS: one answer per entry, and another try for those that failed by no fault of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from upwell._core.limits import SQS_BATCH_BYTES, SQS_BATCH_ITEMS
from upwell._exec.batcher import Batcher

RETRY_DELAYS_S = (0.05, 0.2, 0.8, 3.2)
"""Before each further try of entries that failed on the side of SQS."""

Entry = dict[str, Any]
"""An entry of a batch request, without its `Id`."""
Request = Callable[[list[Entry]], Awaitable[Mapping[str, Any]]]
"""Sends a batch request and returns the response, whose `Failed` names entries by `Id`."""


class EntryError(RuntimeError):
    """SQS took a batch request, but not this entry of it."""


def entry_batcher(
    request: Request, what: str, *, parallel: int, patience_s: float = 0.0, harmless: Collection[str] = ()
) -> Batcher[Entry, None]:
    """Return a batcher that makes requests of up to 10 entries and 1 MiB.

    Args:
        request: Sends one batch.
        what: What an entry is, for errors: `message to pool 'default'`.
        parallel: Requests in flight at a time.
        patience_s: See `Batcher`.
        harmless: Codes of failures that leave nothing to do.
    """

    async def flush(entries: list[Entry]) -> Sequence[Exception | None]:
        return await _request_all(request, entries, what, harmless)

    return Batcher(
        flush,
        max_items=SQS_BATCH_ITEMS,
        max_bytes=SQS_BATCH_BYTES,
        size_of=entry_bytes,
        parallel=parallel,
        patience_s=patience_s,
    )


def entry_bytes(entry: Entry) -> int:
    """Return what an entry adds to the size of its batch."""
    return len(entry.get("MessageBody", "").encode())


async def _request_all(
    request: Request, entries: Sequence[Entry], what: str, harmless: Collection[str]
) -> list[Exception | None]:
    answers: list[Exception | None] = [None] * len(entries)
    left = list(range(len(entries)))
    for delay_s in (*RETRY_DELAYS_S, None):
        response = await request([{"Id": str(number), **entries[number]} for number in left])
        left = []
        for failure in response.get("Failed", ()):
            if failure["Code"] in harmless:
                continue
            number = int(failure["Id"])
            if failure["SenderFault"] or delay_s is None:
                answers[number] = EntryError(
                    f"SQS refused a {what}: {failure['Code']}: {failure.get('Message', '')}"
                )
            else:
                left.append(number)
        if not left or delay_s is None:
            break
        await asyncio.sleep(delay_s)
    return answers
