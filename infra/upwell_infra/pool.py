"""A pool: the executors of one environment, behind a queue."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Tokenization
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from upwell._core.limits import LAMBDA_MIB_PER_VCPU, LAMBDA_TIMEOUT_MAX_S
from upwell._core.settings import ENV_PREFIX

from upwell_infra.deployment import Deployment
from upwell_infra.function import RuntimeFunction, visibility_for
from upwell_infra.permissions import executor_statements
from upwell_infra.queue_pair import QueuePair
from upwell_infra.stage import Stage, tag_component
from upwell_infra.worker import WorkerService


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaExecutor:
    """Ephemeral executors: one action per invocation of a Lambda function.

    Numbers may be CDK tokens; then `visibility_s` must be given.

    Args:
        memory_mib: Memory; 1,769 MiB is one vCPU.
        timeout_s: Longest attempt, at most 900 s.
        max_concurrency: Most invocations at a time, 2 to 1,000; None for the account's limit.
        visibility_s: The queue's visibility timeout; six times `timeout_s` by default.
    """

    memory_mib: float = LAMBDA_MIB_PER_VCPU
    timeout_s: float = LAMBDA_TIMEOUT_MAX_S
    max_concurrency: float | None = None
    visibility_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerExecutor:
    """Reusable executors: a Fargate service that the scaler sizes.

    Numbers may be CDK tokens.

    Args:
        cpu_units: 1,024 units are one vCPU.
        memory_mib: Memory of a worker; Fargate allows certain amounts per CPU size.
        replicas_min: Workers that are kept when there is nothing to do.
        replicas_max: Most workers.
        concurrency: Actions that one worker executes at a time.
        scaledown_ttl_s: A worker that is not needed goes after so long.
        idle_ttl_s: The pool goes to its minimum after so long without work.
    """

    cpu_units: float = 1024
    memory_mib: float = 2048
    replicas_min: float = 0
    replicas_max: float = 1
    concurrency: float = 1
    scaledown_ttl_s: float = 30
    idle_ttl_s: float = 300


class Pool(Construct):
    """A queue, its dead letters, and a Lambda function or a Fargate service that works it off.

    Args:
        deployment: The platform that the pool joins.
        stage: Decides on retention and removal of the logs.
        name: Name of the pool.
        executor: What executes its actions.

    Example:
        >>> pool = Pool(stack, "Train", deployment=platform.deployment, stage=Stage.of("dev"), name="train",
        ...             executor=WorkerExecutor(replicas_max=4, concurrency=2))  # doctest: +SKIP
        >>> table.grant_read_data(pool.role)  # doctest: +SKIP
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        stage: Stage,
        name: str,
        executor: LambdaExecutor | WorkerExecutor,
    ) -> None:
        super().__init__(scope, construct_id)
        self._deployment = deployment
        self._stage = stage
        self.name = name
        self.role: iam.Role
        """What the pool's executors run as: grant it what your tasks need."""
        if isinstance(executor, LambdaExecutor):
            self.role = self._lambda(executor)
        else:
            self.role = self._worker(executor)
        tag_component(self, "pool")

    def _lambda(self, executor: LambdaExecutor) -> iam.Role:
        visibility_s = executor.visibility_s
        if visibility_s is None:
            visibility_s = visibility_for(int(executor.timeout_s))
        self.queues = self._queues(visibility_s)
        execute = RuntimeFunction(
            self,
            "Execute",
            name=f"{self._deployment.prefix}-{self.name}-execute",
            description=f"upwell: executes the actions of pool {self.name}",
            module="execute",
            code=self._deployment.code,
            stage=self._stage,
            environment=self._deployment.settings(self.name).to_env(),
            statements=executor_statements(self._deployment, self.name),
            timeout_s=executor.timeout_s,
            memory_mib=executor.memory_mib,
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            event_source_arn=self.queues.queue.queue_arn,
            function_name=execute.function.function_name,
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
        )
        if executor.max_concurrency is not None:
            mapping.add_property_override("ScalingConfig.MaximumConcurrency", executor.max_concurrency)
        self.mapping = mapping
        return execute.role

    def _worker(self, executor: WorkerExecutor) -> iam.Role:
        settings = self._deployment.settings(self.name)
        self.queues = self._queues(settings.lease_s)
        concurrency = Tokenization.stringify_number(executor.concurrency)
        worker = WorkerService(
            self,
            "Worker",
            deployment=self._deployment,
            pool=self.name,
            stage=self._stage,
            environment={**settings.to_env(), f"{ENV_PREFIX}CONCURRENCY": concurrency},
            statements=executor_statements(self._deployment, self.name),
            cpu_units=Tokenization.stringify_number(executor.cpu_units),
            memory_mib=Tokenization.stringify_number(executor.memory_mib),
            scaling={
                "replicas-min": Tokenization.stringify_number(executor.replicas_min),
                "replicas-max": Tokenization.stringify_number(executor.replicas_max),
                "concurrency": concurrency,
                "scaledown-ttl-s": Tokenization.stringify_number(executor.scaledown_ttl_s),
                "idle-ttl-s": Tokenization.stringify_number(executor.idle_ttl_s),
            },
        )
        return worker.role

    def _queues(self, visibility_s: float) -> QueuePair:
        return QueuePair(
            self, "Queues", deployment=self._deployment, pool=self.name, visibility_s=visibility_s
        )
