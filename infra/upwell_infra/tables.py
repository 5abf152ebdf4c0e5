"""The four tables: action records, journals, runs and the cache."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from upwell._core.keys import CACHE_BY_TASK, RUNS_BY_LOOK, RUNS_BY_STATUS, RUNS_BY_TIME
from upwell_infra.stage import Stage, tag_component

TTL_ATTRIBUTE = "expires_at"


class Tables(Construct):
    """On-demand tables with point-in-time recovery.

    The cache has no sort key: a cache entry is read by its key alone, and listed by its index. Only actions are
    streamed: views of runs are folded from them.
    """

    def __init__(self, scope: Construct, construct_id: str, *, prefix: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._stage = stage
        self.actions = self._table("actions", sort_key=True, stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES)
        self.journal = self._table("journal", sort_key=True)
        self.runs = self._table("runs", sort_key=True)
        for index, partition in ((RUNS_BY_TIME, "listing"), (RUNS_BY_STATUS, "status")):
            self.runs.add_global_secondary_index(
                index_name=index,
                partition_key=_string(partition),
                sort_key=_string("created_at"),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        self.runs.add_global_secondary_index(
            index_name=RUNS_BY_LOOK,
            partition_key=_string("listing"),
            sort_key=dynamodb.Attribute(name="look_at", type=dynamodb.AttributeType.NUMBER),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        self.cache = self._table("cache", sort_key=False)
        self.cache.add_global_secondary_index(
            index_name=CACHE_BY_TASK,
            partition_key=_string("task_shard"),
            sort_key=dynamodb.Attribute(name="created_at", type=dynamodb.AttributeType.NUMBER),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["about"],
        )
        tag_component(self, "state")

    def _table(self, name: str, *, sort_key: bool, **props: Any) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name.capitalize(),
            table_name=f"{self._prefix}-{name}",
            partition_key=_string("pk"),
            sort_key=_string("sk") if sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=TTL_ATTRIBUTE,
            removal_policy=self._stage.removal_policy,
            deletion_protection=self._stage.retain,
            **props,
        )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
