"""The folder that code bundles start at, where nothing says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.cache.stability import imported

from upwell._client.pools import root_dir_of

TASKS = """
import upwell
from elsewhere.decorators import twice
env = upwell.TaskEnvironment("placed")

@env.task
@twice
def report(x: int) -> int:
    return x
"""
DECORATORS = """
import functools

def twice(func):
    @functools.wraps(func)
    def call(x):
        return 2 * func(x)
    return call
"""


@pytest.mark.parametrize("file", ["flow.py", "pkg/__init__.py", "pkg/flow.py", "pkg/inner/__init__.py"])
def test_it_is_where_the_name_of_the_tasks_module_starts(file: str) -> None:
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    files = {file: TASKS, "elsewhere/decorators.py": DECORATORS, "tasks.py": f"from {module} import report\n"}
    with imported(files) as tasks:
        root = Path(tasks.__file__).resolve().parent  # type: ignore[attr-defined]  # a module
        assert root_dir_of(tasks.report, None) == root  # type: ignore[attr-defined]  # the program's
