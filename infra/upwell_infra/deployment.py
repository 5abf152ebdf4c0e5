"""What a pool must know of the platform it joins: names, and the ARNs that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws_cdk import Aws

from upwell._core.settings import Settings
from upwell_infra.alarm_props import AlarmProps

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLocation:
    """The zip with runtime, SDK and their dependencies, for Lambda functions and workers alike."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One platform, seen from its components.

    Every name is derived from `prefix`, so that components do not refer to each other's resources: there are no
    cycles inside a stack, and a pool's stack knows its platform by name. Strings may be CDK tokens.

    Args:
        prefix: Names of all resources start with it: `upwell-<stage>`.
        code: Where functions and workers get their code.
        subnet_ids: Public subnets in which workers run.
        security_group_id: Security group of workers; it lets nothing in.
        alarms: Which alarms there are, and whom they tell.
        log_level: The least level of what the platform logs of itself.
        traces: Whether functions send traces to X-Ray.
    """

    prefix: str
    code: CodeLocation
    subnet_ids: Sequence[str] = ()
    security_group_id: str = ""
    alarms: AlarmProps = field(default_factory=AlarmProps)
    log_level: str = "INFO"
    traces: bool = False

    @property
    def bucket(self) -> str:
        """Name of the platform's bucket."""
        return f"{self.prefix}-{Aws.ACCOUNT_ID}-{Aws.REGION}"

    @property
    def bucket_arn(self) -> str:
        """ARN of the platform's bucket."""
        return f"arn:{Aws.PARTITION}:s3:::{self.bucket}"

    @property
    def state_machine_name(self) -> str:
        """Name of the state machine of runs."""
        return f"{self.prefix}-run"

    @property
    def state_machine_arn(self) -> str:
        """ARN of the state machine of runs."""
        return regional_arn("states", f"stateMachine:{self.state_machine_name}")

    def table_arn(self, table: str) -> str:
        """Return the ARN of one of the platform's tables, given its short name (`actions`)."""
        return regional_arn("dynamodb", f"table/{self.prefix}-{table}")

    def queue_arn(self, pool: str) -> str:
        """Return the ARN of a pool's queue; `*` stands for every pool."""
        return regional_arn("sqs", f"{self.prefix}-{pool}")

    def function_arn(self, name: str) -> str:
        """Return the ARN of one of the platform's functions, given its short name (`fold`)."""
        return regional_arn("lambda", f"function:{self.prefix}-{name}")

    def service_arn(self, pool: str) -> str:
        """Return the ARN of a worker pool's service; `*` stands for every pool."""
        return regional_arn("ecs", f"service/{self.prefix}/{self.prefix}-{pool}")

    def task_arn(self, task: str) -> str:
        """Return the ARN of a worker's task; `*` stands for every task of the cluster."""
        return regional_arn("ecs", f"task/{self.prefix}/{task}")

    @property
    def cluster_arn(self) -> str:
        """ARN of the cluster of worker services."""
        return regional_arn("ecs", f"cluster/{self.prefix}")

    def settings(self, pool: str = "default") -> Settings:
        """Return what a component that serves `pool` is told about the deployment."""
        return Settings(
            prefix=self.prefix,
            bucket=self.bucket,
            state_machine_arn=self.state_machine_arn,
            queue_url_prefix=f"https://sqs.{Aws.REGION}.{Aws.URL_SUFFIX}/{Aws.ACCOUNT_ID}/{self.prefix}-",
            pool=pool,
            log_level=self.log_level,
            traces=int(self.traces),
        )


def regional_arn(service: str, resource: str) -> str:
    """Return the ARN of a resource of this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
