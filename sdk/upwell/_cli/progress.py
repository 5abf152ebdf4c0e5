"""Shows how a run goes: a table that changes in place on a terminal, lines on change elsewhere, or JSON."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from upwell._cli.run_options import Shown
from upwell._cli.terminal import err, plain, print_json_line
from upwell._client.backend import open_backend
from upwell._client.config import current_config
from upwell._client.documents import counts_document
from upwell._client.watch import Snapshot, watch_on
from upwell._core.model import Status
from upwell._core.ports import RunView

if TYPE_CHECKING:
    from rich.table import Table

logger = logging.getLogger(__name__)

STYLES = {
    Status.QUEUED: "yellow",
    Status.RUNNING: "cyan",
    Status.SUSPENDED: "blue",
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.TIMED_OUT: "red",
    Status.ABORTED: "magenta",
}
TASKS_SHOWN = 12
REFRESH_PER_S = 8
LINE_GAP_PART, LINE_GAP_MAX_S = 0.05, 30.0
"""Lines come no more often than this part of the time that has passed."""
OPEN_WITHIN_S, STOP_WITHIN_S = 5.0, 10.0


class Display(Protocol):
    """Shows snapshots."""

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    def update(self, snapshot: Snapshot) -> None:
        """Show a newer snapshot."""


def make_display(run_id: str, shown: Shown = "text") -> Display:
    """Return the display for where stderr goes; JSON lines go to stdout."""
    if shown == "lines":
        return JsonDisplay()
    if err().is_terminal and not err().is_dumb_terminal:
        return TableDisplay(run_id)
    return LineDisplay(run_id)


class LineDisplay:
    """A line whenever the counts have changed, and not too often."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._started = self._shown_at = time.monotonic()
        self._shown = ""
        self._latest: Snapshot | None = None

    def __enter__(self) -> LineDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._latest is not None:
            self._show(self._latest)

    def update(self, snapshot: Snapshot) -> None:
        """Print the counts, if they have changed and the last line is old enough."""
        self._latest = snapshot
        now = time.monotonic()
        gap_s = min((now - self._started) * LINE_GAP_PART, LINE_GAP_MAX_S)
        if not self._shown or now - self._shown_at >= gap_s:
            self._show(snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        counts = totals(snapshot.view)
        text = ", ".join(f"{n} {_label(status)}" for status, n in counts.items()) or "starting"
        if text == self._shown:
            return
        self._shown, self._shown_at = text, time.monotonic()
        elapsed_s = self._shown_at - self._started
        print(f"[{elapsed_s:.1f} s] {self._run_id}: {text}", file=sys.stderr, flush=True)


class JsonDisplay:
    """A JSON document in a line of stdout whenever the counts, or the status, have changed."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = {}

    def __enter__(self) -> JsonDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """There is nothing to put away."""

    def update(self, snapshot: Snapshot) -> None:
        """Print the snapshot, if it is another one."""
        spec, counts = snapshot.run.spec, counts_document(snapshot.view)
        status = snapshot.run.status.value.lower()
        document = {"run": spec.run_id, "generation": spec.generation, "status": status, "counts": counts}
        if document != self._shown:
            self._shown = document
            print_json_line(document)


class TableDisplay:
    """A table of counts per task that changes in place. It goes out of the way of a debugger."""

    def __init__(self, run_id: str) -> None:
        from rich.live import Live

        self._run_id = run_id
        self._snapshot: Snapshot | None = None
        self._started = time.monotonic()
        self._live = Live(
            get_renderable=self._render,
            console=err(),
            refresh_per_second=REFRESH_PER_S,
            transient=False,
            redirect_stdout=sys.stdout.isatty(),  # to a file or pipe, what tasks print is left alone
        )
        self._hook = sys.breakpointhook

    def __enter__(self) -> TableDisplay:
        self._live.start()
        sys.breakpointhook = self._break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        sys.breakpointhook = self._hook
        self._live.stop()

    def update(self, snapshot: Snapshot) -> None:
        """Show the counts with the next refresh."""
        self._snapshot = snapshot

    def _break(self, *args: object, **kwargs: object) -> object:
        """Stop drawing and let the debugger have the terminal."""
        self._live.stop()
        if self._hook is not sys.__breakpointhook__:
            return self._hook(*args, **kwargs)
        import pdb

        pdb.Pdb().set_trace(sys._getframe().f_back)
        return None

    def _render(self) -> Table:
        from rich.table import Table

        view = self._snapshot.view if self._snapshot is not None else RunView()
        elapsed_s = time.monotonic() - self._started
        phase = self._snapshot.run.status.value.lower() if self._snapshot is not None else "starting"
        title = plain(f"run {self._run_id} {phase} {elapsed_s:.0f} s", "bold")
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        table.add_column("task")
        shown = [s for s in STYLES if s in totals(view) or s in (Status.RUNNING, Status.SUCCEEDED)]
        for status in shown:
            table.add_column(_label(status), justify="right", style=STYLES[status])
        tasks = sorted(view.counts.items())
        for task, counts in tasks[:TASKS_SHOWN]:
            table.add_row(plain(task), *(_number(counts.get(s.value, 0)) for s in shown))
        if len(tasks) > 1:
            all_counts = totals(view)
            name = "all" if len(tasks) <= TASKS_SHOWN else f"all {len(tasks)} tasks"
            table.add_row(plain(name, "bold"), *(_number(all_counts.get(s, 0)) for s in shown))
        return table


def totals(view: RunView) -> dict[Status, int]:
    """Return the number of actions by status, over all tasks; those that there are."""
    found = {status: sum(counts.get(status.value, 0) for counts in view.counts.values()) for status in STYLES}
    return {status: n for status, n in found.items() if n}


def _label(status: Status) -> str:
    return status.value.lower().replace("_", " ")


def _number(count: int) -> str:
    return f"{count:,}" if count else "-"


@contextmanager
def following(run_id: str, generation: int, display: Display) -> Iterator[None]:
    """Show a run while the block runs it.

    The looking is done on a thread: tasks may hold this thread's event loop for as long as they like. The block
    starts when the thread has opened the state file, so that the two don't open and close it at the same time.
    """
    follower = _Follower(run_id, generation, display)
    with display:
        follower.start()
        follower.opened.wait(OPEN_WITHIN_S)
        try:
            yield
        finally:
            follower.stop()


class _Follower(threading.Thread):
    def __init__(self, run_id: str, generation: int, display: Display) -> None:
        super().__init__(name="upwell-progress", daemon=True)
        self._run_id = run_id
        self._generation = generation
        self._display = display
        self.opened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def run(self) -> None:
        """Follow until the run ends, or `stop`."""
        try:
            self._loop.run_until_complete(self._follow())
        except Exception:
            logger.debug("the progress of a run could not be read", exc_info=True)
        finally:
            self.opened.set()
            self._loop.close()

    def stop(self) -> None:
        """Take a last look and end."""
        try:
            self._loop.call_soon_threadsafe(self._ended.set)
        except RuntimeError:
            return  # it has ended by itself
        self.join(STOP_WITHIN_S)

    async def _follow(self) -> None:
        config = current_config()
        async with open_backend(config.mode, config) as backend:
            self.opened.set()
            run_id, generation = self._run_id, self._generation
            async for snapshot in watch_on(backend, run_id, generation=generation, stop=self._ended):
                self._display.update(snapshot)
