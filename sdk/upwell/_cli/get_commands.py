"""`upwell get runs|run|actions|cost|io|holders`: what the store knows.

`get action`, `get code` and `get config` have modules of their own.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.completion import names_of_runs
from upwell._cli.elsewhere import Group
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import ActionRecord, Payload, RunRecord

RunName = Annotated[
    str,
    typer.Argument(metavar="RUN", show_default=False, help="Run id.", autocompletion=names_of_runs),
]
ActionName = Annotated[
    str, typer.Argument(metavar="[ACTION]", show_default=False, help="Action id; else the root.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OnlyStatus = Annotated[
    str | None, typer.Option("--status", metavar="STATUS", help="Only those in this status, as `failed`.")
]

WaitTimeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="90s|5m|2h", help="Wait for so long at most; exit code 124 then."),
]

app = typer.Typer(
    cls=Group,
    help="Show runs, actions, what they cost, what went in and out of them, and who holds places.",
    no_args_is_help=False,
)


@app.command("runs")
@shared_options
def runs(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="Only those in this status; several: in one of them."),
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="Only those of this task.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY[=VALUE]", help="Only those with this label; several: with all."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="90s|5m|2h|7d", help="Only those of so long ago at most.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first.

    A run that has not ended and whose process is gone is interrupted. The other statuses are running,
    succeeded, failed, aborted and timed_out.
    """
    from upwell._cli.lengths import read_seconds
    from upwell._cli.reading import document_of, read
    from upwell._cli.tables import print_runs
    from upwell._cli.terminal import note, print_json
    from upwell._client.run_list import RunFilter, newest_runs, run_states, wanted_labels

    wanted = RunFilter(
        states=run_states(status or (), "--status"),
        task=task,
        labels=wanted_labels(label or ()),
        after=None if since is None else time.time() - read_seconds(since, option="--since"),
    )

    async def load(backend: Backend) -> list[tuple[RunRecord, dict[str, Any]]]:
        newest = await newest_runs(backend, wanted, limit)
        return [(found.run, document_of(backend, found.run, alive=found.alive)) for found in newest]

    found = asyncio.run(read(session, load)) or []
    if as_json:
        print_json([document for _, document in found])
    elif found:
        print_runs(found)
    elif wanted == RunFilter():
        note("no runs yet; `upwell run FILE.py TASK` starts one")
    else:
        note("no such runs")


@app.command("run")
@shared_options
def run(
    session: Session,
    run: RunName,
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Wait for its end and print its outputs; --json: a line a change."),
    ] = False,
    timeout: WaitTimeout = None,
    as_json: AsJson = False,
) -> None:
    """Show a run: how it stands, and the counts of its actions. With --follow, the exit code is the run's."""
    from upwell._cli.lengths import timeout_seconds
    from upwell._cli.reading import load_document, read_run
    from upwell._cli.tables import print_run
    from upwell._cli.terminal import print_json
    from upwell._client.documents import counts_document

    timeout_s = timeout_seconds(timeout)
    if follow:
        from upwell._cli.following import follow_run

        follow_run(session, run, shown="lines" if as_json else "text", timeout_s=timeout_s)
        return

    async def load(backend: Backend, record: RunRecord) -> Any:
        return record, await backend.store.view(run), await load_document(backend, record)

    record, view, shown = asyncio.run(read_run(session, run, load))
    if as_json:
        print_json(shown | {"counts": counts_document(view)})
    else:
        print_run(record, view, shown)


@app.command("actions")
@shared_options
def actions(
    session: Session,
    run: RunName,
    status: OnlyStatus = None,
    task: Annotated[str | None, typer.Option("--task", help="Only those of this task.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the actions of a run: attempts, executors, timings."""
    from upwell._cli.reading import read_run, status_named
    from upwell._cli.tables import print_actions
    from upwell._cli.terminal import note, print_json
    from upwell._client.documents import action_document
    from upwell._exec.control import all_actions

    wanted = status_named(status)

    def is_shown(action: ActionRecord) -> bool:
        name = action.spec.task.name
        return wanted in (None, action.status) and task in (None, name, name.rpartition(".")[2])

    async def load(backend: Backend, record: RunRecord) -> list[ActionRecord]:
        found = await all_actions(backend.store, run)
        return sorted(filter(is_shown, found), key=lambda a: (a.created_at, a.spec.depth, a.spec.action_id))

    records = asyncio.run(read_run(session, run, load))
    if as_json:
        print_json([action_document(record) for record in records])
    elif records:
        print_actions(records)
    else:
        note(f"no such actions in run {run}")


@app.command("cost")
@shared_options
def cost(session: Session, run: RunName, as_json: AsJson = False) -> None:
    """Show what a run costs on AWS, or would: in all, by task, by service, and per million actions."""
    from upwell._cli.costs import print_cost
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import print_json
    from upwell._client.cost_document import cost_document, load_cost

    backend, found = asyncio.run(read_run(session, run, load_cost))
    shown = cost_document(run, backend, found)
    if as_json:
        print_json(shown)
    else:
        print_cost(shown)


@app.command("holders")
@shared_options
def holders(
    session: Session,
    scope: Annotated[
        str | None,
        typer.Option("--scope", help="Only of this limit: task:<name>, env:<name> or cache:<key>."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who holds the places of max_concurrency= and the locks of Cache(serialize=True).

    A place whose holder is dead frees itself when it expires; until the next one takes it, it is shown so.
    """
    import time

    from upwell._cli.reading import read
    from upwell._cli.tables import print_holders
    from upwell._cli.terminal import note, print_json
    from upwell._client.documents import holder_document

    async def load(backend: Backend) -> list[dict[str, Any]]:
        found = await backend.store.list_holds(scope)
        records = await backend.store.get_many(list({hold.action for hold in found}))
        return [holder_document(hold, records.get(hold.action), time.time()) for hold in found]

    shown = asyncio.run(read(session, load)) or []
    if as_json:
        print_json(shown)
    elif shown:
        print_holders(shown)
    else:
        note("nobody holds a place" + (f" of {scope}" if scope else ""))


@app.command("io")
@shared_options
def io(
    session: Session,
    run: RunName,
    action: ActionName = "a0",
    as_json: AsJson = False,
) -> None:
    """Show what went into a run or an action, and what came out. Pickled values are named, not read."""
    from upwell._cli.outcome import value_text
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import print_json
    from upwell._client.documents import error_document, inputs_document, outputs_document, provenance_document
    from upwell._exec.control import find_known, inputs_of, no_such_action
    from upwell._exec.payloads import unpack

    async def load(backend: Backend, record: RunRecord) -> dict[str, Any]:
        found = await find_known(backend.store, run, action)
        is_root = action == record.root.action_id
        if found is None and not is_root:
            raise no_such_action(run, action)
        spec = record.root if found is None else found.spec
        outcome = record.outcome if found is None else found.outcome
        output: Payload | None = outcome.output if outcome is not None else None
        inputs = inputs_document(await unpack(backend.blobs, await inputs_of(backend.store, spec, found)))
        names = record.outputs if is_root else None
        outputs = None if output is None else outputs_document(await unpack(backend.blobs, output), names)
        status = record.status if found is None else found.status
        return {
            "run": run,
            "action": action,
            "task": spec.task.name,
            "status": status.value.lower(),
            "cached": None if found is None else provenance_document(found),
            "inputs": inputs,
            "outputs": outputs,
            "error": error_document(outcome.error if outcome is not None else None),
        }

    shown = asyncio.run(read_run(session, run, load))
    if as_json:
        print_json(shown)
        return
    cached = shown["cached"]
    origin = f", cached from {cached['run']}/{cached['action']}" if cached is not None else ""
    print(f"{shown['task']} {shown['status']}{origin}")
    for part in ("inputs", "outputs"):
        for name, value in (shown[part] or {}).items():
            print(f"{part[:-1]} {name}: {value_text(value)}")
    if shown["error"] is not None:
        print(f"error {shown['error']['code']}: {shown['error']['message']}")
