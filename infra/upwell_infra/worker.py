"""A pool of warm Fargate workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Aws, CfnTag
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from upwell._core.keys import WORKER_CONTAINER, WORKER_LOG_PREFIX, worker_log_group
from upwell_infra.deployment import Deployment
from upwell_infra.function import write_logs
from upwell_infra.grants import Grant, acknowledge, service_role
from upwell_infra.permissions import fetch_runtime_grant, protect_grant
from upwell_infra.stage import Stage

IMAGE = "public.ecr.aws/lambda/python:3.11"
"""Public, has boto3 (in /var/runtime) and the very Python that Lambda runs."""
STOP_TIMEOUT_S = 120
"""Time to drain after SIGTERM; the most that Fargate gives."""
LOG_BUFFER = "25m"
"""Of what the log driver could not deliver yet; beyond that lines are lost."""
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")


class WorkerService(Construct):
    """A Fargate service `<prefix>-<pool>`; the scaler sets how many workers it has.

    Args:
        deployment: The platform.
        pool: Name of the pool.
        stage: Decides on retention and removal of the logs.
        environment: Environment variables of a worker, from `Settings.to_env()`.
        grants: What a worker may do.
        cpu_units: 1,024 units are one vCPU.
        memory_mib: Memory of a worker; Fargate allows certain amounts per CPU size.
        scaling: What the scaler reads from the service's tags.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        pool: str,
        stage: Stage,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
        cpu_units: str,
        memory_mib: str,
        scaling: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=worker_log_group(deployment.prefix, pool),
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        self.role = service_role(
            self, "Role", "ecs-tasks", [*grants, fetch_runtime_grant(deployment), protect_grant(deployment)]
        )
        starter = service_role(self, "ExecutionRole", "ecs-tasks", [write_logs(self.log_group)])
        name = f"{deployment.prefix}-{pool}"
        task = self._task(
            name,
            container=self._container(deployment, environment),
            starter=starter,
            cpu_units=cpu_units,
            memory_mib=memory_mib,
        )
        self.service = self._service(name, task, deployment, scaling)

    def _task(
        self,
        name: str,
        *,
        container: ecs.CfnTaskDefinition.ContainerDefinitionProperty,
        starter: iam.Role,
        cpu_units: str,
        memory_mib: str,
    ) -> ecs.CfnTaskDefinition:
        task = ecs.CfnTaskDefinition(
            self,
            "Task",
            family=name,
            cpu=cpu_units,
            memory=memory_mib,
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform=ecs.CfnTaskDefinition.RuntimePlatformProperty(
                cpu_architecture="X86_64", operating_system_family="LINUX"
            ),
            task_role_arn=self.role.role_arn,
            execution_role_arn=starter.role_arn,
            container_definitions=[container],
        )
        acknowledge(task, "ECS2", "the variables are names and tunables; secrets come from the task's role")
        return task

    def _service(
        self, name: str, task: ecs.CfnTaskDefinition, deployment: Deployment, scaling: Mapping[str, str]
    ) -> ecs.CfnService:
        return ecs.CfnService(
            self,
            "Service",
            service_name=name,
            cluster=deployment.prefix,
            task_definition=task.ref,
            # No desired count: a new service proves itself with one worker, and an update leaves the count
            # to the scaler; a number here would be set again by every update.
            launch_type="FARGATE",
            propagate_tags="SERVICE",
            deployment_configuration=ecs.CfnService.DeploymentConfigurationProperty(
                deployment_circuit_breaker=ecs.CfnService.DeploymentCircuitBreakerProperty(
                    enable=True, rollback=True
                ),
                minimum_healthy_percent=100,
                maximum_percent=200,
            ),
            network_configuration=ecs.CfnService.NetworkConfigurationProperty(
                awsvpc_configuration=ecs.CfnService.AwsVpcConfigurationProperty(
                    subnets=list(deployment.subnet_ids),
                    security_groups=[deployment.security_group_id],
                    assign_public_ip="ENABLED",
                )
            ),
            tags=[CfnTag(key=f"upwell:{key}", value=value) for key, value in scaling.items()],
        )

    def _container(
        self, deployment: Deployment, environment: Mapping[str, str]
    ) -> ecs.CfnTaskDefinition.ContainerDefinitionProperty:
        variables = {
            **environment,
            # boto3 reads the second name; programs in other SDKs' habits read the first.
            "AWS_REGION": Aws.REGION,
            "AWS_DEFAULT_REGION": Aws.REGION,
            "PYTHONUNBUFFERED": "1",  # what a task prints must not be lost with its worker
            "UPWELL_RUNTIME_BUCKET": deployment.code.bucket,
            "UPWELL_RUNTIME_KEY": deployment.code.key,
        }
        return ecs.CfnTaskDefinition.ContainerDefinitionProperty(
            name=WORKER_CONTAINER,
            image=IMAGE,
            essential=True,
            entry_point=["/var/lang/bin/python3.11", "-c", BOOTSTRAP.read_text(encoding="utf-8")],
            environment=[
                ecs.CfnTaskDefinition.KeyValuePairProperty(name=key, value=value)
                for key, value in variables.items()
            ],
            stop_timeout=STOP_TIMEOUT_S,
            log_configuration=ecs.CfnTaskDefinition.LogConfigurationProperty(
                log_driver="awslogs",
                options={
                    "awslogs-group": self.log_group.log_group_name,
                    "awslogs-region": Aws.REGION,
                    "awslogs-stream-prefix": WORKER_LOG_PREFIX,
                    "mode": "non-blocking",  # slow logs must not stop what renews leases
                    "max-buffer-size": LOG_BUFFER,
                },
            ),
        )
