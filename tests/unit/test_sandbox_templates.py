import pytest

from upwell_runtime.sandbox.corrections import lifecycle_rule
from upwell_runtime.sandbox.intrinsics import Resolver
from upwell_runtime.sandbox.stacks import load_template, without_triggers
from upwell_runtime.sandbox.state import SandboxError


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        {"Prefix": "upwell-dev", "AWS::Region": "us-east-1"}, lambda logical_id, name: f"{logical_id}/{name}"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        ({"a": [{"Ref": "Prefix"}]}, {"a": ["upwell-dev"]}),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "Queue/Arn"),
        ({"Fn::GetAtt": "Queue.Arn"}, "Queue/Arn"),
        ({"Fn::Join": ["-", [{"Ref": "Prefix"}, "dead"]]}, "upwell-dev-dead"),
        ({"Fn::Sub": "${Prefix}-${AWS::Region}-${Queue.Arn}"}, "upwell-dev-us-east-1-Queue/Arn"),
    ],
)
def test_intrinsic_functions_are_evaluated(resolver: Resolver, value: object, expected: object) -> None:
    assert resolver.resolve(value) == expected


@pytest.mark.parametrize("value", [{"Ref": "Nowhere"}, {"Fn::ImportValue": "x"}])
def test_what_cannot_be_evaluated_is_named(resolver: Resolver, value: dict[str, str]) -> None:
    with pytest.raises(SandboxError, match=next(iter(value.values()))):
        resolver.resolve(value)


def test_a_lifecycle_rule_takes_the_shape_of_the_api() -> None:
    rule = {"Id": "expire", "Prefix": "values/", "Status": "Enabled", "ExpirationInDays": "30"}
    assert lifecycle_rule(rule) == {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": "values/"},
        "Expiration": {"Days": 30},
    }


def test_the_emulator_gets_mappings_and_schedules_switched_off() -> None:
    prepared = without_triggers(load_template("platform"))
    resources = list(prepared["Resources"].values())
    mappings = [r["Properties"] for r in resources if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    rules = [r["Properties"] for r in resources if r["Type"] == "AWS::Events::Rule"]
    assert mappings
    assert all(mapping["Enabled"] is False for mapping in mappings)
    assert {rule["State"] for rule in rules if "ScheduleExpression" in rule} == {"DISABLED"}
    assert {rule["State"] for rule in rules if "EventPattern" in rule} == {"ENABLED"}


def test_a_missing_template_is_an_error_that_names_the_command() -> None:
    with pytest.raises(SandboxError, match=r"upwell_infra\.export"):
        load_template("pool-quantum")
