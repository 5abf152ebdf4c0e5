"""What the CDK app makes: fresh, clean and complete."""

from __future__ import annotations

import json
from typing import Any

import pytest

from upwell_infra.export import TEMPLATE_DIR, render

pytestmark = pytest.mark.synth
STATEFUL = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup"}


def test_the_shipped_templates_are_what_the_constructs_make(synthesis: Any) -> None:
    stale = [
        name
        for name, template in synthesis.shipped.items()
        if (TEMPLATE_DIR / name).read_text(encoding="utf-8") != render(template)
    ]
    assert not stale, f"{', '.join(stale)} stale; run `python -m upwell_infra.export` and commit the result"


def test_the_shipped_templates_name_no_asset_and_no_bootstrap_role(synthesis: Any) -> None:
    text = json.dumps(synthesis.shipped)
    assert "cdk-hnb659fds" not in text
    assert "BootstrapVersion" not in text
    assert "AWS::CDK::Metadata" not in text


def test_cdk_nag_and_the_validation_of_cdk_find_nothing(synthesis: Any) -> None:
    found = [
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in synthesis.validation
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]
    assert found == []
    assert "AwsSolutions" in {plugin["pluginName"] for plugin in synthesis.validation}


def test_every_acknowledged_rule_has_a_reason(synthesis: Any) -> None:
    acknowledged = [v for plugin in synthesis.validation for v in plugin.get("suppressedViolations", [])]
    assert acknowledged
    assert all(len(violation["reason"].split()) > 3 for violation in acknowledged)


def test_prod_keeps_its_data_and_dev_can_be_thrown_away(synthesis: Any) -> None:
    def policies(template: dict[str, Any]) -> set[str]:
        return {r["DeletionPolicy"] for r in template["Resources"].values() if r["Type"] in STATEFUL}

    assert policies(synthesis.stacks["upwell-prod"]) == {"Retain"}
    assert policies(synthesis.shipped["platform.json"]) == {"Delete"}


def test_the_app_makes_one_stack_per_pool_of_the_context(synthesis: Any) -> None:
    pools = {"upwell-prod-pool-warm", "upwell-prod-pool-short", "upwell-prod-pool-burst"}
    assert set(synthesis.stacks) == {"upwell-prod", *pools}


def test_a_pool_with_pollers_and_snap_start_polls_for_the_version_with_the_snapshot(synthesis: Any) -> None:
    resources = synthesis.stacks["upwell-prod-pool-burst"]["Resources"]
    by_type = {resource["Type"]: (name, resource["Properties"]) for name, resource in resources.items()}
    function, properties = by_type["AWS::Lambda::Function"]
    assert properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert properties["Runtime"] == "python3.12"
    alias, named = by_type["AWS::Lambda::Alias"]
    assert named["FunctionVersion"] == {"Fn::GetAtt": [by_type["AWS::Lambda::Version"][0], "Version"]}
    assert by_type["AWS::Lambda::Version"][1]["FunctionName"] == {"Ref": function}
    (mapping,) = [
        r["Properties"]
        for r in resources.values()
        if r["Type"] == "AWS::Lambda::EventSourceMapping" and r["Properties"]["BatchSize"] == 1
    ]
    assert mapping["FunctionName"] == {"Ref": alias}
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 5, "MaximumPollers": 100}
    assert "ScalingConfig" not in mapping


def test_the_lambda_pool_s_template_takes_pollers_or_a_maximum(synthesis: Any) -> None:
    template = synthesis.shipped["pool-lambda.json"]
    (mapping,) = [
        r["Properties"]
        for r in template["Resources"].values()
        if r["Type"] == "AWS::Lambda::EventSourceMapping" and r["Properties"]["BatchSize"] == 1
    ]
    assert template["Parameters"]["ProvisionedPollers"]["Default"] == "false"
    condition, pollers, none = mapping["ProvisionedPollerConfig"]["Fn::If"]
    assert set(pollers) == {"MinimumPollers", "MaximumPollers"}
    assert mapping["ScalingConfig"]["Fn::If"] == [
        condition,
        none,
        {"MaximumConcurrency": {"Ref": "MaxConcurrency"}},
    ]
    assert none == {"Ref": "AWS::NoValue"}


def test_the_scaler_is_told_of_work_by_the_engine_and_by_the_start_of_a_run(synthesis: Any) -> None:
    rules = {
        r["Properties"]["Name"]: r["Properties"]
        for r in synthesis.shipped["platform.json"]["Resources"].values()
        if r["Type"] == "AWS::Events::Rule"
    }
    assert rules["upwell-dev-work-sent"]["EventPattern"] == {
        "source": ["upwell"],
        "detail-type": ["Work Sent"],
        "detail": {"prefix": ["upwell-dev"]},
    }
    started = rules["upwell-dev-run-started"]["EventPattern"]["detail"]
    assert started["status"] == ["RUNNING"]
    assert started["input"] == [{"anything-but": {"wildcard": '*/upwell-dev-default"*'}}]
    scaler = rules["upwell-dev-scale"]["Targets"][0]["Arn"]
    assert {str(rules[f"upwell-dev-{n}"]["Targets"][0]["Arn"]) for n in ("work-sent", "run-started")} == {
        str(scaler)
    }


def test_the_zip_is_built_when_it_is_published_not_when_the_app_is_synthesized(synthesis: Any) -> None:
    commands = [file["source"].get("executable") for file in synthesis.assets["files"].values()]
    assert [c[1:3] for c in commands if c] == [["-m", "upwell_infra.package"]]


def test_every_resource_that_can_be_tagged_names_stage_and_component(synthesis: Any) -> None:
    from aws_cdk.assertions import Match, Template

    platform = Template.from_json(synthesis.stacks["upwell-prod"])
    tags = [
        {"Key": "upwell:component", "Value": Match.any_value()},
        {"Key": "upwell:stage", "Value": "prod"},
    ]
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Lambda::Function"):
        platform.all_resources_properties(kind, {"Tags": Match.array_with(tags)})


def test_the_run_api_is_there_where_it_is_asked_for_and_takes_signed_requests_alone(synthesis: Any) -> None:
    def routes(template: Any) -> list[tuple[str, str]]:
        resources = [r for r in template["Resources"].values() if r["Type"] == "AWS::ApiGatewayV2::Route"]
        return sorted((r["Properties"]["RouteKey"], r["Properties"]["AuthorizationType"]) for r in resources)

    assert routes(synthesis.shipped["platform.json"]) == []
    expected = [("GET /api/v1/{path+}", "AWS_IAM"), ("POST /api/v1/{path+}", "AWS_IAM")]
    assert routes(synthesis.stacks["upwell-prod"]) == expected


def test_the_run_api_reads_of_the_files_of_tasks_their_reports_alone(synthesis: Any) -> None:
    (role,) = [
        resource["Properties"]
        for name, resource in synthesis.stacks["upwell-prod"]["Resources"].items()
        if name.startswith("PlatformRunApiRole")
    ]
    blobs = {
        statement["Sid"]: {arn["Fn::Join"][1][-1].lstrip("/") for arn in listed(statement["Resource"])}
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "s3:GetObject" in listed(statement["Action"]) or "s3:PutObject" in listed(statement["Action"])
    }
    assert blobs == {
        "ReadValues": {"values/*", "cached/*", "data/*/reports/*", "tasks/*", "bundles/*"},
        "WriteInputs": {"values/*"},
    }


def test_nobody_reads_logs_but_the_run_api_those_of_pools(synthesis: Any) -> None:
    readers = [
        (name, statement)
        for template in (*synthesis.stacks.values(), *synthesis.shipped.values())
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "logs:FilterLogEvents" in statement["Action"]
    ]
    ((name, statement),) = readers
    assert "RunApi" in name
    groups = [resource["Fn::Join"][1][-1] for resource in statement["Resource"]]
    assert groups == [":log-group:/aws/lambda/upwell-prod-*-execute:*", ":log-group:/upwell/upwell-prod/*:*"]


def test_a_worker_pool_is_a_fargate_service_that_the_scaler_can_size(synthesis: Any) -> None:
    from aws_cdk.assertions import Match, Template

    pool = Template.from_json(synthesis.stacks["upwell-prod-pool-warm"])
    pool.has_resource_properties(
        "AWS::ECS::Service",
        {
            "ServiceName": "upwell-prod-warm",
            "LaunchType": "FARGATE",
            "DesiredCount": Match.absent(),
            "Tags": Match.array_with(
                [
                    {"Key": "upwell:replicas-max", "Value": "4"},
                    {"Key": "upwell:replicas-min", "Value": "1"},
                ]
            ),
        },
    )
    pool.has_resource_properties("AWS::ECS::TaskDefinition", {"Cpu": "2048", "Memory": "4096"})
    pool.resource_count_is("AWS::ApplicationAutoScaling::ScalableTarget", 0)


def test_a_lambda_pool_hides_messages_for_the_timeout(synthesis: Any) -> None:
    from aws_cdk.assertions import Template

    pool = Template.from_json(synthesis.stacks["upwell-prod-pool-short"])
    pool.has_resource_properties("AWS::Lambda::Function", {"Timeout": 60, "MemorySize": 512})
    pool.has_resource_properties("AWS::SQS::Queue", {"QueueName": "upwell-prod-short", "VisibilityTimeout": 60})
    pool.has_resource_properties(
        "AWS::Lambda::EventSourceMapping", {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 20}}
    )


def test_alarms_notify_the_topics_of_the_context(synthesis: Any) -> None:
    from aws_cdk.assertions import Template

    topic = "arn:aws:sns:eu-central-1:123456789012:on-call"
    for name in synthesis.stacks:
        stack = Template.from_json(synthesis.stacks[name])
        stack.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": [topic]})


def listed(value: Any) -> list[Any]:
    """Return what a policy gives as one or as many."""
    return value if isinstance(value, list) else [value]
