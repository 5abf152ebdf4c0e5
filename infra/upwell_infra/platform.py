"""The platform: everything that exists once per stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from upwell._core.keys import DEFAULT_POOL, EVENTS, LOST_CHANGES, WORK_SENT
from upwell_infra import permissions
from upwell_infra.alarm_props import AlarmProps
from upwell_infra.bucket import BlobBucket, Retention
from upwell_infra.deployment import CodeLocation, Deployment
from upwell_infra.executors import LambdaExecutor
from upwell_infra.function import RuntimeFunction
from upwell_infra.grants import Grant, acknowledge
from upwell_infra.machine import RunMachine
from upwell_infra.monitoring import Monitoring
from upwell_infra.network import Network
from upwell_infra.pool import Pool, PoolProps
from upwell_infra.queue_pair import DEAD_LETTERS_TIMEOUT_S, private_queue
from upwell_infra.run_api import LONGEST_ANSWER_S, RunApi
from upwell_infra.stage import Stage, tag_component
from upwell_infra.tables import Tables

FOLD_BATCH = 1000
"""Records of the actions' stream that are folded at once: a batch reads and writes each lane of a run once."""
FOLD_WINDOW_S = 1
"""How long they are gathered; views are behind by as much."""
AGGREGATE_BATCH = 5000
"""Records that are folded into aggregates at once."""
AGGREGATE_WINDOW_S = 15
"""How long these are gathered: each of a run's lanes is some write units, however much happened."""
AGGREGATE_MIB = 1024
CHANGE_AGE_S = 6 * 3600
"""A change that could not be counted for so long is given up: those behind it in its shard go on."""
RUN_API_MIB = 1769
"""One vCPU: for profile and cost it reads whole runs."""
SWEEP_TIMEOUT_S = 300
"""Of one sweep; the next one goes on with what it leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformProps:
    """What can be chosen about a platform.

    Args:
        code: Where functions and workers get their code.
        stage: The stage; it gives names and says what outlives the stack.
        retention: After how long values, files, kept results and code expire.
        vpc: An existing VPC with public subnets for the workers, instead of a small new one.
        default_pool: The executors of environments that ask for nothing special.
        alarms: Which alarms there are, and whom they tell; None takes what is usual in the stage.
        log_level: The least level of what the platform logs of itself.
        traces: Whether functions send traces to X-Ray, with the id of the run.
        run_api: Whether the Run API is there, for who may call it by IAM.
    """

    code: CodeLocation
    stage: Stage
    retention: Retention = field(default_factory=Retention)
    vpc: ec2.IVpc | None = None
    default_pool: LambdaExecutor = field(default_factory=LambdaExecutor)
    alarms: AlarmProps | None = None
    log_level: str = "INFO"
    traces: bool = False
    run_api: bool = False


class Platform(Construct):
    """Tables, bucket, state machine, its functions, the network of workers and the default pool."""

    def __init__(self, scope: Construct, construct_id: str, *, props: PlatformProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self.stage = props.stage
        self.network = Network(self, "Network", vpc=props.vpc)
        self.deployment = Deployment(
            prefix=props.stage.prefix,
            code=props.code,
            subnet_ids=self.network.subnet_ids,
            security_group_id=self.network.security_group.security_group_id,
            alarms=props.alarms or AlarmProps(enabled=props.stage.alarms),
            log_level=props.log_level,
            traces=props.traces,
        )
        prefix = self.deployment.prefix
        self.tables = Tables(self, "Tables", prefix=prefix, stage=self.stage)
        self.blobs = BlobBucket(
            self,
            "Blobs",
            name=self.deployment.bucket,
            stage=self.stage,
            retention=props.retention,
        )
        self.machine = RunMachine(self, "Run", deployment=self.deployment, stage=self.stage)
        self.cluster = ecs.CfnCluster(self, "Cluster", cluster_name=prefix)
        acknowledge(self.cluster, "ECS4", "Container Insights bill per task; workers log, queues show the load")
        # Nothing works it off: who looks at its messages hides them from nobody.
        self.lost_changes = private_queue(self, "LostChanges", name=f"{prefix}-{LOST_CHANGES}", visibility_s=0)
        acknowledge(self.lost_changes, "SQS3", "what is given up ends there, and an alarm tells of it")
        tag_component(self.lost_changes, "fold")
        self.fold = self._fold()
        self.aggregate = self._aggregate()
        self.dead_letters = self._function(
            "dead-letters",
            permissions.dead_letters_grants(self.deployment),
            "fails the actions of dead letters and wakes their parents",
            timeout_s=DEAD_LETTERS_TIMEOUT_S,
        )
        self.run_ended = self._run_ended()
        self.scale = self._scale()
        self.sweep = self._sweep()
        self.default_pool = Pool(
            self,
            "DefaultPool",
            props=PoolProps(
                deployment=self.deployment, stage=self.stage, name="default", executor=props.default_pool
            ),
        )
        # The mapping of its dead letters is refused until that function and its permissions exist.
        self.default_pool.queues.node.add_dependency(self.dead_letters)
        self.run_api = self._run_api() if props.run_api else None
        self._monitoring()

    def _function(
        self,
        name: str,
        grants: list[Grant],
        purpose: str,
        *,
        timeout_s: int = 60,
        memory_mib: int = 512,
    ) -> RuntimeFunction:
        function = RuntimeFunction(
            self,
            "".join(word.capitalize() for word in name.split("-")),
            name=f"{self.deployment.prefix}-{name}",
            description=f"upwell: {purpose}",
            module=name.replace("-", "_"),
            code=self._props.code,
            stage=self.stage,
            environment=self.deployment.settings().to_env(),
            grants=grants,
            traces=self.deployment.traces,
            timeout_s=timeout_s,
            memory_mib=memory_mib,
        )
        tag_component(function, name)
        return function

    def _fold(self) -> RuntimeFunction:
        fold = self._function(
            "fold", permissions.fold_grants(self.deployment), "folds action records into views of runs"
        )
        self._read_stream("FoldStream", fold, batch=FOLD_BATCH, window_s=FOLD_WINDOW_S)
        return fold

    def _aggregate(self) -> RuntimeFunction:
        aggregate = self._function(
            "aggregate",
            permissions.fold_grants(self.deployment),
            "folds action records into aggregates of runs",
            memory_mib=AGGREGATE_MIB,
        )
        self._read_stream("AggregateStream", aggregate, batch=AGGREGATE_BATCH, window_s=AGGREGATE_WINDOW_S)
        return aggregate

    def _read_stream(self, name: str, reader: RuntimeFunction, *, batch: int, window_s: int) -> None:
        lambda_.CfnEventSourceMapping(
            self,
            name,
            event_source_arn=self.tables.actions.table_stream_arn,
            function_name=reader.function.function_name,
            starting_position="TRIM_HORIZON",
            batch_size=batch,
            maximum_batching_window_in_seconds=window_s,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=CHANGE_AGE_S,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=self.lost_changes.queue_arn
                )
            ),
        )

    def _run_ended(self) -> RuntimeFunction:
        run_ended = self._function(
            "run-ended", permissions.run_ended_grants(self.deployment), "records runs that were ended"
        )
        events.Rule(
            self,
            "RunEndedRule",
            rule_name=f"{self.deployment.prefix}-run-ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["ABORTED", "TIMED_OUT", "FAILED"],
                    "stateMachineArn": [self.deployment.state_machine_arn],
                },
            ),
            targets=[targets.LambdaFunction(run_ended.function)],
        )
        return run_ended

    def _scale(self) -> RuntimeFunction:
        scale = self._function(
            "scale", permissions.scale_grants(self.deployment), "sizes worker pools from their backlog"
        )
        events.Rule(
            self,
            "ScaleRule",
            rule_name=f"{self.deployment.prefix}-scale",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(scale.function)],
        )
        self._scale_at_once(scale)
        return scale

    def _scale_at_once(self, scale: RuntimeFunction) -> None:
        """Have the scaler look at a pool when it was sent work: by the engine, or as the root of a run."""
        prefix = self.deployment.prefix
        events.Rule(
            self,
            "WorkSentRule",
            rule_name=f"{prefix}-work-sent",
            event_pattern=events.EventPattern(
                source=[EVENTS], detail_type=[WORK_SENT], detail={"prefix": [prefix]}
            ),
            targets=[targets.LambdaFunction(scale.function)],
        )
        events.Rule(
            self,
            "RunStartedRule",
            rule_name=f"{prefix}-run-started",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["RUNNING"],
                    "stateMachineArn": [self.deployment.state_machine_arn],
                    # Nobody scales the default pool, where most runs begin.
                    "input": [{"anything-but": {"wildcard": f'*/{prefix}-{DEFAULT_POOL}"*'}}],
                },
            ),
            targets=[targets.LambdaFunction(scale.function)],
        )

    def _sweep(self) -> RuntimeFunction:
        sweep = self._function(
            "sweep",
            permissions.sweep_grants(self.deployment),
            "puts right what is overdue in runs",
            timeout_s=SWEEP_TIMEOUT_S,
        )
        events.Rule(
            self,
            "SweepRule",
            rule_name=f"{self.deployment.prefix}-sweep",
            schedule=events.Schedule.rate(Duration.minutes(self.stage.sweep_minutes)),
            targets=[targets.LambdaFunction(sweep.function)],
        )
        return sweep

    def _run_api(self) -> RunApi:
        function = self._function(
            "run-api",
            permissions.run_api_grants(self.deployment),
            "answers requests to the Run API",
            timeout_s=LONGEST_ANSWER_S,
            memory_mib=RUN_API_MIB,
        )
        name = f"{self.deployment.prefix}-run-api"
        return RunApi(self, "Api", name=name, function=function, stage=self.stage)

    def _monitoring(self) -> None:
        functions = {
            "fold": self.fold.function,
            "aggregate": self.aggregate.function,
            "dead-letters": self.dead_letters.function,
            "run-ended": self.run_ended.function,
            "scale": self.scale.function,
            "sweep": self.sweep.function,
        }
        if self.run_api is not None:
            functions["run-api"] = self.run_api.function
        Monitoring(
            self,
            "Monitoring",
            deployment=self.deployment,
            stage=self.stage,
            functions=functions,
            lost_changes=self.lost_changes,
        )
