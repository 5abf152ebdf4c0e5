"""`upwell cache ls|rm`: the results that are kept, and their removal."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.model import CacheSummary
    from upwell._exec.cache_list import Selection

OfTask = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="Only results of this task: <environment>.<function>."),
]
OfRun = Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only results that this run made.")]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="LENGTH", help="Only results kept longer ago: 12h, 7d.")
]
DROPPED_AT_ONCE = 1000

app = typer.Typer(help="List the results that are kept, and remove them.", no_args_is_help=False)


@app.command("ls")
@shared_options
def ls(
    session: Session,
    task: OfTask = None,
    run: OfRun = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List kept results, newest first: whose, of which version, how old, how large, and who made them."""
    from upwell._cli.cache_document import cache_document, print_entries
    from upwell._cli.reading import read
    from upwell._cli.terminal import note, print_json
    from upwell._exec.cache_list import select

    wanted, now = _selection(task, run, older_than), time.time()

    async def load(backend: Backend) -> list[CacheSummary]:
        found = [e async for e in select(backend.store, backend.blobs, wanted, limit=limit)]
        return sorted(found, key=lambda entry: (-entry.created_at, entry.key))

    shown = [cache_document(entry, now) for entry in asyncio.run(read(session, load)) or []]
    if as_json:
        print_json(shown)
    elif shown:
        print_entries(shown)
        if len(shown) == limit:
            note(f"at most {limit} are shown; --limit shows more")
    else:
        note("no results are kept" + (f" of {task}" if task else "") + (f" by run {run}" if run else ""))


@app.command("rm")
@shared_options
def rm(
    session: Session,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", show_default=False, help="Keys, as `cache ls` shows them."),
    ] = None,
    task: OfTask = None,
    run: OfRun = None,
    older_than: OlderThan = None,
    every: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove kept results, so that they are computed anew. Runs that have used them keep what they got."""
    from upwell._cli.reading import read
    from upwell._cli.terminal import note, print_json

    _check(keys or [], is_filtered=any((task, run, older_than)), every=every)
    wanted = _selection(task, run, older_than)

    async def drop(backend: Backend) -> int:
        found = await _found(backend, keys or [], wanted)
        if found and not yes:
            _confirm(len(found))
        for first in range(0, len(found), DROPPED_AT_ONCE):
            await backend.store.drop_cached(found[first : first + DROPPED_AT_ONCE])
        return len(found)

    count = asyncio.run(read(session, drop)) or 0
    if as_json:
        print_json({"removed": count})
    else:
        note(f"{count} kept results removed" if count else "no results of that kind are kept")


async def _found(backend: Backend, keys: list[str], wanted: Selection) -> list[str]:
    from upwell._exec.cache_list import select
    from upwell.errors import UsageError

    if not keys:
        return [entry.key async for entry in select(backend.store, backend.blobs, wanted)]
    known = await backend.store.get_cached(keys)
    missing = [key for key in keys if key not in known]
    if missing:
        raise UsageError(f"nothing is kept under {', '.join(missing)}; `upwell cache ls` lists the keys")
    return list(known)


def _check(keys: list[str], *, is_filtered: bool, every: bool) -> None:
    from upwell.errors import UsageError

    if not keys and not is_filtered and not every:
        raise UsageError("say what to remove: KEY..., --task, --run, --older-than, or --all")
    if keys and (is_filtered or every):
        raise UsageError("give keys, or options that select results, but not both")
    if every and is_filtered:
        raise UsageError("--all removes everything; leave it out with --task, --run or --older-than")


def _confirm(count: int) -> None:
    import sys

    from upwell.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(f"{count} kept results would be removed, and nobody can be asked; add --yes")
    typer.confirm(f"Remove {count} kept results?", abort=True, err=True)


def _selection(task: str | None, run: str | None, older_than: str | None) -> Any:
    from upwell._cli.lengths import read_seconds
    from upwell._exec.cache_list import Selection

    before = None if older_than is None else time.time() - read_seconds(older_than, option="--older-than")
    return Selection(task=task, run=run, before=before)
