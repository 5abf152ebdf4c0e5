"""The network of workers: public subnets, no way in, no NAT gateway."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from upwell_infra.grants import acknowledge
from upwell_infra.stage import tag_component


class Network(Construct):
    """A VPC that costs nothing while nothing runs.

    Workers get a public address to reach AWS's APIs; S3 and DynamoDB are reached over gateway endpoints,
    which are free. Nothing can connect to a worker: its security group has no ingress rule.

    Args:
        vpc: An existing VPC with public subnets, instead of a new one.
    """

    def __init__(self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc | None = None) -> None:
        super().__init__(scope, construct_id)
        self.vpc = vpc or self._small_vpc()
        self.security_group = ec2.SecurityGroup(
            self, "Workers", vpc=self.vpc, description="upwell workers: no ingress", allow_all_outbound=True
        )
        tag_component(self, "network")

    @property
    def subnet_ids(self) -> Sequence[str]:
        """The public subnets."""
        return [subnet.subnet_id for subnet in self.vpc.public_subnets]

    def _small_vpc(self) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=20)
            ],
            # Restricting it takes a custom resource with a function of its own; nothing of ours is in it.
            restrict_default_security_group=False,
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        acknowledge(vpc, "VPC7", "nothing listens in it; flow logs would bill for the workers' own requests")
        return vpc
