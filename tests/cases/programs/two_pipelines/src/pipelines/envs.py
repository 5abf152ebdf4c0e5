"""The environments: one dependency group each."""

from pathlib import Path

import upwell

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def image(group: str) -> upwell.Image:
    return (
        upwell.Image.from_debian_base()
        .with_uv_project(pyproject_file=PYPROJECT, extra_args=f"--only-group {group}")
        .with_code_bundle()
    )


etl_env = upwell.TaskEnvironment("etl", image=image("etl"))
ml_env = upwell.TaskEnvironment("ml", image=image("ml"))
