"""`upwell profile RUN`: where the time of a run went, and what to change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import AsJson, RunName
from upwell._cli.session import Session, shared_options

if TYPE_CHECKING:
    from upwell._client.backend import Backend
    from upwell._core.advice_case import Advice
    from upwell._core.model import ActionRecord, RunRecord
    from upwell._core.profile import RunProfile, TaskProfile

PATH_ROWS = 12


@shared_options
def profile(
    session: Session,
    run: RunName,
    as_json: AsJson = False,
    chrome_trace: Annotated[
        Path | None,
        typer.Option("--chrome-trace", metavar="FILE", help="Write a trace for ui.perfetto.dev."),
    ] = None,
) -> None:
    """Show where the time of a run went: phases of its tasks, critical path, and advice where it is due."""
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import note, print_json
    from upwell._client.profile_document import profile_document
    from upwell._client.run_efforts import run_profile
    from upwell._core.advice import advise
    from upwell._core.chrome_trace import chrome_trace as trace_of
    from upwell._core.timeline import spans_of

    async def load(backend: Backend, record: RunRecord) -> tuple[RunRecord, RunProfile, list[ActionRecord]]:
        actions = backend.store.list_actions(run)
        traced = [action async for action in actions] if chrome_trace is not None else []
        return record, await run_profile(backend, record), traced

    record, found, traced = asyncio.run(read_run(session, run, load))
    advice = advise(found)
    if chrome_trace is not None:
        _write(chrome_trace, trace_of(run, record.began_at, spans_of(traced)))
        note(f"wrote {chrome_trace}; ui.perfetto.dev opens it")
    if as_json:
        print_json(profile_document(found, advice, record.status.value.lower()))
    elif not any(task.attempts for task in found.tasks):
        note(f"no attempt of run {run} has ended yet")
    else:
        _print_profile(found, advice)


def _write(path: Path, document: dict[str, Any]) -> None:
    from upwell.errors import UsageError

    try:
        path.write_text(json.dumps(document), encoding="utf-8")
    except OSError as e:
        raise UsageError(f"--chrome-trace {path}: {e.strerror or e}; give a file that can be written") from e


def _print_profile(profile: RunProfile, advice: Sequence[Advice]) -> None:
    from upwell._cli.tables import print_table
    from upwell._cli.terminal import out, plain

    console = out()
    lengths = f"{time_text(profile.wall_s)}, executors {time_text(profile.busy_s)}"
    console.print(plain(f"{profile.run_id}: {lengths}, ${profile.usd:.6f} on AWS (see `upwell get cost`)"))
    console.print()
    columns = ("task", "actions", "attempts", "p50", "p90", "p99", "max", "overhead", "ratio", "share")
    print_table(columns, [_task_row(task) for task in profile.tasks])
    console.print()
    print_table(("task", *_PHASE_COLUMNS), [_phase_row(task) for task in profile.tasks if task.measured])
    _print_path(profile)
    for one in advice:
        saved = f"{time_text(one.saves_wall_s)} of the run, {time_text(one.saves_busy_s)} of executors"
        console.print()
        console.print(plain(f"{one.task}: {one.text}", "bold"))
        console.print(plain(f"  would save {saved}, ${one.saves_usd:.6f} on AWS"))


_PHASE_COLUMNS = ("slot", "queued", "start", "claim", "bundle", "input", "run", "output", "recorded", "noticed")


def _task_row(task: TaskProfile) -> tuple[str, ...]:
    runtime = task.runtime
    return (
        task.task,
        str(task.actions) + (f" ({task.cached} cached)" if task.cached else ""),
        str(task.attempts),
        *(time_text(seconds) for seconds in (runtime.p50, runtime.p90, runtime.p99, runtime.max)),
        time_text(task.overhead_s) if task.measured else "",
        "" if task.overhead_ratio is None or not task.measured else f"{task.overhead_ratio:.2f}",
        f"{task.cost_share:.0%}",
    )


def _phase_row(task: TaskProfile) -> tuple[str, ...]:
    """Return the medians of the phases, and the mean of how late parents noticed."""
    late = task.noticed
    noticed = time_text(late.sum_s / late.children) if late.children else ""
    return (task.task, *(time_text(task.phases[phase].p50) for phase in _PHASE_COLUMNS[:-1]), noticed)


def _print_path(profile: RunProfile) -> None:
    from upwell._cli.tables import print_table
    from upwell._cli.terminal import out, plain
    from upwell._core.critical_path import by_phase, followed_s

    whole_s = sum(step.length_s for step in profile.path)
    if not whole_s:
        return
    console = out()
    console.print()
    known_s = followed_s(profile.path)
    estimated = "" if known_s >= 0.999 * whole_s else f", told from its last {time_text(known_s)}"
    console.print(plain(f"critical path, {time_text(whole_s)}{estimated}", "bold"))
    ranked = sorted(by_phase(profile.path).items(), key=lambda item: (-item[1], item[0]))
    rows = [(task, phase, time_text(s), f"{s / whole_s:.0%}") for (task, phase), s in ranked[:PATH_ROWS]]
    print_table(("task", "phase", "time", "share"), rows)


def time_text(seconds: float) -> str:
    """Return a length of time that a person reads: `1.3 ms`, `2.50 s`, `3:05 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 120:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02} min"
