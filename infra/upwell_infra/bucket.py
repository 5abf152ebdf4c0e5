"""The bucket: code bundles, offloaded values, files of tasks."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct

from upwell._core.keys import BUNDLES, CACHED, CODE, DATA, VALUES, VERSIONS
from upwell_infra.errors import InfraError
from upwell_infra.grants import acknowledge
from upwell_infra.stage import Stage, tag_component


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """After how many days blobs expire by themselves; None keeps them until `upwell gc` finds them unneeded.

    No run may last longer than what it uses is kept.

    Args:
        run_days: Values and files of runs. A kept result whose files have expired is computed anew.
        cached_days: Large kept results; one that has expired is computed anew.
        code_days: Code bundles and descriptions of code. What is used again counts as new.

    Raises:
        InfraError: a number of days is less than 1.
    """

    run_days: float | None = 30
    cached_days: float | None = None
    code_days: float | None = None

    def __post_init__(self) -> None:
        for name, days in (
            ("run_days", self.run_days),
            ("cached_days", self.cached_days),
            ("code_days", self.code_days),
        ):
            if days is not None and not Token.is_unresolved(days) and days < 1:
                raise InfraError(f"retention of {name}={days} is less than a day; give 1 or more, or None")

    @property
    def days_of(self) -> dict[str, float]:
        """Days by prefix, of those that expire."""
        given = {
            VALUES: self.run_days,
            DATA: self.run_days,
            CACHED: self.cached_days,
            BUNDLES: self.code_days,
            CODE: self.code_days,
            VERSIONS: self.code_days,
        }
        return {prefix: days for prefix, days in given.items() if days is not None}


class BlobBucket(Construct):
    """A private bucket; what a stage keeps for how long is its retention.

    Args:
        name: Name of the bucket.
        stage: Decides whether the bucket outlives its stack.
        retention: After how long blobs expire.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, stage: Stage, retention: Retention
    ) -> None:
        super().__init__(scope, construct_id)
        expiring = [
            s3.LifecycleRule(id=f"expire-{prefix.rstrip('/')}", prefix=prefix, expiration=Duration.days(days))
            for prefix, days in retention.days_of.items()
        ]
        abandoned = s3.LifecycleRule(
            id="abort-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=False,
            lifecycle_rules=[*expiring, abandoned],
            removal_policy=stage.removal_policy,
        )
        acknowledge(
            self.bucket, "S1", "only the account's own roles can read it; turn on CloudTrail for an audit"
        )
        tag_component(self, "blobs")
