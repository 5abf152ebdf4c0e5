"""What the components may do: exact actions on the platform's own resources."""

from __future__ import annotations

from aws_cdk import Aws

from upwell._core.keys import (
    BUNDLES,
    CACHE_BY_TASK,
    CACHED,
    DATA,
    EVENTS,
    HOLDS,
    LOST_CHANGES,
    RUNS_BY_LOOK,
    RUNS_BY_STATUS,
    RUNS_BY_TIME,
    TASKS,
    VALUES,
    VERSIONS,
    function_log_group,
    worker_log_group,
)
from upwell_infra.deployment import Deployment, regional_arn
from upwell_infra.grants import Grant

ANY_POOL = "a parent sends to the queues of pools that are added later"
OBJECTS = "names of objects are made at run time; the prefix is ours"
SECRETS = "secrets are made by people, later; those of this deployment begin with its prefix"
NO_RESOURCE = "the action knows no resource"


def executor_grants(deployment: Deployment, pool: str) -> list[Grant]:
    """Return what it takes to execute actions: their state, any pool's queue, blobs, the root's token."""
    return [
        *engine_grants(deployment),
        Grant(
            sid="Cache",
            actions=["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"],
            resources=[deployment.table_arn("cache")],
        ),
        Grant(
            sid="Holds",
            actions=["dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"],
            resources=[deployment.table_arn("runs")],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{HOLDS}*"]}},
        ),
        Grant(sid="Views", actions=["dynamodb:Query"], resources=[deployment.table_arn("runs")]),
        receive_grant(deployment.queue_arn(pool)),
        Grant(
            sid="ReadCode",
            actions=["s3:GetObject"],
            resources=_objects(deployment, BUNDLES),
            reason=OBJECTS,
        ),
        Grant(
            sid="Blobs",
            actions=["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
            resources=_objects(deployment, VALUES, CACHED, DATA, VERSIONS),
            reason=OBJECTS,
        ),
        Grant(
            sid="Secrets",
            actions=["secretsmanager:GetSecretValue"],
            resources=[regional_arn("secretsmanager", f"secret:{deployment.prefix}/*")],
            reason=SECRETS,
        ),
        # Without it S3 answers 403, not 404, for a blob that does not exist.
        Grant(sid="ListBlobs", actions=["s3:ListBucket"], resources=[deployment.bucket_arn]),
    ]


def engine_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to end an action: its record, its parent's journal and queue, the root's token."""
    return [
        _actions_grant(deployment),
        Grant(
            sid="Journal",
            actions=["dynamodb:Query", "dynamodb:BatchWriteItem"],
            resources=[deployment.table_arn("journal")],
        ),
        Grant(
            sid="SendToPools",
            actions=["sqs:SendMessage"],
            resources=[deployment.queue_arn("*")],
            reason=ANY_POOL,
        ),
        Grant(
            sid="TellScaler",
            actions=["events:PutEvents"],
            resources=[regional_arn("events", "event-bus/default")],
            conditions={"StringEquals": {"events:source": EVENTS}},
        ),
        Grant(
            sid="EndRuns",
            actions=["states:SendTaskSuccess", "states:SendTaskFailure"],
            resources=[deployment.state_machine_arn],
        ),
    ]


def _actions_grant(deployment: Deployment) -> Grant:
    """Return the permission to decide on actions: records are read in batches, and saved one by one."""
    return Grant(
        sid="Actions",
        actions=["dynamodb:BatchGetItem", "dynamodb:PutItem"],
        resources=[deployment.table_arn("actions")],
    )


def receive_grant(queue_arn: str, reason: str = "") -> Grant:
    """Return the permission to work off a queue."""
    return Grant(
        sid="Receive",
        actions=[
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
        ],
        resources=[queue_arn],
        reason=reason,
    )


def dead_letters_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to fail the actions of dead letters, and to repeat the end of one that has it."""
    remember = Grant(
        sid="Cache", actions=["dynamodb:BatchWriteItem"], resources=[deployment.table_arn("cache")]
    )
    dead = receive_grant(
        deployment.queue_arn("*-dead"), "it reads the dead letters of pools that are added later"
    )
    return [*engine_grants(deployment), remember, dead]


def sweep_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to find overdue actions of all runs, and to send, wake, end and tell of them."""
    return [
        *engine_grants(deployment),
        Grant(sid="ListActions", actions=["dynamodb:Query"], resources=[deployment.table_arn("actions")]),
        Grant(sid="Cache", actions=["dynamodb:BatchWriteItem"], resources=[deployment.table_arn("cache")]),
        Grant(
            sid="Runs",
            actions=["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            resources=[
                deployment.table_arn("runs"),
                f"{deployment.table_arn('runs')}/index/{RUNS_BY_LOOK}",
            ],
        ),
        _stop_grant(deployment),
        _backlog_grant(deployment),
    ]


def _stop_grant(deployment: Deployment) -> Grant:
    return Grant(
        sid="StopRun",
        actions=["states:StopExecution"],
        resources=[regional_arn("states", f"execution:{deployment.state_machine_name}:*")],
        reason="an execution is named after its run",
    )


def _backlog_grant(deployment: Deployment) -> Grant:
    return Grant(
        sid="Backlog",
        actions=["sqs:GetQueueAttributes"],
        resources=[deployment.queue_arn("*")],
        reason="it reads the backlog of pools that are added later",
    )


def fold_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to fold the stream of actions into views of runs."""
    return [
        Grant(
            sid="ReadStream",
            actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            resources=[f"{deployment.table_arn('actions')}/stream/*"],
            reason="a stream's name is the time at which it was made",
        ),
        Grant(sid="ListStreams", actions=["dynamodb:ListStreams"], resources=["*"], reason=NO_RESOURCE),
        Grant(
            sid="Views",
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[deployment.table_arn("runs")],
        ),
        Grant(sid="GiveUp", actions=["sqs:SendMessage"], resources=[deployment.queue_arn(LOST_CHANGES)]),
    ]


def run_ended_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to record a run that ended from outside, and to abort what it left open."""
    return [
        Grant(
            sid="RunRecord",
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[deployment.table_arn("runs")],
        ),
        _stop_grant(deployment),
        _actions_grant(deployment),
        Grant(sid="Journal", actions=["dynamodb:Query"], resources=[deployment.table_arn("journal")]),
    ]


def scale_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to set the size of worker services from the backlog of their queues."""
    return [
        Grant(
            sid="ListServices",
            actions=["ecs:ListServices"],
            resources=["*"],
            reason=f"{NO_RESOURCE}; the condition holds it to our cluster",
            conditions={"ArnEquals": {"ecs:cluster": deployment.cluster_arn}},
        ),
        Grant(
            sid="SizeServices",
            actions=["ecs:DescribeServices", "ecs:ListTagsForResource", "ecs:UpdateService"],
            resources=[deployment.service_arn("*")],
            reason="it sizes the services of pools that are added later",
        ),
        Grant(
            sid="Memory",
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[deployment.table_arn("runs")],
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["pool#*"]}},
        ),
        _backlog_grant(deployment),
    ]


def run_api_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to read all that a deployment has of runs, and to abort, recover and rerun them."""
    return [
        *engine_grants(deployment),
        *_run_records_grants(deployment),
        *_run_blobs_grants(deployment),
        Grant(
            sid="ReadLogs",
            actions=["logs:FilterLogEvents"],
            resources=[
                regional_arn("logs", f"log-group:{group(deployment.prefix, '*')}:*")
                for group in (function_log_group, worker_log_group)
            ],
            reason="it reads the lines of pools that are added later",
        ),
        Grant(sid="StartRun", actions=["states:StartExecution"], resources=[deployment.state_machine_arn]),
        _stop_grant(deployment),
        _backlog_grant(deployment),
    ]


def _run_records_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to list runs, actions and kept results, and to write the record of a run."""
    return [
        Grant(sid="ListActions", actions=["dynamodb:Query"], resources=[deployment.table_arn("actions")]),
        Grant(
            sid="Runs",
            actions=["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
            resources=[
                deployment.table_arn("runs"),
                f"{deployment.table_arn('runs')}/index/{RUNS_BY_TIME}",
                f"{deployment.table_arn('runs')}/index/{RUNS_BY_STATUS}",
            ],
        ),
        Grant(
            sid="Cache",
            actions=["dynamodb:Query", "dynamodb:Scan"],
            resources=[
                deployment.table_arn("cache"),
                f"{deployment.table_arn('cache')}/index/{CACHE_BY_TASK}",
            ],
        ),
    ]


def _run_blobs_grants(deployment: Deployment) -> list[Grant]:
    """Return what it takes to show values and reports, and to start runs of deployed tasks with inputs."""
    return [
        Grant(
            sid="ReadValues",
            actions=["s3:GetObject"],
            resources=_objects(deployment, VALUES, CACHED, f"{DATA}*/reports/", TASKS, BUNDLES),
            reason=OBJECTS,
        ),
        Grant(
            sid="WriteInputs",
            actions=["s3:PutObject"],
            resources=_objects(deployment, VALUES),
            reason=OBJECTS,
        ),
        # Without it S3 answers 403, not 404, for a blob that does not exist.
        Grant(sid="ListBlobs", actions=["s3:ListBucket"], resources=[deployment.bucket_arn]),
    ]


def machine_grants(deployment: Deployment) -> list[Grant]:
    """Return what the state machine of runs does itself, and what its logs and traces take."""
    return [
        Grant(
            sid="RunRecord",
            actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
            resources=[deployment.table_arn("runs")],
        ),
        Grant(
            sid="RootAction",
            actions=["sqs:SendMessage"],
            resources=[deployment.queue_arn("*")],
            reason="the root action of a run may belong to a pool that is added later",
        ),
        Grant(
            sid="RunEvent",
            actions=["events:PutEvents"],
            resources=[regional_arn("events", "event-bus/default")],
            conditions={"StringEquals": {"events:source": EVENTS}},
        ),
        Grant(
            sid="LogDelivery",
            actions=[
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ],
            resources=["*"],
            reason=NO_RESOURCE,
        ),
        Grant(
            sid="Traces",
            actions=[
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            resources=["*"],
            reason=NO_RESOURCE,
        ),
    ]


def protect_grant(deployment: Deployment) -> Grant:
    """Return the permission of a worker to keep its task from scale-in; ECS asks in the name of the task."""
    return Grant(
        sid="ProtectTask",
        actions=["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"],
        resources=[deployment.task_arn("*")],
        reason="a task is named when it starts; they are the tasks of our cluster",
    )


def fetch_runtime_grant(deployment: Deployment) -> Grant:
    """Return the permission to read the zip that workers run."""
    code = deployment.code
    return Grant(
        sid="FetchRuntime",
        actions=["s3:GetObject"],
        resources=[f"arn:{Aws.PARTITION}:s3:::{code.bucket}/{code.key}"],
    )


def _objects(deployment: Deployment, *prefixes: str) -> list[str]:
    return [f"{deployment.bucket_arn}/{prefix}*" for prefix in prefixes]
