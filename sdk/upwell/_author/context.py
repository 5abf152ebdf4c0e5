"""What a running task can see and do: its context, and the engine behind it.

The engine (`_exec.driver`) implements `Engine` and puts itself into `current` for the time of a task's
function. Outside a run there is none, and tasks and traces are plain function calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from upwell._author.checkpoint import Checkpoint
from upwell._core.batch import Mark
from upwell._core.keys import checkpoint_prefix
from upwell._core.model import Outcome, Payload
from upwell._core.sizer import Sizing
from upwell._core.sizes import check_group, check_travelling

if TYPE_CHECKING:
    from upwell._author.report import Report
    from upwell._author.task import Task

T = TypeVar("T")
Mode = Literal["local", "sandbox", "aws"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapBatch:
    """Items of a map that are called together.

    Attributes:
        map_id: The map.
        indices: Places of the items in it.
        inputs: Encoded.
        at_once: Items that may run at once.
        mark: Kept in the journal; None for a part of a batch that was sent before.
    """

    map_id: str
    indices: Sequence[int]
    inputs: Sequence[bytes]
    at_once: int = 1
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MapAnswers:
    """What came of the items of a batch.

    Attributes:
        results: The value of each, or its exception.
        ran_s: How long they ran.
        size_bytes: Of inputs and outputs.
    """

    results: Sequence[Any]
    ran_s: float
    size_bytes: int


class Engine(Protocol):
    """What tasks and traces ask of the engine that runs them."""

    def call(self, task: Task[..., Any], inputs: Mapping[str, Any]) -> Awaitable[Any]:
        """Run a child action with bound inputs and return its value; raises what the child raised."""

    @property
    def sizing(self) -> Sizing:
        """What maps must know of the engine."""

    def begin_map(self, task: Task[..., Any], inputs: str) -> tuple[str, Mapping[int, int]]:
        """Return the id of the next map of a task whose first item has these inputs, and how it was divided.

        That is, by the index of the first, how many items earlier attempts sent together.
        """

    async def call_items(self, task: Task[..., Any], batch: MapBatch) -> MapAnswers:
        """Run items of a map in one child action."""

    def block_on(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and wait, from the thread of a sync task.

        Raises:
            SyncTaskCallInAsyncContextError: called on the loop's own thread, which would wait for itself.
        """

    def next_trace_id(self, name: str, inputs: str) -> str:
        """Return the id of the next call of a traced function with these inputs."""

    def find_trace(self, trace_id: str) -> Outcome | None:
        """Return what an earlier attempt recorded."""

    async def load(self, payload: Payload) -> bytes:
        """Return the bytes of a payload, which may be a blob. May be awaited on any event loop."""

    async def record_trace(
        self, trace_id: str, name: str, started_at: float, result: bytes | BaseException
    ) -> None:
        """Write how a traced call ended; returns when it is durable."""

    def defer(self, work: Coroutine[Any, Any, object]) -> None:
        """Have a coroutine run on the engine's loop before the attempt ends, for a caller that cannot wait.

        May be called from any thread, the loop's own included.
        """

    def map_begins(self, task: str) -> None:
        """Note that a map makes calls of a task ahead of its consumer: how far ahead, depends on the time."""

    def map_ends(self, task: str) -> None:
        """Note that a map has made all its calls; one that is left early never does."""

    def now(self) -> float:
        """Return the time, epoch seconds."""


@dataclass(frozen=True, slots=True)
class ActionID:
    """Names an action of a run."""

    name: str
    run_name: str
    project: str = ""
    domain: str = ""
    org: str = ""


@dataclass(frozen=True, slots=True)
class GroupData:
    """The group that calls are put in."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What `upwell.ctx()` gives. Outside a task it is falsy and its fields are None.

    Attributes:
        action: This action; inside a trace, the trace.
        task_action: This action, also inside a trace.
        attempt: Number of this attempt, from 1.
        custom_context: Metadata of the run and of the enclosing `custom_context` blocks.
        run_start_time: When the run was submitted; aware UTC.
        raw_data_path: Prefix under which files of this run are written: a path or an `s3://` address.
        mode: `local`, `sandbox` or `aws`.
        version: Content hash of the code bundle; None when the code is not bundled.
        disable_run_cache: Whether caching is off for this run.
        group_data: The enclosing `group`, if any.
        in_trace: Whether this code runs inside a traced function.
        report: The report of this task; see `upwell.report`.
        data: For the program's own use; of this attempt alone.
        blob_prefix: Before the key of a blob, it makes its URI.
    """

    action: ActionID | None = None
    task_action: ActionID | None = None
    attempt: int | None = None
    custom_context: Mapping[str, str] | None = None
    run_start_time: datetime | None = None
    raw_data_path: str | None = None
    mode: Mode | None = None
    version: str | None = None
    disable_run_cache: bool | None = None
    group_data: GroupData | None = None
    in_trace: bool = field(default=False, repr=False)
    engine: Engine | None = field(default=None, repr=False, compare=False)
    report: Report | None = field(default=None, repr=False, compare=False)
    data: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    blob_prefix: str | None = field(default=None, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.action is not None

    def is_in_cluster(self) -> bool:
        """Whether the task runs on AWS or its emulation."""
        return self.mode in {"aws", "sandbox"}

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Saves what the next attempt is to have, if this one fails or is lost; None outside a task."""
        if self.task_action is None or self.attempt is None or self.blob_prefix is None:
            return None
        prefix = checkpoint_prefix(self.task_action.run_name, self.task_action.name)
        return Checkpoint(f"{self.blob_prefix}{prefix}", self.attempt)

    @property
    def run_base_dir(self) -> str | None:
        """The same as `raw_data_path`: a run has no other place of its own."""
        return self.raw_data_path

    @property
    def code_bundle(self) -> str | None:
        """The same as `version`."""
        return self.version

    @property
    def interactive_mode(self) -> bool:
        """Whether the code was typed into a notebook and pickled; it never is."""
        return False


NO_CONTEXT = TaskContext()
current: ContextVar[TaskContext] = ContextVar("upwell_context", default=NO_CONTEXT)


def ctx() -> TaskContext:
    """Return the context of the running task."""
    return current.get()


def engine() -> Engine | None:
    """Return the engine that runs this code, or None outside a run."""
    return current.get().engine


@contextmanager
def group(name: str) -> Iterator[None]:
    """Label the actions started inside the block; the innermost name wins. The label is part of their ids.

    Raises:
        UsageError: the name is above 512 bytes.

    Example:
        >>> with group("load"):
        ...     pass
    """
    check_group(name)
    with _changed(group_data=GroupData(name)):
        yield


@contextmanager
def custom_context(**metadata: str) -> Iterator[None]:
    """Add string metadata to what the calls started inside the block see in `ctx().custom_context`.

    Raises:
        UsageError: all of it together is above 8 KiB.
    """
    merged = {**(ctx().custom_context or {}), **metadata}
    check_travelling("custom_context", merged)
    with _changed(custom_context=merged):
        yield


def get_custom_context() -> dict[str, str]:
    """Return the metadata that `ctx().custom_context` holds; empty outside a task."""
    return dict(ctx().custom_context or {})


@contextmanager
def _changed(**fields: Any) -> Iterator[None]:
    token = current.set(replace(current.get(), **fields))
    try:
        yield
    finally:
        current.reset(token)
