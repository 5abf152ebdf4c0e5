"""How one stage of the platform differs from another."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import RemovalPolicy, Tags
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from upwell._core.settings import resource_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage and what follows from it.

    Args:
        name: `dev`, `prod`, or any other name; resources are called `upwell-<name>-...`.
        retain: Whether data outlives the stack (tables, bucket, log groups) and tables refuse deletion.
        log_retention: How long logs are kept.
    """

    name: str
    retain: bool
    log_retention: logs.RetentionDays

    @classmethod
    def of(cls, name: str) -> Stage:
        """Return the policy of a stage: `prod` keeps its data, every other stage can be thrown away."""
        if name == "prod":
            return cls(name=name, retain=True, log_retention=logs.RetentionDays.THREE_MONTHS)
        return cls(name=name, retain=False, log_retention=logs.RetentionDays.TWO_WEEKS)

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
    Tags.of(construct).add("upwell:component", component)
