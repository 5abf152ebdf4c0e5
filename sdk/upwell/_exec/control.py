"""What a person does to an action of a run, from a process that has no part in it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from upwell._author.context import Mode
from upwell._core.children import Child, Children, child_spec, hit_record, unclaimed
from upwell._core.commands import Abort, Reply, StopChildren
from upwell._core.journal import Journal
from upwell._core.model import ActionKey, ActionRecord, ActionSpec, Payload, Status
from upwell._core.ports import Ports, StateStore
from upwell._core.settings import Settings
from upwell._core.sizes import cut
from upwell._exec.boundary import Host, Start
from upwell._exec.effects import reply, stop_children
from upwell._exec.environment import RandomIds
from upwell._exec.kernel import Kernel
from upwell._exec.replay import read_journal
from upwell._exec.transition import transition
from upwell.errors import ActionNotFoundError


class NoUsers:
    """Runs nothing."""

    def prepare(self) -> None:
        """There is nothing to begin."""

    async def aclose(self) -> None:
        """There is nothing to end."""

    def attempt(self, start: Start, inputs: bytes, host: Host) -> NoReturn:
        """See `Users.attempt`."""
        raise NotImplementedError("this process runs no actions")


def control_kernel(ports: Ports, settings: Settings, mode: Mode) -> Kernel:
    """Return a kernel that changes actions and runs none."""
    scratch = Path(tempfile.gettempdir())
    return Kernel(ports=ports, settings=settings, users=NoUsers(), ids=RandomIds(), mode=mode, scratch=scratch)


def no_such_action(run_id: str, action_id: str, which: str = "") -> ActionNotFoundError:
    """Return the error for an action that a run does not have.

    Args:
        run_id: The run.
        action_id: The action.
        which: What is said of the action that was looked for: `that was begun`.
    """
    what = " ".join(filter(None, (f"action {action_id!r}", which)))
    return ActionNotFoundError(f"run {run_id} has no {what}; `upwell get actions {run_id}` lists them")


async def find_action(store: StateStore, run_id: str, action_id: str) -> ActionSpec | None:
    """Return an action of a run: by its record, or, before anybody has claimed it, as its parent sent it."""
    record = await store.get(ActionKey(run_id, action_id))
    if record is not None:
        return record.spec
    async for parent in store.list_actions(run_id):
        for child in await open_children(store, parent):
            if child.spec.action_id == action_id:
                return child.spec
    return None


async def cached_children(store: StateStore, parent: ActionRecord) -> list[ActionRecord]:
    """Return the children of a parent that were found in the cache: its journal alone tells of them."""
    if not parent.attempts or (parent.status is Status.SUCCEEDED and not parent.hits):
        return []
    entries = await read_journal(store, parent.key, Journal(parent.generation))
    hits = Children(parent.generation).apply(entries).hits
    return [hit_record(parent, hit, at) for hit, at in hits.values()]


async def list_known(store: StateStore, run_id: str) -> AsyncIterator[ActionRecord]:
    """Yield the actions of a run that have a record, and those that were found in the cache."""
    seen: set[str] = set()
    parents: list[ActionRecord] = []
    async for record in store.list_actions(run_id):
        seen.add(record.spec.action_id)
        if record.attempts and (record.hits or record.status is not Status.SUCCEEDED):
            parents.append(record)
        yield record
    for parent in parents:
        for child in await cached_children(store, parent):
            if child.spec.action_id not in seen:
                yield child


async def find_known(store: StateStore, run_id: str, action_id: str) -> ActionRecord | None:
    """Return an action that `list_known` yields."""
    record = await store.get(ActionKey(run_id, action_id))
    if record is not None:
        return record
    async for known in list_known(store, run_id):
        if known.spec.action_id == action_id:
            return known
    return None


async def inputs_of(store: StateStore, spec: ActionSpec, known: ActionRecord | None) -> Payload:
    """Return the inputs of an action; large ones of one from the cache are those of who made the result.

    That is so but for the inputs that its cache ignores.
    """
    is_kept = spec.inputs.text is not None or spec.inputs.blob is not None
    if is_kept or known is None or known.cached_from is None:
        return spec.inputs
    maker = await store.get(known.cached_from)
    return Payload(text="{}", size_bytes=2) if maker is None else maker.spec.inputs


async def open_children(store: StateStore, parent: ActionRecord) -> list[ActionRecord]:
    """Return what a parent that has not ended has sent and not heard of, as if nobody had claimed it yet."""
    if parent.status.is_terminal or not parent.attempts:
        return []
    journal = Journal(parent.generation)
    children = Children(parent.generation).apply(await read_journal(store, parent.key, journal))
    return [_queued(parent, child) for child in children.open.values()]


def _queued(parent: ActionRecord, child: Child) -> ActionRecord:
    spec = replace(child_spec(parent.spec, child.sent, child.shard), queued_at=child.first_at)
    return replace(unclaimed(spec), status=Status.QUEUED, created_at=child.first_at)


async def all_actions(store: StateStore, run_id: str) -> list[ActionRecord]:
    """Return the actions of a run, with or without a record: from the cache, or not claimed yet."""
    records = [record async for record in list_known(store, run_id)]
    known = {record.spec.action_id for record in records}
    for parent in list(records):
        records += [c for c in await open_children(store, parent) if c.spec.action_id not in known]
    return records


async def abort_named(kernel: Kernel, run_id: str, action_id: str, reason: str) -> Status:
    """Do what `abort_action` does, by the action's id.

    Raises:
        ActionNotFoundError: the run has no such action, or none yet.
    """
    spec = await find_action(kernel.ports.store, run_id, action_id)
    if spec is None:
        raise no_such_action(run_id, action_id)
    return await abort_action(kernel, spec, cut(reason))


async def abort_action(kernel: Kernel, spec: ActionSpec, reason: str) -> Status:
    """End an action and everything below it, and tell its parent, in which the call raises.

    Its executor learns it when it extends its lease. Asked again, this does again what may be missing.

    Returns:
        How the action has ended: it may have been over before.
    """
    key = ActionKey(spec.run.run_id, spec.action_id)
    ports = kernel.ports
    decision = await transition(ports.store, ports.clock, key, Abort(spec=spec, reason=reason))
    for effect in decision.effects:  # the parent first: it may wait for nothing else
        if isinstance(effect, Reply):
            await reply(kernel, spec, replace(effect, wakes=True), None, again=True)
    if any(isinstance(effect, StopChildren) for effect in decision.effects):
        await stop_children(kernel, spec)
    ended = decision.record or await ports.store.get(key)
    return ended.status if ended is not None else Status.ABORTED
