"""The CDK app: the platform of a stage, and the pools named in the context of cdk.json."""

from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from upwell_infra.composition import compose

app = App()
compose(app, build_dir=Path(__file__).parent / "build")
Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
