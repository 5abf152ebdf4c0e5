"""What the Run API answers. Times are epoch seconds, lengths of time seconds."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from upwell._client.previews import Preview
from upwell._console.rows import Facts, PhaseTimes, Row
from upwell._console.summary import Summary
from upwell._core.scaling import Why


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Problem(Answer):
    """Why a request was not carried out."""

    code: str
    message: str


class ProblemAnswer(Answer):
    """What is answered with 400, 404, 409, 422, 500 and 503."""

    error: Problem


class Features(Answer):
    """What this deployment of the API can do."""

    logs: bool
    """Whether it gives the logs of attempts."""
    steer: bool
    """Whether it aborts, recovers and reruns."""
    submit: bool
    """Whether it starts runs of deployed tasks."""


class Info(Answer):
    """Where the API runs."""

    version: str
    backend: str
    stage: str | None
    region: str | None
    url_of_docs: str
    features: Features


class RunError(Answer):
    """Why a run failed, in short."""

    code: str
    message: str


class Run(Answer):
    """A run in a list."""

    run_id: str
    task: str
    status: str
    alive: bool
    """Whether something works on it: a local run whose process is gone is running, and not alive."""
    created_at: float
    began_at: float
    """When its generation was submitted: the run itself, or its latest recovery."""
    ended_at: float | None
    duration_s: float | None
    """Of its generation, or as yet; None where its process is gone."""
    labels: dict[str, str]
    counts: dict[str, int]
    """Its actions by status; those that nobody has claimed yet are not among them."""
    actions: int
    error: RunError | None
    version: str
    """Another one whenever the run, or the status of one of its actions, has changed."""


class TaskStats(Answer):
    """The actions of one task of a run."""

    task: str
    actions: int
    counts: dict[str, int]


class RunDetail(Run):
    """A run on a page of its own."""

    root: str
    """Id of the root action."""
    generation: int
    bundle: str | None
    settled: bool
    """Whether lists and charts show all that has happened; of large runs they may be some seconds behind."""
    url: str
    tasks: list[TaskStats]
    commands: dict[str, str]
    """Command lines that show or do what the page does."""


class Runs(Answer):
    """A page of runs, newest first."""

    runs: list[Run]
    next: str | None


class Tree(Answer):
    """A page of one level of a run's tree."""

    rows: list[Row]
    next: str | None
    total: int | None
    """How many rows all pages have."""
    summaries: list[Summary]
    """Of all that the parent called, whatever the filters."""


class Executor(Answer):
    """Who ran an attempt."""

    kind: str
    id: str


class Failure(Answer):
    """How an action or an attempt failed."""

    code: str
    message: str
    kind: str
    traceback: str | None


class AttemptDetail(Answer):
    """One try of an action."""

    number: int
    executor: Executor
    started_at: float
    ended_at: float | None
    end: str | None
    """How it ended: `succeeded`, `failed`, `lost`, ...; None while it runs."""
    phases: PhaseTimes
    error: Failure | None
    note: str | None
    generation: int
    """The generation of the run that it was made in."""


class Link(Answer):
    """A further address that the task's author gave for its actions."""

    name: str
    url: str


class Provenance(Answer):
    """Who made a result that was found in the cache."""

    run_id: str
    action_id: str
    created_at: float | None


@dataclass(slots=True, kw_only=True)
class ActionDetail(Facts):
    """An action on a page of its own.

    Attributes:
        outputs: None until it has succeeded.
        links: Those of its task that lead to web sites.
        reports: Attempts that have made a report.
        lease_expires_at: Of the attempt that runs: when it counts as lost unless its executor is heard of.
        commands: Command lines that show or do what the page does.
    """

    run_id: str
    inputs: list[Preview]
    outputs: list[Preview] | None
    error: Failure | None
    attempts: list[AttemptDetail]
    links: list[Link]
    reports: list[int]
    lease_expires_at: float | None
    warnings: list[str]
    cached_from: Provenance | None
    cache_key: str | None
    bundle: str | None
    pool: str
    commands: dict[str, str]


class Held(Answer):
    """An attempt that is at work."""

    action_id: str
    run_id: str
    task: str
    executor: str
    since: float
    until: float | None
    """When it counts as lost unless its executor is heard of."""


class Scaling(Answer):
    """A change of how many workers a pool is to have."""

    at: float
    before: int
    after: int
    why: Why
    """`backlog`: more to do than slots; `slots`: some were not needed for `scaledown_ttl`; `idle`: nothing to
    do for `idle_ttl`; `policy`: the least or most of the policy."""
    waiting: int
    """Messages that nobody worked on."""
    in_flight: int
    """Messages that workers held."""


class Pool(Answer):
    """A pool of executors, as its runs see it."""

    pool: str
    kind: str | None
    """`lambda` or `worker`: what it is on AWS; None where no run says."""
    replicas: int
    """Executors that are at work now."""
    slots: int | None
    """Attempts that share one executor."""
    busy: int
    """Attempts at work now."""
    held: list[Held]
    """Those of them that began first, at most 200."""
    backlog: int | None
    """About how many actions wait; None on the local backend, where the run's process alone knows."""
    scaling: list[Scaling]
    """What the scaler changed in the last two weeks, newest first, at most 100; empty where nothing is."""


class Kept(Answer):
    """A result in the cache."""

    key: str
    task: str | None
    version: str | None
    version_from: str | None
    """What the version was made of: `code`, `override`, ..."""
    created_at: float
    max_age_s: float | None
    expired: bool
    size_bytes: int
    run_id: str
    """Who made it."""
    action_id: str


class CacheList(Answer):
    """Kept results, newest first."""

    entries: list[Kept]
    next: str | None


class DeployedTaskInfo(Answer):
    """A task of which a run can be started."""

    task: str
    description: str
    inputs: dict[str, JsonValue]
    """JSON schema of an object with its inputs."""
    pool: str
    bundle: str
    deployed_at: float


class Submit(BaseModel):
    """A run of a deployed task."""

    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """As the task's schema wants them; those with a default may be missing."""
    name: str | None = None
    """Id of the run; without one it gets one."""
    labels: dict[str, str] = Field(default_factory=dict)


class Abort(BaseModel):
    """Why something is ended."""

    reason: str = Field(default="aborted in the console", max_length=500)


class Recover(BaseModel):
    """How a run is gone on with."""

    new_code: bool = False
    """With the code as it is now, in the folder that the run was started from; else with its own."""


class Rerun(BaseModel):
    """How a run is run again."""

    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """That replace those of the run; the others stay."""
    new_code: bool = False


class Steered(Answer):
    """What was changed, or made."""

    run_id: str
    action_id: str | None = None


class Line(Answer):
    """What a task printed or logged."""

    id: str
    """Tells it from all others of its run."""
    at: float
    action_id: str | None
    """None where several attempts shared a process and any of them may have written it."""
    attempt: int | None
    item: str | None
    """The item of a map that wrote it, where several are one action."""
    stream: str
    """`stdout`, `stderr` or `logging`."""
    level: str | None
    """Of a message of a logger."""
    logger: str | None
    text: str


class LogLines(Answer):
    """Some lines, in the order of time."""

    lines: list[Line]
    next: str | None
    """Cursor of the next page; None if there is none for now."""
    resume: str
    """Cursor for going on later, of the last page, too; lines may be repeated, with their ids."""
