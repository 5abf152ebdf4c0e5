"""What a deployed component must know. CDK writes it with `to_env`, the runtime reads it with `from_env`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

ENV_PREFIX = "UPWELL_"


class SettingsError(ValueError):
    """A setting is missing or cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Names and tunables of one deployment.

    Everything is a string, an integer or a float, so that the same object can be an environment of a Lambda
    function, of a Fargate task and an output of the stack. Durations are seconds.
    """

    prefix: str
    """Names of all resources start with it: `upwell-<stage>`."""
    bucket: str
    state_machine_arn: str = ""
    """Empty where it would be circular (functions that the state machine does not need)."""
    queue_url_prefix: str
    """`https://sqs.<region>.amazonaws.com/<account>/<prefix>-`; a pool's queue is this and the pool's name."""
    pool: str = "default"
    """The pool that this component serves."""
    concurrency: int = 1
    """Slots of one worker process."""
    lease_s: float = 30.0
    """How long a claim holds without an extension; also the queue's visibility timeout in worker pools."""
    heartbeat_s: float = 10.0
    """How often a running attempt extends its lease and learns whether it was aborted."""
    poll_min_s: float = 0.02
    poll_max_s: float = 2.0
    """Bounds of the interval at which a waiting parent reads its journal."""
    silence_s: float = 15.0
    """After so long without news a parent reads the records of its open children."""
    sweep_s: float = 60.0
    """So long after it was due, the sweeper does what nobody did."""
    linger_s: float = 5.0
    """How long a parent that waits for children stays in a process that it could leave."""
    max_in_flight: int = 1000
    """Children that one parent has sent and not yet heard of."""
    batch_overhead_factor: float = 10.0
    """A map makes its batches so large that they run so many times as long as their action costs besides."""
    batch_slots: int = 0
    """Actions that a map takes to run at once, so that each slot gets its batches; 0 is unknown."""
    max_actions: int = 1_000_000
    """Actions that a run may have, if it does not say; what comes soon after is refused."""
    max_depth: int = 1_000
    """Levels of parents above an action, if its run does not say: as deep as Python lets functions call."""
    max_system_losses: int = 5
    """Lost executors that an action survives."""
    log_level: str = "INFO"
    """The least level of what the platform logs of itself."""
    traces: int = 0
    """Whether functions send traces to X-Ray: 1 or 0."""

    @property
    def actions_table(self) -> str:
        """Action records: pk `run#shard`, sk action id; streamed."""
        return f"{self.prefix}-actions"

    @property
    def journal_table(self) -> str:
        """Journal entries: pk `run#action#shard`, sk time-ordered."""
        return f"{self.prefix}-journal"

    @property
    def runs_table(self) -> str:
        """Run records and their folded views: pk run id, sk `run` or `view`; indexes `by_time`, `by_status`."""
        return f"{self.prefix}-runs"

    @property
    def cache_table(self) -> str:
        """Cache entries: pk cache key."""
        return f"{self.prefix}-cache"

    def queue_url(self, pool: str) -> str:
        """Return the URL of a pool's queue."""
        return f"{self.queue_url_prefix}{pool}"

    def to_env(self) -> dict[str, str]:
        """Return the settings as environment variables."""
        return {ENV_PREFIX + f.name.upper(): str(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings that `to_env` wrote.

        Raises:
            SettingsError: a variable is missing, or is not a number where one is needed.
        """
        values: dict[str, object] = {}
        converters = {"int": int, "float": float, "str": str}
        for field in fields(cls):
            name = ENV_PREFIX + field.name.upper()
            if name in env:
                try:
                    values[field.name] = converters[str(field.type)](env[name])
                except ValueError as e:
                    raise SettingsError(f"{name}={env[name]!r} is not a {field.type}") from e
        try:
            return cls(**values)  # type: ignore[arg-type]  # each value was converted by its field's type
        except TypeError as e:
            raise SettingsError(f"{e}; this process needs the {ENV_PREFIX}* variables of a deployment") from e


def resource_prefix(stage: str) -> str:
    """Return the prefix of the names of a stage's resources."""
    return f"upwell-{stage}"


def stage_of(prefix: str) -> str:
    """Return the stage whose resources have this prefix."""
    return prefix.removeprefix(resource_prefix(""))
