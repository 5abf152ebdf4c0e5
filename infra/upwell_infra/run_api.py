"""The Run API of a deployment: an HTTP API that IAM authorises, in front of one function."""

from __future__ import annotations

import json

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from upwell_infra.function import RuntimeFunction
from upwell_infra.stage import Stage, tag_component

METHODS = ("GET", "POST")
PATH = "/api/v1/{path+}"
LONGEST_ANSWER_S = 29
"""API Gateway waits 30 s."""
REQUESTS_PER_S, REQUESTS_AT_ONCE = 50, 100
LOGGED = {
    name: f"$context.{name}"
    for name in ("requestId", "requestTime", "httpMethod", "path", "status", "responseLatency", "error.message")
} | {"caller": "$context.identity.caller"}


class RunApi(Construct):
    """Routes requests that are signed by who may `execute-api:Invoke` to the function; all others get 403.

    Args:
        name: Of the API.
        function: Answers.
        stage: Decides on retention and removal of the access log.

    Attributes:
        function: The function itself.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, name: str, function: RuntimeFunction, stage: Stage
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = function.function
        self.api = apigateway.CfnApi(self, "Api", name=name, protocol_type="HTTP")
        integration = apigateway.CfnIntegration(
            self,
            "Function",
            api_id=self.api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.function.function_arn,
            payload_format_version="2.0",
        )
        for method in METHODS:
            apigateway.CfnRoute(
                self,
                f"Route{method.capitalize()}",
                api_id=self.api.ref,
                route_key=f"{method} {PATH}",
                authorization_type="AWS_IAM",
                target=f"integrations/{integration.ref}",
            )
        self._stage(name, stage)
        lambda_.CfnPermission(
            self,
            "MayInvoke",
            action="lambda:InvokeFunction",
            function_name=function.function.function_name,
            principal="apigateway.amazonaws.com",
            source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self.api.ref}/*",
        )
        CfnOutput(self, "Url", value=f"{self.api.attr_api_endpoint}/api/v1", description="The Run API")
        tag_component(self, "run-api")

    def _stage(self, name: str, stage: Stage) -> None:
        log = logs.LogGroup(
            self,
            "Access",
            log_group_name=f"/aws/vendedlogs/apis/{name}",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps(LOGGED)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_PER_S, throttling_burst_limit=REQUESTS_AT_ONCE
            ),
        )
