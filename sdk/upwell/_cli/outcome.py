"""How a run ended, on stdout; why it failed, on stderr."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from upwell._cli.failures import RunFailedError
from upwell._cli.reading import load_document
from upwell._cli.run_options import Shown
from upwell._cli.session import hint
from upwell._cli.terminal import note, one_line, print_json, print_json_line
from upwell._client import documents
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._core.model import RunRecord, Status
from upwell._exec.payloads import unpack
from upwell.errors import RunNotFoundError


def finish(run_id: str, *, shown: Shown, names: tuple[str, ...] | None) -> None:
    """Print the outputs of a run that has ended.

    Args:
        run_id: The run.
        shown: As outputs, or as a document of the run, whatever its end.
        names: Names of its outputs, where they are known.

    Raises:
        RunFailedError: it did not succeed; the error has the traceback of the user's code.
    """
    record, document, outputs = asyncio.run(_load(run_id, names))
    if shown != "text":
        show = print_json if shown == "json" else print_json_line
        show(document | {"outputs": outputs})
    if record.status is not Status.SUCCEEDED:
        raise failed(record)
    took_s = record.duration_s(None)
    note(f"run {run_id} succeeded" + (f" in {took_s:.1f} s" if took_s is not None else ""))
    if shown == "text":
        _print_outputs(outputs or {})


def failed(record: RunRecord) -> RunFailedError:
    """Return the error that says how a run failed, and what to do."""
    run_id = record.spec.run_id
    phase = record.status.value.lower().replace("_", " ")
    error = record.outcome.error if record.outcome is not None else None
    why = f": {error.code}: {error.message}".rstrip(": ") if error is not None else ""
    text = f"run {run_id} of {record.task} {phase}{one_line(why, 600)}"
    return RunFailedError(
        f"{text}; {hint(f'get actions {run_id}')} shows where, {hint(f'recover {run_id}')} goes on from there",
        error.traceback if error is not None else "",
    )


def value_text(value: Any) -> str:
    """Return an output as a person reads it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=_indent(value))


def _indent(value: Any) -> int | None:
    return 2 if len(json.dumps(value)) > 100 else None


def _print_outputs(outputs: dict[str, Any]) -> None:
    """Print outputs: one as it is, nothing for None, several with their names."""
    if len(outputs) == 1:
        value = next(iter(outputs.values()))
        if value is not None:
            print(value_text(value))
        return
    for name, value in outputs.items():
        print(f"{name}: {value_text(value)}")


async def _load(
    run_id: str, names: tuple[str, ...] | None
) -> tuple[RunRecord, dict[str, Any], dict[str, Any] | None]:
    config = current_config()
    async with open_backend(config.mode, config) as backend:
        record = await backend.store.get_run(run_id)
        if record is None:
            raise RunNotFoundError(f"there is no run {run_id!r}; {hint('get runs')} lists them")
        document = await load_document(backend, record)
        output = record.outcome.output if record.outcome is not None else None
        outputs = None
        if output is not None:
            data = await unpack(backend.blobs, output)
            outputs = documents.outputs_document(data, names or record.outputs)
        return record, document, outputs
