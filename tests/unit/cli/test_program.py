"""Loading files of tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from upwell._cli.failures import ProgramError
from upwell._cli.program import find_task, load_program
from upwell.errors import TaskNotFoundError, UsageError

FLOW = """
import upwell

env = upwell.TaskEnvironment("one")
other = upwell.TaskEnvironment("two")

@env.task
def total(n: int) -> int:
    return n

def twice(n: int) -> int:
    return 2 * n

same = env.task(twice)
again = other.task(twice)

def plain() -> None: ...
"""


pytestmark = pytest.mark.usefixtures("folder")


def write(path: Path, text: str = FLOW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_is_a_module_of_its_folder(folder: Path) -> None:
    write(folder / "here" / "load_flow.py")
    program = load_program("here/load_flow.py")
    assert program.module.__name__ == "load_flow"
    assert program.root == folder / "here"
    assert sorted(program.tasks) == ["one.total", "one.twice", "two.twice"]
    assert find_task(program, "total").module == "load_flow"


def test_below_a_root_it_has_a_dotted_name(folder: Path) -> None:
    write(folder / "pack" / "__init__.py", "")
    write(folder / "pack" / "helper.py", "VALUE = 3\n")
    write(folder / "pack" / "flow.py", "from .helper import VALUE\n" + FLOW)
    program = load_program("pack/flow.py", folder)
    assert program.module.__name__ == "pack.flow"
    assert find_task(program, "one.total").module == "pack.flow"


def test_tasks_that_a_file_imports_are_its_own_too(folder: Path) -> None:
    write(folder / "tasks_of_it.py")
    write(folder / "uses_tasks.py", "from tasks_of_it import total\n")
    task = find_task(load_program("uses_tasks.py"), "total")
    assert task.module == "tasks_of_it"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("totl", "did you mean 'total'?"),
        ("nothing_like_it", "it has one.total"),
        ("twice", "several tasks 'twice'; say one.twice or two.twice"),
        ("plain", "'plain' in find_flow.py is not a task; decorate it with @env.task"),
        ("env", "has no task 'env'"),
    ],
)
def test_a_task_that_is_not_there_is_explained(folder: Path, name: str, message: str) -> None:
    write(folder / "find_flow.py")
    program = load_program("find_flow.py")
    with pytest.raises(TaskNotFoundError) as caught:
        find_task(program, name)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nowhere.py", "there is no file 'nowhere.py' in"),
        ("good_flow.p", "did you mean 'good_flow.py'?"),
        ("notes.txt", "is not a Python file"),
        (".", "is a folder"),
        ("json.py", "has the name of another module, 'json'"),
        ("dotted.name.py", "rename it"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(folder: Path, file: str, message: str) -> None:
    write(folder / "good_flow.py")
    write(folder / "notes.txt", "")
    write(folder / "json.py", "")
    write(folder / "dotted.name.py", "")
    with pytest.raises(UsageError) as caught:
        load_program(file)
    assert message in str(caught.value)


def test_a_file_must_be_below_the_root(folder: Path) -> None:
    write(folder / "one_flow.py")
    (folder / "elsewhere").mkdir()
    with pytest.raises(UsageError, match="not below --root-dir"):
        load_program("one_flow.py", folder / "elsewhere")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import not_installed_anywhere\n", "line 1: importing it raised ModuleNotFoundError"),
        ("x = 1\ndef f(:\n", "line 2: importing it raised SyntaxError"),
        ("\n\nraise SystemExit(3)\n", "line 3: importing it raised SystemExit: 3"),
    ],
)
def test_a_file_that_raises_says_where(folder: Path, code: str, message: str) -> None:
    write(folder / "broken_flow.py", code)
    with pytest.raises(ProgramError) as caught:
        load_program("broken_flow.py")
    assert message in str(caught.value)
    assert "_cli" not in caught.value.remote_traceback
    assert "importlib" not in caught.value.remote_traceback


def test_a_refused_declaration_is_wrong_usage(folder: Path) -> None:
    code = """import upwell
env = upwell.TaskEnvironment("x", reuse_policy=upwell.ReusePolicy(concurrency=4))

@env.task
def score() -> int:
    return 1
"""
    write(folder / "refused_flow.py", code)
    with pytest.raises(UsageError, match=r"refused_flow.py, line 4: .*concurrency=4"):
        load_program("refused_flow.py")
