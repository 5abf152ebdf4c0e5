"""The templates that ship with the SDK: the platform's, and one per kind of pool, parameterized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aws_cdk import Acknowledgment, App, Aws, CfnCondition, CfnParameter, Fn, Stack, Tags, Validations

from upwell._core.keys import LOST_CHANGES
from upwell._core.limits import LAMBDA_MEMORY_MAX_MIB, LAMBDA_TIMEOUT_MAX_S
from upwell_infra.alarm_props import AlarmProps
from upwell_infra.bucket import Retention
from upwell_infra.deployment import LOG_LEVELS, CodeLocation, Deployment
from upwell_infra.executors import (
    POLLERS_MAX,
    POLLERS_MIN,
    POLLERS_MIN_MAX,
    LambdaExecutor,
    WorkerExecutor,
)
from upwell_infra.platform import PlatformProps
from upwell_infra.pool import NAME_PATTERN, Pool
from upwell_infra.stacks import UpwellStack, add_platform, add_pool
from upwell_infra.stage import STAGE_TAG, Stage

TEMPLATE_STAGE = "dev"
"""Stage of the shipped platform template; stages that keep their data are deployed with CDK."""


def platform_stack(app: App) -> Stack:
    """Return the stack of `platform.json`; its code is a parameter."""
    stage = Stage.of(TEMPLATE_STAGE)
    stack = UpwellStack(app, "platform", stage=stage, name=stage.prefix, purpose="platform")
    days = _number(
        stack, "DataRetentionDays", 30, 1, None, "Values and files of runs are deleted after so many days"
    )
    props = PlatformProps(
        code=_code(stack),
        stage=stage,
        retention=Retention(run_days=days),
    )
    add_platform(stack, props)
    return stack


def pool_lambda_stack(app: App) -> Stack:
    """Return the stack of `pool-lambda.json`."""
    stack, deployment, pool = _pool_stack(app, "pool-lambda")
    executor = LambdaExecutor(
        memory_mib=_number(stack, "MemoryMiB", 1769, 128, LAMBDA_MEMORY_MAX_MIB, "Memory of an executor"),
        timeout_s=_number(stack, "TimeoutS", 900, 1, LAMBDA_TIMEOUT_MAX_S, "Longest attempt, at most 900"),
        max_concurrency=_number(
            stack, "MaxConcurrency", 1000, 2, 1000, "Most invocations at a time, 2 to 1,000"
        ),
    )
    _provision_pollers(stack, add_pool(stack, deployment, Stage.of(TEMPLATE_STAGE), pool, executor))
    return stack


def _provision_pollers(stack: Stack, pool: Pool) -> None:
    """Let a parameter choose pollers of the pool's own over a maximum of invocations; Lambda takes one."""
    own = CfnParameter(
        stack,
        "ProvisionedPollers",
        type="String",
        default="false",
        allowed_values=["false", "true"],
        description="Keep pollers for bursts, billed by the hour; MaxConcurrency does not count then",
    )
    fewest = _number(stack, "PollersMin", 2, POLLERS_MIN, POLLERS_MIN_MAX, "Fewest pollers, if provisioned")
    most = _number(
        stack, "PollersMax", 20, POLLERS_MIN, POLLERS_MAX, "Most pollers, 10 invocations each at a time"
    )
    provisioned = CfnCondition(
        stack, "HasPollers", expression=Fn.condition_equals(own.value_as_string, "true")
    ).logical_id
    assert pool.mapping is not None
    pollers = {"MinimumPollers": fewest, "MaximumPollers": most}
    pool.mapping.add_property_override(
        "ProvisionedPollerConfig", Fn.condition_if(provisioned, pollers, Aws.NO_VALUE)
    )
    limit = {"MaximumConcurrency": stack.resolve(pool.mapping.scaling_config)["maximumConcurrency"]}
    pool.mapping.add_property_override("ScalingConfig", Fn.condition_if(provisioned, Aws.NO_VALUE, limit))


def pool_worker_stack(app: App) -> Stack:
    """Return the stack of `pool-worker.json`."""
    stack, deployment, pool = _pool_stack(app, "pool-worker")
    subnets = CfnParameter(stack, "SubnetIds", type="CommaDelimitedList", description="Subnets of the platform")
    group = CfnParameter(stack, "SecurityGroupId", type="String", description="Security group of the platform")
    deployment = replace(deployment, subnet_ids=subnets.value_as_list, security_group_id=group.value_as_string)
    executor = WorkerExecutor(
        cpu_units=_number(stack, "CpuUnits", 1024, 256, 16_384, "CPU of a worker; 1,024 units are one vCPU"),
        memory_mib=_number(stack, "MemoryMiB", 2048, 512, 122_880, "Memory of a worker"),
        replicas_min=_number(
            stack, "ReplicasMin", 0, 0, None, "Workers that are kept when there is nothing to do"
        ),
        replicas_max=_number(stack, "ReplicasMax", 1, 1, None, "Most workers"),
        concurrency=_number(stack, "Concurrency", 1, 1, None, "Actions that a worker executes at a time"),
        scaledown_ttl_s=_number(
            stack, "ScaledownTtlS", 30, 0, None, "A worker that is not needed goes after so long"
        ),
        idle_ttl_s=_number(
            stack, "IdleTtlS", 300, 0, None, "The pool goes to its minimum after so long without work"
        ),
    )
    add_pool(stack, deployment, Stage.of(TEMPLATE_STAGE), pool, executor)
    return stack


OVER_THE_STACK_S_OWN = 200
"""Priority of a tag; that of a tag without one is 100."""
TEMPLATES: dict[str, Callable[[App], Stack]] = {
    "platform": platform_stack,
    "pool-lambda": pool_lambda_stack,
    "pool-worker": pool_worker_stack,
}
"""File name (without `.json`) and what makes its stack."""


def _pool_stack(app: App, construct_id: str) -> tuple[Stack, Deployment, str]:
    stage = Stage.of(TEMPLATE_STAGE)
    stack = UpwellStack(app, construct_id, stage=stage, name=f"{stage.prefix}-{construct_id}", purpose="pool")
    prefix = CfnParameter(
        stack, "Prefix", type="String", default=stage.prefix, description="The platform's prefix"
    )
    stage_name = CfnParameter(
        stack, "StageName", type="String", default=stage.name, description="The platform's stage"
    )
    Tags.of(stack).add(STAGE_TAG, stage_name.value_as_string, priority=OVER_THE_STACK_S_OWN)
    pool = CfnParameter(
        stack,
        "PoolName",
        type="String",
        description="Name of the pool",
        allowed_pattern=NAME_PATTERN,
        constraint_description=(
            f"a letter, then letters, digits, - and _; at most 32; no -dead at the end, and not {LOST_CHANGES}"
        ),
    )
    deployment = Deployment(
        prefix=prefix.value_as_string, code=_code(stack), alarms=_alarms(stack), log_level=_log_level(stack)
    )
    return stack, deployment, pool.value_as_string


def _code(stack: Stack) -> CodeLocation:
    bucket = CfnParameter(stack, "CodeBucket", type="String", description="Bucket of the runtime's zip")
    key = CfnParameter(stack, "CodeKey", type="String", description="Key of the runtime's zip")
    return CodeLocation(bucket=bucket.value_as_string, key=key.value_as_string)


def _alarms(stack: Stack) -> AlarmProps:
    wanted = CfnParameter(
        stack,
        "Alarms",
        type="String",
        default="false",
        allowed_values=["false", "true"],
        description="Whether there are alarms; each costs $0.10 a month",
    )
    condition = CfnCondition(stack, "HasAlarms", expression=Fn.condition_equals(wanted.value_as_string, "true"))
    return AlarmProps(topic_arns=_alarm_topics(stack), condition=condition)


def _log_level(stack: Stack) -> str:
    level = CfnParameter(
        stack,
        "LogLevel",
        type="String",
        default="INFO",
        allowed_values=list(LOG_LEVELS),
        description="The least level of what the platform logs of itself",
    )
    return level.value_as_string


def _alarm_topics(stack: Stack) -> list[str]:
    topic = CfnParameter(
        stack,
        "AlarmTopicArn",
        type="String",
        default="",
        description="SNS topic that alarms notify; may be empty",
    )
    given = CfnCondition(
        stack, "HasAlarmTopic", expression=Fn.condition_not(Fn.condition_equals(topic.value_as_string, ""))
    )
    # The check takes the parameter's default, in a branch that is not taken then.
    Validations.of(stack).acknowledge(
        Acknowledgment(id="CloudFormation-Validate::F3033", reason="no action is set without a topic")
    )
    return [Fn.condition_if(given.logical_id, topic.value_as_string, Aws.NO_VALUE).to_string()]


def _number(stack: Stack, name: str, default: float, low: float, high: float | None, description: str) -> float:
    parameter = CfnParameter(
        stack,
        name,
        type="Number",
        default=default,
        min_value=low,
        max_value=high,
        description=description,
    )
    return parameter.value_as_number
