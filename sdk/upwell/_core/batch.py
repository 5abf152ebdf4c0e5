"""Batches: items of a map that travel in one action, and what came of each.

Both directions are JSON. The encoded inputs and outputs of items are strings in it, kept byte by byte.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from upwell._core.ids import digest
from upwell._core.model import ErrorInfo

ItemResult = str | ErrorInfo
"""What came of an item: its encoded output, or its failure."""

CHECKPOINT = "items"
"""Name under which finished items are recorded in the journal of their batch, as traces are."""
AGAIN = "BatchOfAnEarlierTry"
"""Not a failure: a batch of which a retry of its parent repeats the items that failed."""
SPLITS = frozenset({"RuntimeSystemError", "ProcessDiedError", "OOMError", "MaxRuntimeExceededError"})
"""Failures of a whole batch for which one item may be to blame: the rest is sent again, in smaller batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where an action stands in a map; it is kept in the journal of the parent, which must send the same again.

    Attributes:
        map_id: The map.
        first: Index of its first item.
        count: Its items.
    """

    map_id: str
    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInputs:
    """The inputs of a batch action.

    Attributes:
        map_id: The map that made it.
        indices: Places of the items in the map.
        items: Encoded inputs of each.
        keys: Cache key of each; empty where nothing is cached.
        at_once: Items that may run at once.
        done: What is known of items already, by their place in `items`: added by the executor.
    """

    map_id: str
    indices: Sequence[int]
    items: Sequence[str]
    keys: Sequence[str] = ()
    at_once: int = 1
    done: Mapping[int, ItemResult] = field(default_factory=dict)

    def item_id(self, place: int) -> str:
        """Return the name of an item: the same in whatever batch it travels."""
        return item_id(self.map_id, self.indices[place])

    def dump(self) -> bytes:
        """Return it as JSON."""
        body: dict[str, object] = {"map": self.map_id, "at": _ranges(self.indices), "items": self.items}
        if self.keys:
            body["keys"] = self.keys
        if self.at_once != 1:
            body["at_once"] = self.at_once
        if self.done:
            body["done"] = {str(place): _plain(result) for place, result in self.done.items()}
        return json.dumps(body, separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes) -> BatchInputs:
        """Read what `dump` gave."""
        body = json.loads(data)
        return cls(
            map_id=body["map"],
            indices=[index for first, count in body["at"] for index in range(first, first + count)],
            items=body["items"],
            keys=body.get("keys", ()),
            at_once=body.get("at_once", 1),
            done={int(place): _result(result) for place, result in body.get("done", {}).items()},
        )


def checkpoint_id(generation: int, attempt: int, place: int) -> str:
    """Return the trace id of a group of finished items, of which one is at `place`."""
    return f"{CHECKPOINT}-{generation}-{attempt}-{place}"


def checkpoint_generation(trace_id: str) -> int | None:
    """Return the generation in which a group of items was finished; None if the trace is another one."""
    name, _, rest = trace_id.partition("-")
    return int(rest.partition("-")[0]) if name == CHECKPOINT else None


def item_id(map_id: str, index: int) -> str:
    """Return the name of an item of a map."""
    return digest(map_id, str(index))


def dump_results(results: Sequence[ItemResult | None]) -> bytes:
    """Return results in the order of the items as JSON; None is an item of which nothing is known."""
    plain = [None if result is None else _plain(result) for result in results]
    return json.dumps(plain, separators=(",", ":")).encode()


def load_results(data: bytes) -> list[ItemResult | None]:
    """Read what `dump_results` gave."""
    return [None if result is None else _result(result) for result in json.loads(data)]


def dump_checkpoint(results: Mapping[int, ItemResult]) -> bytes:
    """Return the results of finished items, by place, as JSON."""
    plain = {str(place): _plain(result) for place, result in results.items()}
    return json.dumps(plain, separators=(",", ":")).encode()


def load_checkpoint(data: bytes) -> dict[int, ItemResult]:
    """Read what `dump_checkpoint` gave."""
    return {int(place): _result(result) for place, result in json.loads(data).items()}


def _plain(result: ItemResult) -> object:
    return result if isinstance(result, str) else asdict(result)


def _result(plain: str | dict[str, object]) -> ItemResult:
    return plain if isinstance(plain, str) else ErrorInfo(**plain)  # type: ignore[arg-type]  # as `asdict` gave it


def _ranges(indices: Sequence[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for index in indices:
        if ranges and sum(ranges[-1]) == index:
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + 1)
        else:
            ranges.append((index, 1))
    return ranges
