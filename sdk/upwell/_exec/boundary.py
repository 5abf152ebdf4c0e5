"""What passes between the engine and the user's code, which may be in another process: bytes and records alone.

The engine's half of an attempt (`driver`) is the `Host`; the user's half (`user_code`, `session`) asks it. They
are in one process on a laptop, and in two everywhere else (`process`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from upwell._author.context import Mode
from upwell._core.batch import Mark
from upwell._core.model import ActionSpec, ErrorInfo, Outcome, Status, TaskSpec
from upwell._core.phases import NOTHING, Phases
from upwell._core.sizer import Sizing


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """An attempt that begins: all that the user's half must know, besides the inputs."""

    spec: ActionSpec
    attempt: int
    worker: str
    """Who runs it, for its errors."""
    mode: Mode
    blob_prefix: str
    """Before the key of a blob, it makes its URI."""
    raw_data_prefix: str
    scratch: str
    """Folder for downloads."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables with the values of its secrets."""
    traces: Mapping[str, Outcome] = field(default_factory=dict)
    """What earlier attempts recorded, by trace id."""
    sizing: Sizing = field(default_factory=Sizing)
    """For maps."""
    batches: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """How earlier attempts divided maps: by map and index of the first item, how many went together."""
    failures: int = 0
    """How often it has failed by its own fault."""
    alone: bool = False
    """Whether it must not share a process: an earlier attempt was lost, perhaps by its own doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a task, on its way to becoming a child; the encoded inputs go beside it."""

    task: TaskSpec
    input_digest: str
    group: str | None
    custom_context: Mapping[str, str]
    ahead: tuple[str, ...] = ()
    """Tasks of which a map makes calls ahead of its consumer, or did until it was left early."""
    items: int = 0
    """Items of a map that it is to run: see `ActionSpec.items`."""
    batch: Mark | None = None
    """Where they stand in it, unless that follows from what came of another batch."""
    item: str = ""
    """The item of a batch that makes the call, if one does: equal calls are counted for each of its own."""
    document: str = ""
    """What `task.cache_parts.code` is the digest of; with an attempt's first call of a task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRecord:
    """How a traced call ended; the encoded result, if it has one, goes beside it."""

    trace_id: str
    name: str
    started_at: float
    error: ErrorInfo | None
    nested: bool = False
    """Whether another trace called it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a call: the encoded output, or how it failed; of a batch there may be both."""

    error: ErrorInfo | None = None
    data: bytes = b""
    ran_s: float = 0.0
    """How long it ran, where a map measures that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the user's half of an attempt ended.

    Attributes:
        status: SUCCEEDED, FAILED or TIMED_OUT.
        error: With the latter two.
        data: The encoded output, with the first; also of a batch of which items failed.
        ran_s: How long the function ran, where a map measures that.
        ahead: As in `Call`.
        traces_left: Ids of recorded traces that the task has not asked for.
        phases: What this half has measured: `bundle`, `input`, `run`, `output`.
    """

    status: Status
    error: ErrorInfo | None = None
    data: bytes = b""
    ran_s: float = 0.0
    ahead: tuple[str, ...] = ()
    traces_left: tuple[str, ...] = ()
    phases: Phases = NOTHING


class AttemptLostError(Exception):
    """An attempt ended with its process, and is not known to be to blame: it is tried again."""

    def __init__(self, error: ErrorInfo) -> None:
        super().__init__(error.message)
        self.error = error


class Host(Protocol):
    """What the user's half of an attempt asks of the engine's half."""

    async def call(self, call: Call, inputs: bytes) -> Answer:
        """Run a child action to its end. To cancel this is to abort the child."""

    async def record_trace(self, trace: TraceRecord, result: bytes) -> None:
        """Write how a traced call ended; returns when it is durable, or soon will be (see `recorder`)."""

    def now(self) -> float:
        """Return the time, epoch seconds."""

    @property
    def is_waiting(self) -> bool:
        """Whether the task waits for children."""


class UserCode(Protocol):
    """The user's half of one attempt."""

    async def run(self) -> Ended:
        """Run the task to its end. To cancel this is to stop the task.

        Raises:
            AttemptLostError: its process died.
            UnavailableError: a service is out of reach; the task is not to blame and must be tried again.
        """

    async def idle_s(self) -> float:
        """Return for how long the task has waited for answers and done nothing else; 0 if it does."""


class Users(Protocol):
    """Where the users' code runs."""

    def prepare(self) -> None:
        """Begin what takes a while before the first attempt."""

    async def aclose(self) -> None:
        """End what was begun; no attempt is under way."""

    def attempt(self, start: Start, inputs: bytes, host: Host) -> UserCode:
        """Return the user's half of an attempt, not begun yet."""
