"""One action of a run in all detail."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from upwell._client.backend import Backend
from upwell._client.previews import preview_inputs, preview_outputs
from upwell._console.commands import action_commands
from upwell._console.models import ActionDetail, AttemptDetail, Executor, Failure, Link, Provenance
from upwell._console.reading import Reading, no_action
from upwell._console.reports import list_reports
from upwell._console.rows import Facts, PhaseTimes, Row, phases_by_attempt, row_of
from upwell._console.snapshots import unclaimed_root
from upwell._core.links import link_address
from upwell._core.model import ActionKey, ActionRecord, ActionSpec, Attempt, ErrorInfo, RunRecord
from upwell._exec.control import cached_children, find_known, inputs_of, open_children


class Details:
    """Reads single actions.

    Args:
        backend: Where they are.
        reading: Of the same backend.
    """

    def __init__(self, backend: Backend, reading: Reading) -> None:
        self._backend = backend
        self._reading = reading

    async def action(self, run_id: str, action_id: str) -> ActionDetail:
        """Return an action.

        Raises:
            RunNotFoundError: there is no such run.
            ActionNotFoundError: the run has no such action.
        """
        run = await self._reading.record(run_id)
        record, known = await self._find(run, action_id)
        spec, cached, blobs = record.spec, record.cached_from, self._backend.blobs
        inputs = await inputs_of(self._backend.store, spec, record)
        output = record.outcome.output if record.outcome is not None else None
        names = run.outputs if action_id == run.root.action_id else None
        return ActionDetail(
            **_facts(known),
            run_id=run_id,
            inputs=await preview_inputs(blobs, inputs),
            outputs=None if output is None else await preview_outputs(blobs, output, names),
            error=_failure(record.outcome.error if record.outcome is not None else None),
            attempts=[_attempt(attempt, phases) for attempt, phases in phases_by_attempt(record)],
            links=_links(spec),
            reports=await list_reports(blobs, run_id, action_id),
            lease_expires_at=record.lease.expires_at if _is_running(record) and record.lease else None,
            warnings=[warning.message for warning in record.warnings],
            cached_from=None
            if cached is None
            else Provenance(run_id=cached.run_id, action_id=cached.action_id, created_at=record.cached_at),
            cache_key=spec.task.cache_key,
            bundle=spec.run.bundle,
            pool=spec.task.pool,
            commands=action_commands(
                run_id, action_id, self._backend.mode, is_open=not record.status.is_terminal
            ),
        )

    async def _find(self, run: RunRecord, action_id: str) -> tuple[ActionRecord, Row]:
        """Return an action and its row; of one without a record, its parent's journal tells."""
        store, run_id = self._backend.store, run.spec.run_id
        record = await store.get(ActionKey(run_id, action_id))
        if record is None and action_id == run.root.action_id:
            record = unclaimed_root(run)
        if await self._reading.large(run_id) is None:
            row = (await self._reading.snapshot(run_id)).rows.get(action_id)
            record = record or await self._told(run_id, action_id, row.parent_id if row is not None else None)
        else:
            row = None
            record = record or await self._told(run_id, action_id, self._reading.parent_of(run_id, action_id))
            record = record or await find_known(store, run_id, action_id)
        if record is None:
            raise no_action(run_id, action_id)
        now = row_of(record)
        now.children = row.children if row is not None else now.children
        return record, now

    async def _told(self, run_id: str, action_id: str, parent_id: str | None) -> ActionRecord | None:
        """Return an action without a record, as its parent's journal tells of it."""
        store = self._backend.store
        parent = None if parent_id is None else await store.get(ActionKey(run_id, parent_id))
        if parent is None:
            return None
        told = await cached_children(store, parent) + await open_children(store, parent)
        return next((child for child in told if child.spec.action_id == action_id), None)


def _facts(row: Row) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(Facts)}


def _links(spec: ActionSpec) -> list[Link]:
    found = []
    for link in spec.task.links:
        run_id, action_id, parent_id = spec.run.run_id, spec.action_id, spec.parent_id
        url = link_address(link, run_id=run_id, action_id=action_id, parent_id=parent_id)
        if url is not None:
            found.append(Link(name=link.name, url=url))
    return found


def _is_running(record: ActionRecord) -> bool:
    return bool(record.attempts) and record.attempts[-1].ended_at is None


def _attempt(attempt: Attempt, phases: PhaseTimes) -> AttemptDetail:
    return AttemptDetail(
        number=attempt.number,
        executor=Executor(kind=attempt.executor.kind, id=attempt.executor.id),
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        end=attempt.end or None,
        phases=phases,
        error=_failure(attempt.error),
        note=attempt.note or None,
        generation=attempt.generation,
    )


def _failure(error: ErrorInfo | None) -> Failure | None:
    if error is None:
        return None
    return Failure(code=error.code, message=error.message, kind=error.kind, traceback=error.traceback or None)
