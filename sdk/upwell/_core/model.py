"""The nouns of the engine: actions, runs, payloads, outcomes.

Instants are epoch seconds (UTC) as floats: they come from the `Clock` port, are compared and added here, and
become aware datetimes where a person sees them. Names of such fields end in `_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from upwell._core.key_parts import KeyParts
from upwell._core.limits import MAX_INLINE_IO_BYTES
from upwell._core.links import TaskLink
from upwell._core.phases import Noticed


class Status(StrEnum):
    """Where an action is. `NEW` is an action that has no record yet."""

    NEW = "NEW"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUSPENDED = "SUSPENDED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_terminal(self) -> bool:
        """Whether the action has ended."""
        return self in TERMINAL


TERMINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.ABORTED, Status.TIMED_OUT})
ROOT_ID = "a0"


@dataclass(frozen=True, slots=True, order=True)
class ActionKey:
    """Names an action."""

    run_id: str
    action_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """An encoded value: JSON text, or the key of a blob that holds it."""

    text: str | None = None
    blob: str | None = None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """A failure as it is recorded and sent to the parent."""

    code: str
    message: str
    kind: str = "user"
    traceback: str = ""
    recoverable: bool = True
    worker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an action ended: `output` with SUCCEEDED, `error` with the others; both if items of one failed."""

    status: Status
    output: Payload | None = None
    error: ErrorInfo | None = None
    ran_s: float = 0.0
    """How long the task's function ran, where a map measures that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The user's retries: how many, and the delay before each, in seconds."""

    count: int = 0
    base_s: float = 0.0
    factor: float = 1.0
    cap_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`timeout=` of a task, in seconds; None is unbounded."""

    max_runtime_s: float | None = None
    max_queued_s: float | None = None
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many attempts may run at once under one name, whatever their parents, runs and executors."""

    scope: str
    """`task:<name>`, `env:<name>` or `cache:<key>`."""
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """A secret that a task needs."""

    name: str
    """`<group>/<key>`, or `<key>`."""
    env_var: str
    """Variable that gets its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """What to run and how: all that an executor must know besides the inputs."""

    name: str
    """`<environment>.<function>`."""
    module: str
    """Importable name of the module that defines it."""
    pool: str
    short_name: str | None = None
    retry: RetryPolicy = RetryPolicy()
    bounds: Bounds = Bounds()
    cache_key: str | None = None
    """Where to keep the result; None when it isn't cached."""
    cache_write_only: bool = False
    """Compute it anew and keep the result, whatever the cache holds."""
    env_vars: dict[str, str] = field(default_factory=dict)
    """Environment variables of the environment, and of an override."""
    max_inline_io_bytes: int = MAX_INLINE_IO_BYTES
    limits: tuple[Limit, ...] = ()
    """What bounds how often it runs at once; an attempt has a place under each."""
    secrets: tuple[SecretSpec, ...] = ()
    """Fetched by the executor, for the variables of the attempt; their values are in no record."""
    cache_serialize: bool = False
    """One attempt at a time computes the result of a cache key; the others wait for it."""
    cache_max_age_s: float | None = None
    """Results that are older are not used."""
    cache_parts: KeyParts | None = None
    """What the cache key was made of; of a batch of calls, without the inputs."""
    links: tuple[TaskLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What all actions of a run share; it travels with each."""

    run_id: str
    generation: int = 1
    """1 for the first submission, one more for each recovery."""
    bundle: str | None = None
    created_at: float = 0.0
    custom_context: dict[str, str] = field(default_factory=dict)
    env_vars: dict[str, str] = field(default_factory=dict)
    cache_mode: str = "use"
    """`use`, `overwrite` (ignore hits) or `off`."""
    code_generation: int = 1
    """The generation that brought the code: a later one than 1 if a recovery was told to take new code."""
    strict: bool = False
    """Whether a replay that asks for other children than its journal holds fails the action."""
    max_actions: int | None = None
    """Actions that the run may have; None leaves it to the deployment's settings."""
    max_depth: int | None = None
    """Levels of parents above an action of the run; None leaves it to the deployment's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A kept result of the same key that was found and not used."""

    made_by: ActionKey
    made_at: float
    why: str
    """`too old`, or `gone`: its data was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """An action as its parent asks for it: the content of a message."""

    run: RunSpec
    action_id: str
    task: TaskSpec
    inputs: Payload
    parent_id: str | None = None
    shard: int = 0
    """Shard of the parent's journal in which the outcome is expected."""
    group: str | None = None
    depth: int = 0
    queued_at: float = 0.0
    items: int = 0
    """Items of a map that it runs: one, with inputs like any call's, or a batch; 0 is an ordinary call."""
    parent_sleeps: bool = False
    """Whether the parent may be suspended, so that who ends this action must see to waking it. Known when it is
    called on Lambda; set in the record by the parent (`Subscribe`) when it is suspended elsewhere."""
    unusable: Unusable | None = None
    """What the cache had for it, to no avail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Who runs an attempt."""

    kind: str
    """`local`, `lambda` or `worker`."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to finish an attempt; the id fences it."""

    id: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of an action. `end` is empty while it runs, else `succeeded`, `failed`, `lost`, ..."""

    number: int
    executor: Executor
    started_at: float
    ended_at: float | None = None
    end: str = ""
    error: ErrorInfo | None = None
    note: str = ""
    """What a person should know of how it ended."""
    phases: tuple[int, ...] = ()
    """Where its time went (`Phases.packed`); empty while it runs, and where its executor could not say."""
    noticed: tuple[Noticed, ...] = ()
    """How late it got the outcomes of its children."""
    generation: int = 1
    """The generation of the run that it was made in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A parent that waits without a process."""

    attempt: int
    """The attempt that goes on when it is woken."""
    count: int
    """How often this action was suspended, this time included."""
    open_children: int
    waiting_since: float
    """When half of the open children had been sent: what it waits for is that old."""
    task_token: str | None = None
    """Of the message that was acknowledged; the one that wakes it carries it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionWarning:
    """What the engine has found wrong with an action that it did not fail for."""

    code: str
    message: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """The truth about an action. `version` grows by one with each write and guards it."""

    spec: ActionSpec
    status: Status
    version: int
    generation: int
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    not_before: float = 0.0
    """Not to be claimed earlier: the backoff of a retry."""
    failures: int = 0
    """Attempts that failed by the task's own fault."""
    losses: int = 0
    """Attempts whose executor was lost."""
    lease: Lease | None = None
    """Of the running attempt; kept after its end, to recognise a repeated finish."""
    attempts: tuple[Attempt, ...] = ()
    """The latest ones; at most `ATTEMPTS_KEPT`."""
    outcome: Outcome | None = None
    suspension: Suspension | None = None
    """Of the latest time that it was suspended; None if it never was."""
    cached_from: ActionKey | None = None
    """Where the result was computed, if it came from the cache."""
    cached_at: float | None = None
    """When it was, where that is known."""
    hits: dict[str, int] = field(default_factory=dict)
    """How many of its calls were answered from the cache, by task, as of its latest write. Such children have
    no record of their own: their parent's journal tells of them."""
    warnings: tuple[ActionWarning, ...] = ()
    """One of a kind for each attempt; at most `WARNINGS_KEPT`."""
    task_token: str | None = None
    """Of the root's message: what makes a lost message good carries it again."""

    @property
    def key(self) -> ActionKey:
        """Where it is stored."""
        return ActionKey(self.spec.run.run_id, self.spec.action_id)

    @property
    def attempt(self) -> int:
        """Number of the latest attempt, from 1; 0 before the first."""
        return self.attempts[-1].number if self.attempts else 0

    @property
    def is_resumed(self) -> bool:
        """Whether the next claim goes on with an attempt that was suspended, rather than begin a new one."""
        return self.suspension is not None and bool(self.attempts) and self.attempts[-1].end == "suspended"


ATTEMPTS_KEPT = 20
WARNINGS_KEPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSize:
    """What one executor of a pool is on AWS, as the run's program asks for it."""

    kind: str
    """`lambda` or `worker`."""
    memory_mib: int
    vcpus: float = 0.0
    """Of a worker; on Lambda, memory decides."""
    slots: int = 1
    """Attempts that share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as `get runs` lists it. `version` guards it like an action's."""

    spec: RunSpec
    task: str
    status: Status
    version: int = 1
    ended_at: float | None = None
    outcome: Outcome | None = None
    root: ActionSpec
    """The root action as submitted, for a recovery."""
    labels: dict[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] | None = None
    """Names of the outputs where the root task has several."""
    code: str | None = None
    """Blob with a digest of each source file, of a run whose code is not bundled: a local one."""
    look_at: float | None = None
    """When the sweeper looks at the run next; None when there is nothing to look for any more."""
    looked_at: float = 0.0
    """When it looked last."""
    pools: dict[str, PoolSize] = field(default_factory=dict)
    """What its program's pools are on AWS, by name; also of a local run, so that its cost can be told."""

    @property
    def began_at(self) -> float:
        """When its generation was submitted: the run itself, or its latest recovery."""
        return self.root.queued_at or self.spec.created_at

    def duration_s(self, now: float | None) -> float | None:
        """Return how long its generation took: to its end, or as yet.

        What lies before its latest recovery, and the rest until then, does not count.

        Args:
            now: The time, epoch seconds; None if nothing works on it, and nobody knows since when.
        """
        until = now if self.ended_at is None else self.ended_at
        return None if not until or not self.began_at else round(max(0.0, until - self.began_at), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """A result kept under a cache key."""

    key: str
    output: Payload
    made_by: ActionKey
    created_at: float
    task: str = ""
    """Full name of the task; empty in entries that do not say."""
    parts: KeyParts | None = None
    """What the key was made of; None in entries that do not say."""
    max_age_s: float | None = None
    """Up to which age its task used it when it was kept; None is any."""

    @property
    def summary(self) -> CacheSummary:
        """The entry without its result."""
        return CacheSummary(
            key=self.key,
            task=self.task,
            made_by=self.made_by,
            created_at=self.created_at,
            size_bytes=self.output.size_bytes,
            blob=self.output.blob,
            parts=self.parts,
            max_age_s=self.max_age_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSummary:
    """What a list of the cache says of an entry: all but the result itself."""

    key: str
    task: str
    made_by: ActionKey
    created_at: float
    size_bytes: int
    blob: str | None = None
    """Where the result is, if it is not in the entry."""
    parts: KeyParts | None = None
    max_age_s: float | None = None
