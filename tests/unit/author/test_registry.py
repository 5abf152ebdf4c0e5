from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped]  # it has no stubs
import pytest

from upwell import errors
from upwell._author.environment import TaskEnvironment
from upwell._author.registry import resolve, tasks_in
from upwell._types.main_module import importable_name

env = TaskEnvironment("registered")


@env.task
async def work(x: int) -> int:
    return x


class TestPickling:
    @pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
    def test_a_task_is_pickled_by_name(self, dumps: Any) -> None:
        data = dumps(work)
        assert pickle.loads(data) is work
        assert len(data) < 300

    def test_overrides_are_kept(self) -> None:
        restored = pickle.loads(pickle.dumps(work.override(short_name="late", retries=3)))
        assert (restored.short_name, restored.retries, restored.func) == ("late", 3, work.func)

    def test_a_copy_is_the_task(self) -> None:
        assert copy.deepcopy(work) is work


class TestResolving:
    def test_tasks_are_found_by_module_and_name(self) -> None:
        assert resolve(__name__, "registered.work") is work
        assert tasks_in(__name__)["registered.work"] is work

    def test_a_misspelt_name_gets_a_suggestion(self) -> None:
        with pytest.raises(errors.TaskNotFoundError, match=r"did you mean 'registered\.work'"):
            resolve(__name__, "registered.wrok")

    def test_a_missing_module_says_where_to_look(self) -> None:
        with pytest.raises(errors.TaskNotFoundError, match="root_dir"):
            resolve("no_such_module_at_all", "a.b")

    def test_an_import_error_inside_the_module_passes_through(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "module_with_a_gap.py").write_text("import no_such_dependency_at_all\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="no_such_dependency_at_all"):
            resolve("module_with_a_gap", "a.b")

    def test_a_module_is_imported_when_it_is_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "module_with_a_task.py").write_text(PROGRAM)
        monkeypatch.syspath_prepend(tmp_path)
        assert resolve("module_with_a_task", "script.hello").forward() == "hello"


PROGRAM = """
import upwell

env = upwell.TaskEnvironment("script")

@env.task
def hello() -> str:
    return "hello"
"""

MAIN = (
    PROGRAM
    + """
if __name__ == "__main__":
    import pickle, sys
    from pathlib import Path
    from upwell._author.registry import resolve
    from upwell._types.main_module import set_root_dir

    if len(sys.argv) > 2:
        set_root_dir(Path(sys.argv[2]))
    assert resolve(hello.module, hello.name) is hello
    assert pickle.loads(pickle.dumps(hello)) is hello
    print(hello.module)
    Path(sys.argv[1]).write_bytes(pickle.dumps(hello))
"""
)


class TestScripts:
    @pytest.mark.parametrize(("root", "module"), [(None, "flow"), ("", "pkg.flow"), ("elsewhere", "flow")])
    def test_a_tasks_module_is_named_by_its_file(self, tmp_path: Path, root: str | None, module: str) -> None:
        script = tmp_path / "pkg" / "flow.py"
        script.parent.mkdir()
        script.write_text(MAIN)
        arguments = [] if root is None else [str(tmp_path / root)]
        assert _run(script, tmp_path / "task.pickle", *arguments) == module

    def test_what_a_script_pickled_another_process_reads(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = tmp_path / "flow_of_a_script.py"
        script.write_text(MAIN)
        _run(script, tmp_path / "task.pickle")
        monkeypatch.syspath_prepend(tmp_path)
        assert pickle.loads((tmp_path / "task.pickle").read_bytes()).name == "script.hello"

    def test_other_modules_keep_their_names(self) -> None:
        assert importable_name("pkg.flow") == "pkg.flow"


def _run(script: Path, *arguments: object) -> str:
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
