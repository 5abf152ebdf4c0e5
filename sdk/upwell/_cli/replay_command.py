"""`upwell replay RUN [ACTION]`: one recorded action, once more, under the debugger."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from upwell._cli.get_commands import ActionName, AsJson, RunName
from upwell._cli.run_code import File, load_bundle, load_run_code, run_record
from upwell._cli.run_options import RootDir
from upwell._cli.session import Session, hint, shared_options
from upwell._cli.terminal import one_line

if TYPE_CHECKING:
    from upwell._cli.debugger import Observer
    from upwell._client.backend import Backend
    from upwell._client.replaying import Replayed
    from upwell._core.model import ErrorInfo, RunRecord
    from upwell._exec.recorded import Recording


@shared_options
def replay(
    session: Session,
    run: RunName,
    action: ActionName = "a0",
    attempt: Annotated[
        int | None, typer.Option("--attempt", min=1, help="Which attempt; else the last.")
    ] = None,
    stops: Annotated[bool, typer.Option("--break", help="Stop at the first line, too.")] = False,
    no_debugger: Annotated[
        bool, typer.Option("--no-debugger", help="Print how it ends, and open no debugger.")
    ] = False,
    new_code: Annotated[
        bool, typer.Option("--new-code", help="Take the code that is here, not the run's own. Local runs do.")
    ] = False,
    file: File = None,
    root_dir: RootDir = None,
    as_json: AsJson = False,
) -> None:
    """Run one recorded action in this process, with its real inputs; where it fails, Python's debugger opens.

    Its own code runs for real, with your AWS credentials and its secrets. Nothing is written to the run: calls
    of other tasks and of traces are answered with what is recorded of them, and files go to a temporary folder.
    Values are decoded as on an executor, pickles included: replay only runs whose authors you trust.
    """
    from upwell._cli.debugger import Observer, look_into
    from upwell._cli.failures import FAILURE
    from upwell._cli.reading import read_run
    from upwell._client.replaying import replay_attempt

    with tempfile.TemporaryDirectory(prefix="upwell-replay-") as temporary:
        folder = Path(temporary)
        recording = _recording(session, run, action, attempt)
        if new_code or not _load_own(session, run, recording, folder / "code"):
            _load_here(session, run, file, root_dir, wanted=new_code)
        session.configure()  # again: a program may have called upwell.init
        observer = Observer(stops=stops and not as_json)

        async def again(backend: Backend, _: RunRecord) -> Replayed:
            return await replay_attempt(backend, recording, observer, folder)

        found = asyncio.run(read_run(session, run, again))
        _tell(recording, found, observer, as_json=as_json)
        opens = not (as_json or no_debugger or observer.was_left)
        if opens and observer.error is not None and found.ended.error is not None:
            look_into(observer.error)
        if found.ended.error is not None:
            raise typer.Exit(FAILURE)


def _recording(session: Session, run: str, action: str, attempt: int | None) -> Recording:
    from upwell._cli.reading import read_run
    from upwell._core.model import ActionKey
    from upwell._exec.recorded import read_recording

    async def load(backend: Backend, _: RunRecord) -> Recording:
        return await read_recording(backend.store, backend.blobs, ActionKey(run, action), attempt)

    return asyncio.run(read_run(session, run, load))


def _load_own(session: Session, run: str, recording: Recording, folder: Path) -> bool:
    """Make the code importable that the action ran; False where nothing but what is here has it."""
    from upwell._cli.reading import read_run
    from upwell._client.bundle import download_bundle

    bundle = recording.spec.run.bundle
    if bundle is None:
        return False

    async def load(backend: Backend, _: RunRecord) -> None:
        await download_bundle(backend.blobs, bundle, folder)

    asyncio.run(read_run(session, run, load))
    load_bundle(folder, recording.spec.task.module)
    return True


def _load_here(session: Session, run: str, file: str | None, root_dir: Path | None, *, wanted: bool) -> None:
    """Make the code that is here importable, and say what of it has changed."""
    from upwell._cli.reading import read_run
    from upwell._cli.terminal import note
    from upwell._client.code import changed_files

    record = run_record(session, run)
    _, root = load_run_code(record, file, root_dir or session.configure().root_dir, "replay")

    async def changed(backend: Backend, record: RunRecord) -> list[str]:
        return [] if wanted else await changed_files(backend.blobs, record, (root or Path.cwd()).absolute())

    session.configure()
    if files := asyncio.run(read_run(session, run, changed)):
        note(f"changed since the run: {', '.join(files)}", "yellow")


def _tell(recording: Recording, found: Replayed, observer: Observer, *, as_json: bool) -> None:
    from upwell._cli.failures import user_frames
    from upwell._cli.outcome import value_text
    from upwell._cli.terminal import note, print_json
    from upwell._client.documents import values_document

    spec, error = recording.spec, found.ended.error
    outputs = values_document(found.ended.data) if found.ended.data and spec.items <= 1 else None
    if as_json:
        print_json(_document(recording, found, outputs))
        return
    if observer.was_left:
        note("left the debugger; the replay ended there")
        return
    if error is None:
        for name, value in (outputs or {}).items():
            print(f"{name}: {value_text(value)}")
    elif frames := user_frames(error.traceback):
        note(frames)
    for text in found.missing:
        note(text, "yellow")
    note(f"attempt {recording.attempt} of {spec.task.name} {_verdict(recording, found)}", "bold")
    if found.failed_child is not None:
        run_id = spec.run.run_id
        note(f"it failed with its child; {hint(f'replay {run_id} {found.failed_child}')} runs that")


def _verdict(recording: Recording, found: Replayed) -> str:
    """Say how a replay ended, compared with the recorded attempt."""
    now, then = found.ended.error, recording.error
    if now is None:
        return "succeeded" if then is None else f"succeeded now; in the run it failed: {_short(then)}"
    if then is None:
        return f"failed now, and did not in the run: {_short(now)}"
    if (now.code, now.message) == (then.code, then.message):
        return f"failed as in the run: {_short(now)}"
    return f"failed: {_short(now)}; in the run it was {_short(then)}"


def _short(error: ErrorInfo) -> str:
    return one_line(f"{error.code}: {error.message}", 300)


def _document(recording: Recording, found: Replayed, outputs: dict[str, Any] | None) -> dict[str, Any]:
    from upwell._client.documents import error_document

    spec = recording.spec
    return {
        "run": spec.run.run_id,
        "action": spec.action_id,
        "task": spec.task.name,
        "attempt": recording.attempt,
        "status": found.ended.status.value.lower(),
        "outputs": outputs,
        "error": error_document(found.ended.error),
        "recorded_error": error_document(recording.error),
        "failed_child": found.failed_child,
        "missing": list(found.missing),
    }
