"""How one stage of the platform differs from another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Tags
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from upwell._core.settings import resource_prefix
from upwell_infra.errors import InfraError

STAGE_TAG, COMPONENT_TAG = "upwell:stage", "upwell:component"
NAME_PATTERN = "[a-z][a-z0-9-]{0,13}"
"""Names of stages: with a region's and an account's they fit into the name of a bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage and what follows from it.

    Args:
        name: `dev`, `prod`, or another name of at most 14 characters; resources are called `upwell-<name>-...`.
        retain: Whether data outlives the stack (tables, bucket, log groups) and tables refuse deletion.
        log_retention: How long logs are kept.
        sweep_minutes: How often overdue actions are looked for.
        alarms: Whether it has alarms, if nothing else is said.

    Raises:
        InfraError: the name cannot be a stage's.
    """

    name: str
    retain: bool
    log_retention: logs.RetentionDays
    sweep_minutes: int = 1
    alarms: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME_PATTERN, self.name):
            raise InfraError(
                f"{self.name!r} cannot be a stage: use at most 14 lower-case letters, digits and "
                f"hyphens, a letter first"
            )

    @classmethod
    def of(cls, name: str) -> Stage:
        """Return the policy of a stage: `prod` keeps its data, every other stage can be thrown away."""
        if name == "prod":
            return cls(name=name, retain=True, log_retention=logs.RetentionDays.THREE_MONTHS)
        return cls(
            name=name,
            retain=False,
            log_retention=logs.RetentionDays.TWO_WEEKS,
            sweep_minutes=2,
            alarms=False,
        )

    @property
    def prefix(self) -> str:
        """Prefix of the names of the stage's resources."""
        return resource_prefix(self.name)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of a stateful resource when its stack goes."""
        return RemovalPolicy.RETAIN if self.retain else RemovalPolicy.DESTROY


def tag_component(construct: IConstruct, component: str) -> None:
    """Mark everything under a construct as part of a component, for cost reports and searches."""
    Tags.of(construct).add(COMPONENT_TAG, component)
