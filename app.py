"""The CDK app: the platform of a stage, and the pools named in the context of cdk.json."""

import sys
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from upwell_infra.composition import compose
from upwell_infra.errors import InfraError

app = App()
try:
    compose(app, build_dir=Path(__file__).parent / "build")
except InfraError as e:
    sys.exit(f"cdk.json: {e}")
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
