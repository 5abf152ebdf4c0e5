"""Where things lie: keys of tables and names of blobs, shared by the adapters and the infrastructure."""

from __future__ import annotations

import zlib

from upwell._core.limits import ACTION_SHARDS

RUNS_BY_TIME = "by_time"
"""Index of the runs table: pk `listing`, sk `created_at`."""
RUNS_BY_STATUS = "by_status"
"""Index of the runs table: pk `status`, sk `created_at`."""
RUNS_BY_LOOK = "by_look"
"""Index of the runs table: pk `listing`, sk `look_at`, of runs that the sweeper is to look at."""
CACHE_BY_TASK = "by_task"
"""Index of the cache table: pk `task_shard`, sk `created_at`; it has `about` of each entry."""
CACHE_SHARDS = 16
"""Partitions of that index for each task: a fan-out writes all its results at once."""
BUNDLES = "bundles/"
"""Code bundles, content-addressed: `bundles/<sha256>.zip`."""
CODE = "code/"
"""What the code of local runs was, content-addressed: `code/<sha256>.json`."""
VALUES = "values/"
"""Offloaded values: `values/<run id>/<sha256>`."""
CACHED = "cached/"
"""Offloaded results that the cache refers to: `cached/<sha256>`; they outlive their run."""
VERSIONS = "versions/"
"""What the code of cached tasks was, content-addressed: `versions/<digest>.json`; as long as cached results."""
_REPORT_SUFFIX = ".html"
DATA = "data/"
"""Files and directories of tasks: `data/<run id>/...`."""
INPUTS = f"{DATA}inputs/"
"""Files of this machine that clients gave to runs, content-addressed: `data/inputs/<sha256>/...`."""
TASKS = "tasks/"
"""Deployed tasks: `tasks/<task>/<ms since epoch>-<digest>.json`; the last one counts."""
HOLDS = "hold#"
"""Start of the partitions of the runs table in which places are held."""
HOLD_SHARDS = 16
DEFAULT_POOL = "default"
"""The pool of environments that ask for nothing special."""
EVENTS = "upwell"
"""Source of the events that the platform puts on the default event bus."""
WORK_SENT = "Work Sent"
"""Type of the event that a pool, whose workers may be none, was sent something."""
LOST_CHANGES = "lost-changes"
"""What the queue of changes that could not be counted is called after the prefix; no pool is called so."""
DEAD_SUFFIX = "-dead"
"""Of the name of a pool's dead-letter queue."""
POOL_NAME_MAX = 32
WORKER_LOG_PREFIX, WORKER_CONTAINER = "worker", "worker"


def action_pk(run_id: str, action_id: str) -> str:
    """Return the partition of an action: one of 16 of its run, so that no run is one hot key."""
    return f"{run_id}#{zlib.crc32(action_id.encode()) % ACTION_SHARDS:02x}"


def action_pks(run_id: str) -> list[str]:
    """Return every partition that the actions of a run are in."""
    return [f"{run_id}#{shard:02x}" for shard in range(ACTION_SHARDS)]


def journal_pk(run_id: str, action_id: str, shard: int) -> str:
    """Return the partition of one shard of a parent's journal."""
    return f"{run_id}#{action_id}#{shard}"


def journal_sk(at: float, entry_id: str) -> str:
    """Return a sort key that orders entries by time (epoch seconds), then by id."""
    return f"{int(at * 1_000_000):016d}#{entry_id}"


def hold_pk(scope: str) -> str:
    """Return the partition of the places of a scope: one of 16, so that all can be listed."""
    return f"{HOLDS}{zlib.crc32(scope.encode()) % HOLD_SHARDS:02x}"


def hold_pks() -> list[str]:
    """Return every partition that places are in."""
    return [f"{HOLDS}{shard:02x}" for shard in range(HOLD_SHARDS)]


def hold_sk(scope: str, place: int) -> str:
    """Return the sort key of a place; those of a scope start with `<scope>#`."""
    return f"{scope}#{place:06d}"


def bundle_key(bundle: str) -> str:
    """Return the blob of a code bundle."""
    return f"{BUNDLES}{bundle}.zip"


def code_key(digest: str) -> str:
    """Return the blob with the digests of a local run's source files."""
    return f"{CODE}{digest}.json"


def value_key(run_id: str, digest: str) -> str:
    """Return the blob of an offloaded value."""
    return f"{VALUES}{run_id}/{digest}"


def cached_key(digest: str) -> str:
    """Return the blob of an offloaded value that the cache refers to."""
    return f"{CACHED}{digest}"


def cache_shard(key: str) -> int:
    """Return in which of the index's partitions of its task a cache entry is."""
    return zlib.crc32(key.encode()) % CACHE_SHARDS


def task_shard(task: str, shard: int) -> str:
    """Return one of the partitions of the cache's index that the entries of a task are in."""
    return f"{task}#{shard:02x}"


def version_key(digest: str) -> str:
    """Return the blob that describes the code of a cached task (`CodeDocument`)."""
    return f"{VERSIONS}{digest}.json"


def task_prefix(task: str) -> str:
    """Return the prefix of what a task was deployed as."""
    return f"{TASKS}{task}/"


def deployed_task_key(task: str, at: float, digest: str) -> str:
    """Return the blob with what a task was deployed as, at a time in epoch seconds; they sort by time."""
    return f"{task_prefix(task)}{round(at * 1000):014d}-{digest}.json"


def task_of_key(key: str) -> str:
    """Return the task that a blob below `TASKS` is of."""
    return key.split("/")[1]


def data_prefix(run_id: str) -> str:
    """Return the prefix of the files that the tasks of a run write."""
    return f"{DATA}{run_id}/"


def report_key(run_id: str, action_id: str, attempt: int) -> str:
    """Return the blob with the report of an attempt."""
    return f"{reports_prefix(run_id, action_id)}{attempt:06d}{_REPORT_SUFFIX}"


def reports_prefix(run_id: str, action_id: str) -> str:
    """Return the prefix of the reports of an action."""
    return f"{data_prefix(run_id)}reports/{action_id}/"


def attempt_of_report(key: str) -> int | None:
    """Return of which attempt a blob below `reports_prefix` is the report; None if it is none."""
    name = key.rpartition("/")[2]
    number = name.removesuffix(_REPORT_SUFFIX)
    return int(number) if name.endswith(_REPORT_SUFFIX) and number.isdecimal() else None


def checkpoint_prefix(run_id: str, action_id: str) -> str:
    """Return the prefix of what the attempts of an action save for those after them."""
    return f"{data_prefix(run_id)}checkpoints/{action_id}"


def execute_function(prefix: str, pool: str) -> str:
    """Return the name of the function of a Lambda pool."""
    return f"{prefix}-{pool}-execute"


def function_log_group(prefix: str, pool: str) -> str:
    """Return the log group of the function of a Lambda pool; each of its log streams is an executor's."""
    return f"/aws/lambda/{execute_function(prefix, pool)}"


def worker_log_group(prefix: str, pool: str) -> str:
    """Return the log group of a worker pool."""
    return f"/upwell/{prefix}/{pool}"


def worker_log_stream(task_id: str) -> str:
    """Return the log stream of a worker, as ECS names it: prefix, container, task."""
    return f"{WORKER_LOG_PREFIX}/{WORKER_CONTAINER}/{task_id}"


def pool_name(environment: str) -> str:
    """Return the pool of an environment's own: its name, as AWS takes names of resources.

    Lower case, hyphens, a letter first, at most 32 characters; a longer name keeps its start and gets a hash.
    """
    slug = environment.lower().replace("_", "-")
    if slug in (DEFAULT_POOL, LOST_CHANGES) or slug.endswith(DEAD_SUFFIX) or not slug[0].isalpha():
        slug = f"env-{slug.removesuffix(DEAD_SUFFIX)}"
    if len(slug) <= POOL_NAME_MAX:
        return slug
    return f"{slug[: POOL_NAME_MAX - 9]}-{zlib.crc32(environment.encode()):08x}"
