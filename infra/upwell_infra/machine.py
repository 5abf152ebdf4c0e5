"""The state machine that holds a run's record in step with its execution."""

from __future__ import annotations

import json

from aws_cdk import Aws
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from upwell_infra.definition import run_definition
from upwell_infra.deployment import Deployment
from upwell_infra.grants import acknowledge, service_role
from upwell_infra.permissions import machine_grants
from upwell_infra.stage import Stage, tag_component


class RunMachine(Construct):
    """The STANDARD state machine `<prefix>-run`, logging errors and traced by X-Ray."""

    def __init__(self, scope: Construct, construct_id: str, *, deployment: Deployment, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/{deployment.state_machine_name}",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        role = service_role(self, "Role", "states", machine_grants(deployment))
        definition = run_definition(runs_table=f"{deployment.prefix}-runs", partition=Aws.PARTITION)
        # Not the L2 construct: it would add a second policy to the role, and a dependency on it.
        self.machine = sfn.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=deployment.state_machine_name,
            state_machine_type="STANDARD",
            # Not Stack.to_json_string: it drops nulls, and `"ResultPath": null` means something.
            definition_string=json.dumps(definition),
            role_arn=role.role_arn,
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ERROR",
                include_execution_data=False,  # inputs and outcomes are the user's
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=self.log_group.log_group_arn
                        )
                    )
                ],
            ),
        )
        acknowledge(
            self.machine, "SF1", "errors are logged; every event would bill and show less than the run's tree"
        )
        tag_component(self, "runs")
