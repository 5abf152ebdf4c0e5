"""The templates that ship with the SDK: the platform's, and one per kind of pool, parameterized."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import App, CfnCondition, CfnParameter, Fn, Stack, Token

from upwell_infra.deployment import CodeLocation, Deployment
from upwell_infra.platform import PlatformProps
from upwell_infra.pool import LambdaExecutor, WorkerExecutor
from upwell_infra.stacks import UpwellStack, add_platform, add_pool
from upwell_infra.stage import Stage

TEMPLATE_STAGE = "dev"
"""Stage of the shipped platform template; stages that keep their data are deployed with CDK."""


def platform_stack(app: App) -> Stack:
    """Return the stack of `platform.json`; its code is a parameter."""
    stage = Stage.of(TEMPLATE_STAGE)
    stack = UpwellStack(app, "platform", stage=stage, name=stage.prefix, purpose="platform")
    days = _number(stack, "DataRetentionDays", 30, "Values and files of runs are deleted after so many days")
    add_platform(stack, PlatformProps(code=_code(stack), stage=stage, data_retention_days=days))
    return stack


def pool_lambda_stack(app: App) -> Stack:
    """Return the stack of `pool-lambda.json`."""
    stack, deployment, pool = _pool_stack(app, "pool-lambda")
    limit = CfnParameter(
        stack, "MaxConcurrency", type="Number", default=0, description="Most invocations at a time; 0: no limit"
    )
    executor = LambdaExecutor(
        memory_mib=_number(stack, "MemoryMiB", 1769, "Memory of an executor"),
        timeout_s=_number(stack, "TimeoutS", 900, "Longest attempt, at most 900"),
        visibility_s=_number(stack, "VisibilityS", 5400, "Visibility timeout: six times TimeoutS"),
    )
    made = add_pool(stack, deployment, Stage.of(TEMPLATE_STAGE), pool, executor)
    limited = CfnCondition(
        stack, "HasMaxConcurrency", expression=Fn.condition_not(Fn.condition_equals(limit.value_as_string, "0"))
    )
    made.mapping.add_property_override(
        "ScalingConfig",
        {
            "Fn::If": [
                limited.logical_id,
                {"MaximumConcurrency": {"Ref": limit.logical_id}},
                {"Ref": "AWS::NoValue"},
            ]
        },
    )
    return stack


def pool_worker_stack(app: App) -> Stack:
    """Return the stack of `pool-worker.json`."""
    stack, deployment, pool = _pool_stack(app, "pool-worker")
    subnets = CfnParameter(stack, "SubnetIds", type="CommaDelimitedList", description="Subnets of the platform")
    group = CfnParameter(stack, "SecurityGroupId", type="String", description="Security group of the platform")
    deployment = Deployment(
        prefix=deployment.prefix,
        code=deployment.code,
        subnet_ids=subnets.value_as_list,
        security_group_id=group.value_as_string,
    )
    executor = WorkerExecutor(
        cpu_units=_number(stack, "CpuUnits", 1024, "CPU of a worker; 1,024 units are one vCPU"),
        memory_mib=_number(stack, "MemoryMiB", 2048, "Memory of a worker"),
        replicas_min=_number(stack, "ReplicasMin", 0, "Workers that are kept when there is nothing to do"),
        replicas_max=_number(stack, "ReplicasMax", 1, "Most workers"),
        concurrency=_number(stack, "Concurrency", 1, "Actions that a worker executes at a time"),
        scaledown_ttl_s=_number(stack, "ScaledownTtlS", 30, "A worker that is not needed goes after so long"),
        idle_ttl_s=_number(stack, "IdleTtlS", 300, "The pool goes to its minimum after so long without work"),
    )
    add_pool(stack, deployment, Stage.of(TEMPLATE_STAGE), pool, executor)
    return stack


TEMPLATES: dict[str, Callable[[App], Stack]] = {
    "platform": platform_stack,
    "pool-lambda": pool_lambda_stack,
    "pool-worker": pool_worker_stack,
}
"""File name (without `.json`) and what makes its stack."""


def _pool_stack(app: App, construct_id: str) -> tuple[Stack, Deployment, str]:
    stage = Stage.of(TEMPLATE_STAGE)
    stack = UpwellStack(app, construct_id, stage=stage, name=f"{stage.prefix}-{construct_id}", purpose="pool")
    prefix = CfnParameter(stack, "Prefix", type="String", default=stage.prefix, description="The platform's prefix")
    pool = CfnParameter(
        stack,
        "PoolName",
        type="String",
        description="Name of the pool",
        allowed_pattern="[a-z][a-z0-9-]{0,40}",
        constraint_description="lower-case letters, digits and hyphens, at most 41, a letter first",
    )
    return stack, Deployment(prefix=prefix.value_as_string, code=_code(stack)), pool.value_as_string


def _code(stack: Stack) -> CodeLocation:
    bucket = CfnParameter(stack, "CodeBucket", type="String", description="Bucket of the runtime's zip")
    key = CfnParameter(stack, "CodeKey", type="String", description="Key of the runtime's zip")
    return CodeLocation(bucket=bucket.value_as_string, key=key.value_as_string)


def _number(stack: Stack, name: str, default: float, description: str) -> float:
    parameter = CfnParameter(stack, name, type="Number", default=default, description=description)
    return float(Token.as_number(parameter.value_as_number))
