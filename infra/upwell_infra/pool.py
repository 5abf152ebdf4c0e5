"""A pool: the executors of one environment, behind a queue."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Token, Tokenization
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from upwell._core.keys import LOST_CHANGES, execute_function
from upwell._core.settings import ENV_PREFIX
from upwell_infra.alarms import PoolAlarms
from upwell_infra.deployment import Deployment
from upwell_infra.errors import InfraError
from upwell_infra.executors import LambdaExecutor, WorkerExecutor
from upwell_infra.function import RuntimeFunction, visibility_for
from upwell_infra.permissions import executor_grants
from upwell_infra.queue_pair import QueuePair
from upwell_infra.stage import Stage, tag_component
from upwell_infra.worker import WorkerService

NAME_PATTERN = f"(?!.*-dead$)(?!{LOST_CHANGES}$)[A-Za-z][A-Za-z0-9_-]{{0,31}}"
"""Names of pools: a function `<prefix>-<pool>-execute` can have it, and no pool is another's dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolProps:
    """What can be chosen about a pool.

    Args:
        deployment: The platform that the pool joins.
        stage: Decides on retention and removal of the logs.
        name: Name of the pool: a letter, then letters, digits, `-` and `_`, at most 32 in all.
        executor: What executes its actions.

    Raises:
        InfraError: the name cannot be a pool's.
    """

    deployment: Deployment
    stage: Stage
    name: str
    executor: LambdaExecutor | WorkerExecutor

    def __post_init__(self) -> None:
        if not Token.is_unresolved(self.name) and not re.fullmatch(NAME_PATTERN, self.name):
            raise InfraError(
                f"{self.name!r} cannot be a pool's name: take a letter, then letters, digits, - and _, at most "
                f"32 in all, with no -dead at the end and other than {LOST_CHANGES}"
            )


class Pool(Construct):
    """A queue, its dead letters, and a Lambda function or a Fargate service that works it off.

    Attributes:
        role: What the pool's executors run as: grant it what your tasks need.
        queues: The queue and its dead letters.
        mapping: What hands the queue's messages to the function; None in a pool of workers.

    Example:
        >>> executor = WorkerExecutor(replicas_max=4, concurrency=2)  # doctest: +SKIP
        >>> props = PoolProps(deployment=platform.deployment, stage=stage, name="train", executor=executor)
        ... # doctest: +SKIP
        >>> table.grant_read_data(Pool(stack, "Train", props=props).role)  # doctest: +SKIP
    """

    def __init__(self, scope: Construct, construct_id: str, *, props: PoolProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._settings = props.deployment.settings(props.name)
        self.mapping: lambda_.CfnEventSourceMapping | None = None
        function: lambda_.IFunction | None = None
        if isinstance(props.executor, LambdaExecutor):
            self.queues = self._queues(visibility_for(props.executor.timeout_s))
            execute = self._function(props.executor)
            self.role, function = execute.role, execute.function
        else:
            self.queues = self._queues(self._settings.lease_s)
            self.role = self._service(props.executor).role
        if props.deployment.alarms.enabled:
            PoolAlarms(
                self,
                "Alarms",
                prefix=props.deployment.prefix,
                props=props.deployment.alarms,
                pool=props.name,
                queues=self.queues,
                function=function,
            )
        tag_component(self, "pool")

    def _queues(self, visibility_s: float) -> QueuePair:
        props = self._props
        return QueuePair(
            self, "Queues", deployment=props.deployment, pool=props.name, visibility_s=visibility_s
        )

    def _function(self, executor: LambdaExecutor) -> RuntimeFunction:
        props = self._props
        execute = RuntimeFunction(
            self,
            "Execute",
            name=execute_function(props.deployment.prefix, props.name),
            description=f"upwell: executes the actions of pool {props.name}",
            module="execute",
            code=props.deployment.code,
            stage=props.stage,
            environment=self._settings.to_env(),
            grants=executor_grants(props.deployment, props.name),
            timeout_s=executor.timeout_s,
            memory_mib=executor.memory_mib,
            snap_start=executor.snap_start,
            traces=props.deployment.traces,
        )
        mapping = self.mapping = lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            event_source_arn=self.queues.queue.queue_arn,
            function_name=execute.target,
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
        )
        if executor.max_concurrency is not None:
            mapping.scaling_config = lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=executor.max_concurrency
            )
        if executor.pollers_min is not None:
            mapping.provisioned_poller_config = lambda_.CfnEventSourceMapping.ProvisionedPollerConfigProperty(
                minimum_pollers=executor.pollers_min, maximum_pollers=executor.pollers_max
            )
        return execute

    def _service(self, executor: WorkerExecutor) -> WorkerService:
        props = self._props
        text = Tokenization.stringify_number
        concurrency = text(executor.concurrency)
        return WorkerService(
            self,
            "Worker",
            deployment=props.deployment,
            pool=props.name,
            stage=props.stage,
            environment={**self._settings.to_env(), f"{ENV_PREFIX}CONCURRENCY": concurrency},
            grants=executor_grants(props.deployment, props.name),
            cpu_units=text(executor.cpu_units),
            memory_mib=text(executor.memory_mib),
            scaling={
                "replicas-min": text(executor.replicas_min),
                "replicas-max": text(executor.replicas_max),
                "concurrency": concurrency,
                "scaledown-ttl-s": text(executor.scaledown_ttl_s),
                "idle-ttl-s": text(executor.idle_ttl_s),
            },
        )
