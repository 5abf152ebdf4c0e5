"""The bucket: code bundles, offloaded values, files of tasks."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from upwell._core.keys import DATA, VALUES
from upwell_infra.grants import acknowledge
from upwell_infra.stage import Stage, tag_component


class BlobBucket(Construct):
    """A private bucket; values and files expire, code does not.

    Args:
        name: Name of the bucket.
        stage: Decides whether the bucket outlives its stack.
        data_retention_days: After so many days values and files of a run are deleted.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, stage: Stage, data_retention_days: float
    ) -> None:
        super().__init__(scope, construct_id)
        expiring = [
            s3.LifecycleRule(
                id=f"expire-{prefix.rstrip('/')}",
                prefix=prefix,
                expiration=Duration.days(data_retention_days),
            )
            for prefix in (VALUES, DATA)
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
