"""A function of the runtime, with a role and a log group of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from upwell_infra.deployment import CodeLocation
from upwell_infra.grants import Grant, acknowledge, service_role
from upwell_infra.stage import Stage

HANDLERS = "upwell_runtime.handlers"
TRACES = Grant(
    sid="Traces",
    actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    resources=["*"],
    reason="the action knows no resource",
)


def visibility_for(timeout_s: float) -> float:
    """Return the visibility timeout for a queue that feeds a function: the function's own timeout.

    It is the least that AWS takes. AWS advises six times as much, so that a throttled batch is not delivered
    twice; here a second delivery does nothing, and a message whose executor died must not stay hidden for long.
    """
    return timeout_s


class RuntimeFunction(Construct):
    """A Lambda function whose handler is `upwell_runtime.handlers.<module>.handler`.

    Args:
        name: Full name of the function.
        module: Module of the handler.
        code: The zip.
        stage: Decides on retention and removal of the logs.
        environment: Environment variables, from `Settings.to_env()`.
        grants: What the function may do besides writing its log.
        timeout_s: Longest invocation.
        memory_mib: Memory; 1,769 MiB is one vCPU.
        snap_start: Start from a snapshot; on Python 3.12, the first that can.
        traces: Send traces to X-Ray.

    Attributes:
        target: What to invoke, by name: the function, or the alias of its version that has the snapshot.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        module: str,
        code: CodeLocation,
        stage: Stage,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
        timeout_s: float,
        memory_mib: float,
        description: str,
        snap_start: bool = False,
        traces: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        traced = [TRACES] if traces else []
        self.role = service_role(self, "Role", "lambda", [write_logs(self.log_group), *traced, *grants])
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_12 if snap_start else lambda_.Runtime.PYTHON_3_11,
            architecture=lambda_.Architecture.X86_64,
            handler=f"{HANDLERS}.{module}.handler",
            code=lambda_.Code.from_bucket(s3.Bucket.from_bucket_name(self, "Code", code.bucket), code.key),
            role=self.role,
            environment=dict(environment),
            timeout=Duration.seconds(timeout_s),
            memory_size=memory_mib,
            log_group=self.log_group,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        if traces:
            self._send_traces()
        self.target = self.function.function_name
        if snap_start:
            # A version for every change of the function; what the alias names is what runs.
            self.target = self.function.add_alias("live").function_arn
        acknowledge(self.function, "L1", "pickled values need the Python of the SDK's floor, 3.11, everywhere")

    def _send_traces(self) -> None:
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        # Not as an argument of the function: that adds a second policy to the role.
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")


def write_logs(group: logs.LogGroup) -> Grant:
    """Return the permission to write one log group."""
    return Grant(
        sid="Logs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
    )
