"""`upwell get action RUN [ACTION]`: one action in all detail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from upwell._cli.get_commands import ActionName, AsJson, RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import ActionRecord, RunRecord

_NO_FIELDS = {"attempts", "error", "warnings", "cached"}
"""What is shown below the fields."""


@shared_options
def action(session: Session, run: RunName, action: ActionName = "a0", as_json: AsJson = False) -> None:
    """Show one action: where it ran, each of its attempts, its error with the traceback."""
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import print_json
    from upwell._client.documents import action_document
    from upwell._exec.control import find_known, no_such_action

    async def load(backend: Backend, _: RunRecord) -> ActionRecord:
        found = await find_known(backend.store, run, action)
        if found is None:
            raise no_such_action(run, action, "that was begun")
        return found

    shown = {"run": run} | action_document(asyncio.run(read_run(session, run, load)))
    if as_json:
        print_json(shown)
    else:
        _print(shown)


def _print(shown: dict[str, Any]) -> None:
    from upwell._cli.failures import user_frames
    from upwell._cli.tables import print_fields, print_table
    from upwell._cli.terminal import note

    print_fields({k: str(v) for k, v in shown.items() if k not in _NO_FIELDS and v not in (None, 0, "")})
    if shown["attempts"]:
        print()
        rows = [
            (
                str(each["number"]),
                f"{each['executor_kind']} {each['executor_id']}",
                each["end"] or "running",
                "" if each["duration_s"] is None else f"{each['duration_s']:.3f} s",
                ", ".join(filter(None, (each["error_code"], each["note"]))),
            )
            for each in shown["attempts"]
        ]
        print_table(("attempt", "executor", "end", "duration", "remarks"), rows)
    for warning in shown["warnings"]:
        note(f"attempt {warning['attempt']}: {warning['code']}: {warning['message']}")
    error = shown["error"]
    if error is not None:
        print(f"\nerror {error['code']}: {error['message']}")
        if frames := user_frames(error["traceback"] or ""):
            print(frames)
