"""The stacks: a platform, and one per pool."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from aws_cdk import CfnOutput, CliCredentialsStackSynthesizer, Stack, Tags
from constructs import Construct

from upwell_infra.deployment import CodeLocation, Deployment
from upwell_infra.executors import LambdaExecutor, WorkerExecutor
from upwell_infra.package import source_hash
from upwell_infra.platform import Platform, PlatformProps
from upwell_infra.pool import Pool, PoolProps
from upwell_infra.stage import STAGE_TAG, Stage


class UpwellStack(Stack):
    """A stack with our tags, whose template can be deployed without any bootstrap role."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, name: str, purpose: str) -> None:
        assets = CliCredentialsStackSynthesizer()
        super().__init__(
            scope, construct_id, stack_name=name, description=f"upwell: {purpose}", synthesizer=assets
        )
        # The stack binds a copy, which jsii cannot tell from the original: bind that too, to add assets.
        assets.bind(self)
        self._assets = assets
        Tags.of(self).add(STAGE_TAG, stage.name)

    def packaged_code(self, build_dir: Path) -> CodeLocation:
        """Register the runtime's zip as an asset of the stack, and return where it will be.

        CDK builds it when it deploys the stack and the bucket of assets lacks it, so that synthesis needs
        neither network nor the zip: the asset is known by the hash of what goes in.

        Args:
            build_dir: Where the zip is kept between deployments.
        """
        command = [sys.executable, "-m", "upwell_infra.package", "--build-dir", str(build_dir.resolve())]
        location = self._assets.add_file_asset(
            source_hash=source_hash(), executable=command, display_name="upwell runtime"
        )
        return CodeLocation(bucket=location.bucket_name, key=location.object_key)


def add_platform(stack: Stack, props: PlatformProps) -> Platform:
    """Put a platform into a stack, with the outputs that clients and pools read."""
    platform = Platform(stack, "Platform", props=props)
    deployment = platform.deployment
    for_pools = {
        "Prefix": deployment.prefix,
        "StageName": props.stage.name,
        "CodeBucket": deployment.code.bucket,
        "CodeKey": deployment.code.key,
        "SubnetIds": ",".join(deployment.subnet_ids),
        "SecurityGroupId": deployment.security_group_id,
        "LogLevel": deployment.log_level,
        "Alarms": "true" if deployment.alarms.enabled else "false",
        "AlarmTopicArn": next(iter(deployment.alarms.topic_arns), ""),
    }
    CfnOutput(
        stack,
        "Settings",
        value=stack.to_json_string(deployment.settings().to_env()),
        description="What a client must know: environment variables, as JSON",
    )
    CfnOutput(stack, "Version", value=version("upwell"), description="The version of upwell that was deployed")
    CfnOutput(
        stack,
        "PoolParameters",
        value=stack.to_json_string(for_pools),
        description="Values for the parameters that a pool's template shares with others, as JSON",
    )
    return platform


def add_pool(
    stack: Stack, deployment: Deployment, stage: Stage, name: str, executor: LambdaExecutor | WorkerExecutor
) -> Pool:
    """Put a pool into a stack of its own."""
    props = PoolProps(deployment=deployment, stage=stage, name=name, executor=executor)
    pool = Pool(stack, "Pool", props=props)
    CfnOutput(stack, "QueueUrl", value=pool.queues.queue.queue_url, description="The pool's queue")
    CfnOutput(stack, "RoleArn", value=pool.role.role_arn, description="What the pool's executors run as")
    return pool
