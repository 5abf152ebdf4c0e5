"""`python -m upwell_infra.export`: write the templates that ship with the SDK."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App

from upwell_infra.templates import TEMPLATES

TEMPLATE_DIR = Path(__file__).resolve().parents[2] / "sdk" / "upwell" / "_aws" / "templates"
CONTEXT = {
    "aws:cdk:version-reporting": False,  # no resource that says which CDK made the template
    "aws:cdk:enable-path-metadata": False,
    "aws:cdk:enable-asset-metadata": False,
}


def synthesize() -> dict[str, dict[str, Any]]:
    """Return the templates by file name, without touching the files."""
    app = App(context=CONTEXT, analytics_reporting=False)
    stacks = {name: make(app).artifact_id for name, make in TEMPLATES.items()}
    assembly = app.synth()
    return {f"{name}.json": assembly.get_stack_artifact(artifact).template for name, artifact in stacks.items()}


def render(template: dict[str, Any]) -> str:
    """Return a template as the text of its file: stable under repeated export."""
    return json.dumps(template, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the templates, and say what was written."""
    TEMPLATE_DIR.mkdir(parents=True, exist_ok=True)
    for name, template in synthesize().items():
        (TEMPLATE_DIR / name).write_text(render(template), encoding="utf-8")
        print(TEMPLATE_DIR / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
