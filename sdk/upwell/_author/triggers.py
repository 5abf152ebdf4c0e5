"""What would start a task by itself. Triggers are kept with their task; nothing fires them yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Self

_CRON_FIELD = re.compile(r"[\w*/,\-?#]+")
_CRON_WORDS = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})


class _TriggerTime(Enum):
    TRIGGER_TIME = "trigger time"


TriggerTime = _TriggerTime.TRIGGER_TIME
"""Stands for the time of the firing among a trigger's inputs."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A schedule in cron's notation.

    Attributes:
        expression: Minute, hour, day of the month, month, day of the week; or `@daily` and the like.
        timezone: Name of a time zone.

    Raises:
        ValueError: the expression has not five fields.
    """

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        parts = self.expression.split()
        is_five = len(parts) == 5 and all(_CRON_FIELD.fullmatch(part) for part in parts)
        if not is_five and self.expression not in _CRON_WORDS:
            raise ValueError(
                f"Cron({self.expression!r}) is no schedule; give minute, hour, day of the month, month and day "
                "of the week, as in '0 9 * * 1-5'"
            )


@dataclass(frozen=True, slots=True)
class FixedRate:
    """A schedule of equal intervals.

    Attributes:
        interval_minutes: Between two firings; 1 or more.
        start_time: Of the first.
    """

    interval_minutes: int
    start_time: datetime | None = None

    def __post_init__(self) -> None:
        if isinstance(self.interval_minutes, bool) or self.interval_minutes < 1:
            raise ValueError(f"FixedRate(interval_minutes={self.interval_minutes!r}): give 1 minute or more")


@dataclass(frozen=True, slots=True, init=False)
class OnArtifact:
    """When a version of an artifact appears."""

    name: str
    version: str | None
    partitions: Mapping[str, str]

    def __init__(
        self,
        name: str,
        version: str | None = None,
        partitions: Mapping[str, str] | None = None,
        **partition_kwargs: str,
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "version", version)
        object.__setattr__(self, "partitions", {**(partitions or {}), **partition_kwargs})


@dataclass(frozen=True, slots=True)
class TriggeredArtifact:
    """Stands for the artifact that fired, among a trigger's inputs."""


@dataclass(frozen=True, slots=True)
class TriggeredPartition:
    """Stands for a partition of the artifact that fired, among a trigger's inputs."""

    key: str


Automation = Cron | FixedRate | OnArtifact


@dataclass(frozen=True, slots=True)
class Trigger:
    """A schedule of a task: `@env.task(triggers=Trigger("nightly", Cron("0 3 * * *")))`.

    Attributes:
        name: Unique among the triggers of the task.
        automation: When it fires.
        description: For people.
        auto_activate: Whether it is on once it is deployed.
        inputs: Inputs of its runs by name; `TriggerTime` stands for the time of the firing. The others take the
            task's defaults.
        env_vars: Environment variables of its runs.
        interruptible: Whether its runs may be on spot capacity.
        overwrite_cache: Whether its runs ignore what is cached.
        queue: Queue of its runs.
        max_action_concurrency: Actions at once in each of its runs.
        labels: Of its runs.
        annotations: Of its runs.
        notifications: Whom to tell of its runs.
        custom_context: Metadata of its runs.

    Raises:
        ValueError: it has no name.
        TypeError: the automation is none.
    """

    name: str
    automation: Automation | None = None
    description: str = ""
    auto_activate: bool = True
    inputs: Mapping[str, Any] | None = None
    env_vars: Mapping[str, str] | None = None
    interruptible: bool | None = None
    overwrite_cache: bool = False
    queue: str | None = None
    max_action_concurrency: int | None = None
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None
    notifications: object = None
    custom_context: Mapping[str, str] | None = field(default=None)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("Trigger(name='') has no name; give one that no other trigger of the task has")
        if self.automation is not None and not isinstance(self.automation, Automation):
            raise TypeError(
                f"Trigger({self.name!r}): automation={self.automation!r} is no Cron, FixedRate or OnArtifact"
            )

    @classmethod
    def minutely(
        cls, trigger_time_input_key: str | None = None, *, name: str = "minutely", **settings: Any
    ) -> Self:
        """Fire every minute; the key names the parameter that gets the time of the firing."""
        return cls._at("* * * * *", trigger_time_input_key, name, settings)

    @classmethod
    def hourly(
        cls, trigger_time_input_key: str | None = None, *, name: str = "hourly", **settings: Any
    ) -> Self:
        """Fire at every full hour."""
        return cls._at("0 * * * *", trigger_time_input_key, name, settings)

    @classmethod
    def daily(cls, trigger_time_input_key: str | None = None, *, name: str = "daily", **settings: Any) -> Self:
        """Fire at midnight."""
        return cls._at("0 0 * * *", trigger_time_input_key, name, settings)

    @classmethod
    def weekly(
        cls, trigger_time_input_key: str | None = None, *, name: str = "weekly", **settings: Any
    ) -> Self:
        """Fire at midnight before Sunday."""
        return cls._at("0 0 * * 0", trigger_time_input_key, name, settings)

    @classmethod
    def monthly(
        cls, trigger_time_input_key: str | None = None, *, name: str = "monthly", **settings: Any
    ) -> Self:
        """Fire at midnight before the first day of a month."""
        return cls._at("0 0 1 * *", trigger_time_input_key, name, settings)

    @classmethod
    def _at(cls, expression: str, time_key: str | None, name: str, settings: dict[str, Any]) -> Self:
        inputs = dict(settings.pop("inputs", None) or {})
        if time_key is not None:
            inputs[time_key] = TriggerTime
        return cls(name, Cron(expression, settings.pop("timezone", "UTC")), inputs=inputs or None, **settings)


def check_triggers(triggers: tuple[object, ...], task: str, parameters: Mapping[str, object]) -> None:
    """Check what `triggers=` of a task holds.

    Raises:
        TypeError: something is no trigger.
        ValueError: two have one name, or an input names no parameter of the task.
    """
    names: set[str] = set()
    for trigger in triggers:
        if not isinstance(trigger, Trigger):
            raise TypeError(f"task {task!r}: triggers= holds {trigger!r}, which is no Trigger")
        if trigger.name in names:
            raise ValueError(f"task {task!r} has two triggers of the name {trigger.name!r}")
        names.add(trigger.name)
        unknown = sorted(set(trigger.inputs or {}) - set(parameters))
        if unknown:
            raise ValueError(
                f"task {task!r}: trigger {trigger.name!r} has an input {unknown[0]!r}, no parameter"
            )
