"""Permissions with their reasons: what a role may do, and why a resource is not named exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement of a policy.

    Args:
        sid: Id of the statement.
        actions: Exact actions.
        resources: ARNs; one with a `*` in it needs a reason.
        reason: Why a `*` is needed.
        conditions: Conditions of the statement.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    reason: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.wildcards and not self.reason:
            raise ValueError(f"grant {self.sid} covers {self.wildcards[0]}; name the resource or give a reason")

    @property
    def wildcards(self) -> list[str]:
        """The resources that are not named exactly."""
        return [resource for resource in self.resources if "*" in resource]

    def statement(self) -> iam.PolicyStatement:
        """Return the grant as a statement."""
        return iam.PolicyStatement(
            sid=self.sid,
            actions=list(self.actions),
            resources=list(self.resources),
            conditions=dict(self.conditions),
        )


def service_role(scope: Construct, construct_id: str, service: str, grants: Sequence[Grant]) -> iam.Role:
    """Return a role for an AWS service, with its permissions inside: it never exists without them.

    Args:
        scope: Where the role is put.
        construct_id: Id of the role's construct.
        service: The service that assumes it (`lambda`).
        grants: What it may do. Wildcards are acknowledged to cdk-nag with the grant's reason.
    """
    document = iam.PolicyDocument(statements=[grant.statement() for grant in grants])
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com"),
        inline_policies={"upwell": document},
    )
    for grant in grants:
        for resource in grant.wildcards:
            acknowledge(role, f"IAM5[Resource::{_finding(role, resource)}]", grant.reason)
    return role


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Tell cdk-nag why a rule of its AwsSolutions pack does not apply."""
    rule_id = f"AwsSolutions::AwsSolutions-{rule}"
    Validations.of(construct).acknowledge(Acknowledgment(id=rule_id, reason=reason))


def _finding(scope: IConstruct, resource: str) -> str:
    """Return a resource the way cdk-nag writes it: `arn:<AWS::Partition>:sqs:...`."""
    resolved = Stack.of(scope).resolve(resource)
    parts = resolved["Fn::Join"][1] if isinstance(resolved, dict) else [resolved]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
