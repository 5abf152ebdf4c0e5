"""What an import costs, counted in modules: seconds depend on the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "typer", "rich", "sqlite3", "pandas", "polars", "pyarrow", "aws_cdk", "pathspec")


def loaded_by(statements: str) -> set[str]:
    """Return the modules that statements load in a fresh interpreter."""
    code = f"import sys\nbefore = set(sys.modules)\n{statements}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_next_to_nothing() -> None:
    loaded = loaded_by("import upwell")
    assert {m for m in loaded if m.startswith("upwell")} == {"upwell"}
    assert not loaded & {*HEAVY, "pydantic", "asyncio", "cloudpickle"}


@pytest.mark.parametrize(
    "names",
    ["TaskEnvironment", "trace", "map", "Resources, ReusePolicy, Image, Cache", "ctx, group, errors, logger"],
)
def test_names_for_writing_tasks_load_nothing_heavy(names: str) -> None:
    assert not loaded_by(f"from upwell import {names}") & set(HEAVY)


def test_defining_a_task_costs_little_more_than_pydantic() -> None:
    program = "import upwell\nenv = upwell.TaskEnvironment('a')\n@env.task\ndef f(x: int) -> int: return x"
    base = "import asyncio, ast, logging, pydantic\npydantic.TypeAdapter, pydantic.BaseModel"
    extra = loaded_by(program) - loaded_by(base)
    assert not extra & set(HEAVY)
    assert len(extra) < 150, sorted(extra)


def test_user_processes_are_forked_with_the_codecs_loaded() -> None:
    assert "upwell._types.codec" in loaded_by("import upwell_runtime.user.__main__")


def test_no_component_checks_a_schema_before_somebody_submits_a_deployed_task() -> None:
    handlers = ("aggregate", "dead_letters", "execute", "fold", "run_api", "run_ended", "scale", "sweep")
    loaded = loaded_by("\n".join(f"import upwell_runtime.handlers.{name}" for name in handlers))
    assert "upwell_runtime.handlers.run_api" in loaded
    assert not loaded & {"jsonschema", "referencing", "rpds"}
