"""The stacks, synthesized at most once per session, and the templates that ship with the SDK."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Template = dict[str, Any]
POOLS = {
    "warm": {"kind": "worker", "cpu_units": 2048, "memory_mib": 4096, "replicas_min": 1, "replicas_max": 4},
    "burst": {"kind": "lambda", "pollers_min": 5, "pollers_max": 100, "snap_start": True},
    "short": {"kind": "lambda", "timeout_s": 60, "memory_mib": 512, "max_concurrency": 20},
}
CONTEXT = {
    "upwell:stage": "prod",
    "upwell:alarm-topic-arns": ["arn:aws:sns:eu-central-1:123456789012:on-call"],
    "upwell:alarm-thresholds": {"failed_runs_percent": 25},
    "upwell:log-level": "WARNING",
    "upwell:traces": True,
    "upwell:pools": POOLS,
    "upwell:run-api": True,
}


@dataclass(frozen=True)
class Synthesis:
    """What one run of the CDK app made."""

    shipped: dict[str, Template]
    """By file name: the templates that ship with the SDK, as the constructs make them now."""
    stacks: dict[str, Template]
    """By stack name: a stage `prod` with the pools of `POOLS`."""
    validation: list[dict[str, Any]]
    """What cdk-nag and CDK's own validation found, by plugin."""
    assets: dict[str, Any]
    """Assets of the platform's stack."""


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Synthesize the shipped stacks and a whole `prod` stage in one go: starting Node is what takes time."""
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks

    from upwell_infra.composition import compose
    from upwell_infra.export import CONTEXT as EXPORT_CONTEXT
    from upwell_infra.templates import TEMPLATES

    out = tmp_path_factory.mktemp("cdk.out")
    app = App(context={**EXPORT_CONTEXT, **CONTEXT}, analytics_reporting=False, outdir=str(out))
    shipped = [make(app).artifact_id for make in TEMPLATES.values()]
    prefix = compose(app, tmp_path_factory.mktemp("build")).deployment.prefix
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as e:  # jsii's one type of exception
        if "ValidationFailed" not in str(e):
            raise
    templates = {path.name.removesuffix(".template.json"): _json(path) for path in out.glob("*.template.json")}
    return Synthesis(
        shipped={f"{name}.json": templates[name] for name in shipped},
        stacks={name: template for name, template in templates.items() if name.startswith(prefix)},
        validation=_json(out / "validation-report.json")["pluginReports"],
        assets=_json(out / f"{prefix}.assets.json"),
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def shipped() -> dict[str, Template]:
    """The templates of the package, by file name, as a client reads them."""
    folder = importlib.resources.files("upwell") / "_aws" / "templates"
    return {file.name: json.loads(file.read_text()) for file in folder.iterdir() if file.name.endswith(".json")}


@pytest.fixture(scope="session")
def resources_of(shipped: dict[str, Template]) -> Callable[[str, str], dict[str, dict[str, Any]]]:
    """Return the properties of a shipped template's resources of one type, by logical id."""

    def find(file: str, kind: str) -> dict[str, dict[str, Any]]:
        resources = shipped[file]["Resources"].items()
        return {name: found.get("Properties", {}) for name, found in resources if found["Type"] == kind}

    return find
