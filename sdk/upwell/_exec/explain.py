"""Finds out why an action ran: compares its key with what is kept of earlier calls, by the store's indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from upwell._core.batch import BatchInputs
from upwell._core.cache_key import cache_key
from upwell._core.key_difference import Difference, differences, nearest
from upwell._core.key_parts import CodeDocument
from upwell._core.keys import version_key
from upwell._core.model import ActionRecord, CacheSummary, RunRecord
from upwell._core.ports import BlobNotFoundError, BlobStore, StateStore
from upwell._core.why import Reason, Verdict, decided_early, judge
from upwell._exec.control import inputs_of
from upwell._exec.payloads import unpack
from upwell._types.content_digest import digest
from upwell._types.input_digest import input_digest

EARLIER_RUNS, SAME_RUN = 100, 50
"""Kept results of the task that are looked at: the latest before the run, and before the call."""
VERSIONS = 5
"""Earlier versions of the code under which a result for the same inputs is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an action ran.

    Attributes:
        verdict: In a word, and the kept result that it is about.
        differences: How its key differs from that of this result.
        inputs: Its encoded inputs; None where they are gone.
        their_inputs: Those of the other call.
    """

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    inputs: bytes | None = None
    their_inputs: bytes | None = None


class Explainer:
    """Explains actions of a run.

    Args:
        store: Where records and kept results are.
        blobs: Where large values are, and what the code of tasks was.
        run: The run.
    """

    def __init__(self, store: StateStore, blobs: BlobStore, run: RunRecord) -> None:
        self._store = store
        self._blobs = blobs
        self._run = run

    async def explain(self, record: ActionRecord) -> Explanation:
        """Return why an action ran, or whose result it took."""
        parts, early = record.spec.task.cache_parts, decided_early(record)
        if early is not None or parts is None:
            return Explanation(verdict=Verdict(reason=early or Reason.NOT_CACHED))
        inputs = await self._inputs(record)
        code, same = await asyncio.gather(self._document(parts.code), self._same(record))
        earlier = await self._earlier(record, inputs)
        near = nearest(parts, earlier, () if code is None else code.ignored)
        verdict = judge(record, same, near)
        if verdict.reason is not Reason.NEW_KEY or near is None or near.parts is None:
            return Explanation(verdict=verdict, inputs=inputs)
        their_code = await self._document(near.parts.code)
        if record.spec.items > 1:  # each of its items has inputs of its own
            found = differences(parts, near.parts, code, their_code)
            found = [each for each in found if each.part != "input"]
            found = found or [Difference(part="input", name=f"of {record.spec.items} items of a map")]
            return Explanation(verdict=verdict, differences=tuple(found))
        return Explanation(
            verdict=verdict,
            differences=tuple(differences(parts, near.parts, code, their_code)),
            inputs=inputs,
            their_inputs=await self._inputs_of_entry(near),
        )

    async def _same(self, record: ActionRecord) -> CacheSummary | None:
        """Return what is kept under an action's key, unless that came later."""
        key = record.spec.task.cache_key
        entry = None if key is None else (await self._store.get_cached([key])).get(key)
        if entry is None or (record.ended_at is not None and entry.created_at > record.ended_at):
            return None
        return entry.summary

    async def _earlier(self, record: ActionRecord, inputs: bytes | None) -> list[CacheSummary]:
        """Return kept results of the task from before the call: the latest ones, and those for its inputs."""
        task, called_at = record.spec.task.name, record.spec.queued_at or record.created_at
        earlier = [
            *[s async for s in self._store.list_cached(task, before=self._started_at, limit=EARLIER_RUNS)],
            *[s async for s in self._store.list_cached(task, before=called_at, limit=SAME_RUN)],
        ]
        codes = list(dict.fromkeys(summary.parts.code for summary in earlier if summary.parts is not None))
        if inputs is not None and codes and record.spec.items <= 1:
            documents = await asyncio.gather(*(self._document(code) for code in codes[:VERSIONS]))
            keys = {key for each in documents if each is not None for key in _keys(task, each, inputs)}
            entries = await self._store.get_cached(sorted(keys))
            earlier += [entry.summary for entry in entries.values() if entry.created_at < called_at]
        return [each for each in {s.key: s for s in earlier}.values() if each.made_by != record.key]

    @property
    def _started_at(self) -> float:
        return self._run.began_at

    async def _document(self, code: str) -> CodeDocument | None:
        try:
            return CodeDocument.load((await self._blobs.get(version_key(code))).decode())
        except (BlobNotFoundError, ValueError):
            return None

    async def _inputs(self, record: ActionRecord) -> bytes | None:
        try:
            return await unpack(self._blobs, await inputs_of(self._store, record.spec, record))
        except BlobNotFoundError:
            return None

    async def _inputs_of_entry(self, entry: CacheSummary) -> bytes | None:
        maker = await self._store.get(entry.made_by)
        inputs = None if maker is None else await self._inputs(maker)
        if maker is None or inputs is None or maker.spec.items <= 1:
            return inputs
        batch = BatchInputs.load(inputs)
        keys = list(batch.keys)
        return batch.items[keys.index(entry.key)].encode() if entry.key in keys else None


def _keys(task: str, code: CodeDocument, inputs: bytes) -> Iterable[str]:
    """Yield the keys that inputs had under an earlier version of the code: their digest is made either way."""
    for inputs_digest in (digest(inputs), input_digest(inputs, code.ignored)):
        yield cache_key(task=task, interface=code.interface, version=code.version, inputs=inputs_digest)
