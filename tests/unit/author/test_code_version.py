from __future__ import annotations

import importlib
import linecache
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.cache.programs import SHOP, Files
from bench.cache.stability import imported, version_in, write
from pydantic import BaseModel

from upwell._author.code_version.version import CodePart, CodeVersion
from upwell._author.code_version.walk import version_of

TASK = """
import upwell
env = upwell.TaskEnvironment("one")
{before}
@env.task(cache="auto")
def report(x: int) -> int:
    return {result}
"""


def program(result: str, before: str = "", **modules: str) -> Files:
    others = {f"{name.replace('__', '/')}.py": text for name, text in modules.items()}
    return {"tasks.py": TASK.format(result=result, before=before), **others}


def digest(result: str, before: str = "", **modules: str) -> str:
    return version_in(program(result, before, **modules)).digest


def parts(result: str, before: str = "", **modules: str) -> dict[str, CodePart]:
    return {p.name: p for p in version_in(program(result, before, **modules)).parts}


class TestParts:
    def test_the_task_comes_first_and_then_what_it_reaches(self) -> None:
        names = [p.name for p in version_in(SHOP).parts]
        assert names[0] == "tasks:report"
        assert {"shop.rates:tax", "shop.models:Base", "text:WIDTH", "tasks:child"} <= set(names)
        assert not {"tasks:unrelated", "envs:env", "shop.rates:forgotten", "shop.unused:Hint"} & set(names)
        assert len(names) == len(set(names))

    def test_a_part_has_its_text_without_comments_and_docstrings(self) -> None:
        part = parts("f(x)", 'def f(x):  # why\n    """Doc."""\n    return (x\n + 1)')["tasks:f"]
        assert (part.kind, part.source) == ("function", "def f(x):\n    return x + 1")

    def test_a_part_says_where_its_names_come_from(self) -> None:
        found = parts(
            "h.f(x)", "import helpers as h", helpers="import math as m\ndef f(x):\n    return m.sqrt(x)"
        )
        assert found["tasks:report"].source.startswith("# h.f is helpers:f\n")
        assert found["helpers:f"].source.startswith("# m.sqrt is math.sqrt\n")

    def test_of_a_large_piece_the_start_is_shown_and_all_of_it_counts(self) -> None:
        tables = [f"A = [{'1, ' * 20_000}{last}]" for last in (1, 2)]
        shown = [parts("A", table)["tasks:A"] for table in tables]
        assert len(shown[0].source) < 21_000
        assert shown[0].digest != shown[1].digest

    def test_deeply_nested_code(self) -> None:
        tables = [f"B = 1\nA = {'B + ' * 900}{last}" for last in (1, 2)]
        found = [parts("A", table) for table in tables]
        assert "tasks:B" in found[0]
        assert found[0]["tasks:A"].digest != found[1]["tasks:A"].digest

    def test_kinds(self) -> None:
        before = "import helpers\nclass A: ...\nB = 1\ndef c(): ..."
        kinds = {name: p.kind for name, p in parts("(A, B, c, helpers)", before, helpers="D = 2").items()}
        assert kinds == {
            "tasks:report": "function",
            "tasks:A": "class",
            "tasks:B": "constant",
            "tasks:c": "function",
            "helpers": "module",
        }

    def test_it_travels_as_json(self) -> None:
        version = version_in(SHOP)
        assert CodeVersion.from_json(version.to_json()) == version
        assert version.part("shop.rates:tax") in version.parts
        assert version.part("shop.rates:forgotten") is None

    @pytest.mark.parametrize(
        "text", [b"", b"[]", b'{"digest":"a"}', b'{"digest":"a","parts":[["x"]]}', b"\xff"]
    )
    def test_what_is_no_version_is_refused(self, text: bytes) -> None:
        with pytest.raises(ValueError, match="is not a version of code"):
            CodeVersion.from_json(text)


class TestNames:
    """What a name means is found as Python finds it."""

    @pytest.mark.parametrize(
        ("result", "before", "reached"),
        [
            ("[f for f in range(x)]", "", False),
            ("[f(y) for y in range(x)]", "", True),
            ("[y for y in f(x)]", "", True),
            ("(lambda f: f)(x)", "", False),
            ("(lambda g=f: g)(x)", "", True),
            ("(f := x)", "", False),
            ("g(x)", "def g(x):\n    from helpers import f as h\n    return h(x)", True),
            ("g(x)", "def g(f):\n    return f", False),
            ("g(x)", "def g(x):\n    global f\n    return f(x)", True),
            (
                "g(x)",
                "def g(x):\n    f = 1\n    def h():\n        global f\n        return f(x)\n    return h()",
                True,
            ),
            (
                "g(x)",
                "def g(x):\n    f = 1\n    def h():\n        nonlocal f\n        return f\n    return h()",
                False,
            ),
            ("g(x)", "def g(x):\n    global k\n    import helpers as k\n    return k.f(x)", True),
            ("g(x)", "def g(x):\n    def f(): ...\n    return f()", False),
            ("g(x)", "def g(x):\n    match x:\n        case [f]: return f", False),
            ("g(x)", "def g(x):\n    try: ...\n    except OSError as f: return f", False),
            ("A().m()", "class A:\n    f = 1\n    def m(self):\n        return f", True),
            ("A().m()", "class A:\n    def m(self):\n        return self.f", False),
            ("A.b", "class A:\n    b: 'f' = 1", True),
            ("A.b", "import typing\nclass A:\n    b: typing.Literal['f'] = 1", False),
            ("x.f", "", False),
            ("helpers.f(x)", "import helpers", True),
            ("helpers.other", "import helpers", False),
            ("getattr(helpers, 'f')", "import helpers", True),
            ("g(x)", "g = f", True),
            ("g(x)", "import functools\ng = functools.partial(f, 1)", True),
            ("g(x)", "import helpers\ng = lambda x: helpers.f(x)", True),
            ("f'{f(x)!r}'", "", True),
            ("g(x)", "def deco(h): return lambda x: f(x)\n@deco\ndef g(x): ...", True),
        ],
    )
    def test_reached(self, result: str, before: str, reached: bool) -> None:
        before = f"from helpers import f\n{before}"
        texts = [f"def f(x=1):\n    return {n}\nother = 1\n" for n in (1, 2)]
        versions = {digest(result, before, helpers=text) for text in texts}
        assert (len(versions) == 2) is reached

    @pytest.mark.parametrize(
        ("imports", "use"),
        [
            ("import pkg.sub.mod", "pkg.sub.mod.f(x)"),
            ("import pkg.sub.mod as m", "m.f(x)"),
            ("from pkg import sub", "sub.mod.f(x)"),
            ("from pkg.sub import mod", "mod.f(x)"),
            ("from pkg.sub.mod import *", "f(x)"),
            ("from pkg import f", "f(x)"),
            ("import pkg", "pkg.f(x)"),
            ("from pkg import lazy", "lazy(x)"),
            ("try:\n    import nowhere as m\nexcept ImportError:\n    import pkg.sub.mod as m", "m.f(x)"),
            ("from pkg.sub import up", "up()"),
        ],
    )
    def test_imports_of_all_kinds_lead_to_the_definition(self, imports: str, use: str) -> None:
        package = {
            "pkg/__init__.py": "from .sub.mod import f\ndef __getattr__(name):\n    return f\n",
            "pkg/sub/__init__.py": "from . import mod\ndef up():\n    from .. import f\n    return f(1)\n",
        }
        found = []
        for n in (1, 2):
            files = {**program(use, imports), **package, "pkg/sub/mod.py": f"def f(x):\n    return {n}\n"}
            found.append(version_in(files))
        assert found[0].digest != found[1].digest
        assert "pkg.sub.mod:f" in {p.name for p in found[0].parts}

    def test_folders_without_init_are_packages(self) -> None:
        files = {**program("m.f(x)", "from space import m"), "space/m.py": "def f(x):\n    return 1\n"}
        assert "space.m:f" in {p.name for p in version_in(files).parts}

    @pytest.mark.parametrize("wrapped", ["env.task(cache='auto')(plain)", "upwell.trace(plain)"])
    def test_hints_of_what_is_given_to_a_decorator_by_a_call_count(self, wrapped: str) -> None:
        before = f"import helpers\ndef plain(x: helpers.Model): ...\nmade = {wrapped}"
        helpers = [f"class Model:\n    size: int = {n}\n" for n in (1, 2)]
        assert len({digest("made(x)", before, helpers=text) for text in helpers}) == 2

    @pytest.mark.parametrize(
        "made",
        [
            'made = upwell.TaskEnvironment("other", {})',
            'made: object = upwell.TaskEnvironment("other", {})',
            'first = upwell.TaskEnvironment("other", {})\nmade = first.clone_with("third")',
            'first = upwell.TaskEnvironment("other", {})\nmade = first',
            "import helpers\nmade = helpers.env",
            "from helpers import env as made",
        ],
    )
    def test_settings_of_environments_are_not_code(self, made: str) -> None:
        digests = set()
        for settings in ("max_concurrency=2", "max_concurrency=3, env_vars={'A': 'b'}"):
            child = f"@made.task(retries={len(digests)})\ndef child(x: int) -> int:\n    return x"
            before = f"{made.format(settings)}\n{child}"
            helpers = f"import upwell\nenv = upwell.TaskEnvironment('other', {settings})"
            digests.add(digest("child(x)", before, helpers=helpers))
        assert len(digests) == 1

    def test_moving_a_function_to_another_module_changes_nothing(self) -> None:
        f = "def f(x):\n    return g(x)\ndef g(x):\n    return x\n"
        here = digest("f(x)", f)
        assert here == digest("f(x)", "from helpers import f", helpers=f)

    def test_what_a_name_means_counts_even_if_all_texts_are_the_same(self) -> None:
        helpers = "def f(x):\n    return 1\ndef g(x):\n    return 2\n"
        straight, crossed = "from helpers import f, g", "from helpers import f as g, g as f"
        assert digest("f(g(x))", straight, helpers=helpers) != digest("f(g(x))", crossed, helpers=helpers)

    def test_modules_that_import_each_other_come_to_an_end(self) -> None:
        one = "import two\ndef f(x):\n    return two.g(x)\n"
        two = "import one\ndef g(x):\n    return one.f(x)\n"
        assert {"one:f", "two:g"} <= set(parts("one.f(x)", "import one", one=one, two=two))

    def test_a_broken_file_that_nothing_imports_at_the_top_is_no_hindrance(self) -> None:
        before = "def g(x):\n    import broken\n    return broken.f(x)"
        assert "tasks:g" in parts("g(x)", before, broken="def f(:\n")


class TestSameEverywhere:
    def test_golden(self) -> None:
        """A new digest means that results of all users are computed anew: change it only knowingly."""
        assert version_in(SHOP).digest == GOLDEN

    def test_processes_folders_hash_seeds_and_the_name_of_the_script_make_no_difference(
        self, tmp_path: Path
    ) -> None:
        shown = "print(report.code.digest)"
        script = {"tasks.py": SHOP["tasks.py"].replace("print(report([]))", shown)}
        digests = []
        for i, cwd in enumerate((tmp_path, Path("/"))):
            folder = tmp_path / f"copy {i}"
            write(folder, {**SHOP, **script})
            env = {**os.environ, "PYTHONHASHSEED": str(i), "PYTHONDONTWRITEBYTECODE": "1"}
            command = [sys.executable, str(folder / "tasks.py")]
            done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)
            digests.append(done.stdout.strip())
        assert digests == [GOLDEN, GOLDEN]

    def test_it_is_looked_for_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with imported(SHOP) as tasks:
            task = tasks.report  # type: ignore[attr-defined]  # the program's
            first = task.code
            monkeypatch.setattr("upwell._author.cache.version_of", None)
            assert task.override(retries=3).code is first


GOLDEN = "f83c66eeac407ef1ad7919ed3ebebfd6814304c6e55fe11e4fd579899318602a"


SESSION = """
import functools
LIMIT = 3
LIMITS = [1, 2]
UNUSED = 1
double = lambda x: x * 2
last = lambda: LIMITS[-1]

class Box:
    size = 1
    def area(self, x):
        return abs(x)

def more(func):
    @functools.wraps(func)
    def call(x):
        return func(x) + 1
    return call

@more
def task(x):
    return double(x) + LIMIT + Box().area(x) + last()
"""


class TestLoadedCode:
    """What this process runs counts, also where the files say something else or there are none."""

    def test_a_file_that_has_changed_since_it_was_loaded(self) -> None:
        files = program(
            "f(x)", "from helpers import f", helpers="def f(x):\n    return g(x)\ndef g(x):\n    return 1\n"
        )
        with imported(files) as tasks:
            task = tasks.report  # type: ignore[attr-defined]  # the program's
            helpers = Path(sys.modules["helpers"].__file__ or "")
            loaded = version_of(task.func)
            os.utime(helpers, (2**31, 2**31))
            old = version_of(task.func, loaded_at=2**30)
            helpers.write_text(helpers.read_text().replace("return 1", "return 2"))
            os.utime(helpers, (2**31, 2**31))
            new = version_of(task.func, loaded_at=2**30)
        assert old.digest == new.digest != loaded.digest
        assert {"helpers:f", "helpers:g"} <= {p.name for p in new.parts}

    @pytest.mark.parametrize(
        ("old", "new", "changes"),
        [
            ("x * 2", "x * 3", True),
            ("LIMIT = 3", "LIMIT = 4", True),
            ("return abs(x)", "return -x", True),
            ("size = 1", "size = 2", True),
            ("LIMITS[-1]", "LIMITS[0]", True),
            ("return func(x) + 1", "return func(x) + 2", True),
            ("UNUSED = 1", "UNUSED = 2", False),
        ],
    )
    def test_a_session_without_files(self, old: str, new: str, changes: bool) -> None:
        digests = set()
        for source in (SESSION, SESSION.replace(old, new)):
            session = {"__name__": "session"}
            exec(compile(source, "<stdin>", "exec"), session)
            digests.add(version_of(session["task"]).digest)  # type: ignore[arg-type]  # the function
        assert (len(digests) == 2) is changes

    def test_a_notebook_keeps_its_text(self) -> None:
        digests = []
        commented = SESSION.replace("\nclass", "\n\n# why\nclass")
        for source in (SESSION, commented, SESSION.replace("LIMIT = 3", "LIMIT = 4")):
            file = f"<cell {len(digests)}>"
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            session = {"__name__": "session"}
            exec(compile(source, file, "exec"), session)
            version = version_of(session["task"])  # type: ignore[arg-type]  # the function
            digests.append(version.digest)
        assert digests[0] == digests[1] != digests[2]
        assert "@more\ndef task(x):\n    return double(x)" in version.parts[0].source

    def test_models_without_files(self) -> None:
        def model(default: int, kind: type) -> type[BaseModel]:
            members = {"__annotations__": {"size": kind}, "size": default, "__module__": "session"}
            return type("Model", (BaseModel,), members)

        def digest_with(model: type[BaseModel]) -> str:
            namespace = {"__name__": "session", "Model": model}
            exec("def task(x: Model): return Model", namespace)
            return version_of(namespace["task"]).digest  # type: ignore[arg-type]  # the function

        assert digest_with(model(1, int)) == digest_with(model(1, int))
        assert len({digest_with(m) for m in (model(1, int), model(2, int), model(1, float))}) == 3

    def test_values_of_closures_are_shown(self) -> None:
        def build(factor: object) -> CodeVersion:
            def task() -> object:
                return factor

            return version_of(task)

        assert build(2).digest == build(2).digest != build(3).digest
        assert build({"b", "a"}).digest == build({"a", "b"}).digest
        assert build(2).parts[1].source == "factor = 2"
        assert build(object()).digest == build(object()).digest

    def test_modules_that_are_not_below_the_root_folder_count_by_name(self, tmp_path: Path) -> None:
        write(tmp_path, {"elsewhere.py": "def f(x):\n    return x\n"})
        sys.path.append(str(tmp_path))
        try:
            found = version_in(program("f(x)", "from elsewhere import f"))
        finally:
            sys.path.remove(str(tmp_path))
            sys.modules.pop("elsewhere", None)
        assert [p.name for p in found.parts] == ["tasks:report"]
        assert "# f is elsewhere.f" in found.parts[0].source

    def test_the_package_of_an_installed_task_counts_and_others_do_not(self, tmp_path: Path) -> None:
        files = {
            "site-packages/installed_tasks/__init__.py": "",
            "site-packages/installed_tasks/flow.py": "import other\nfrom .parts import f\n"
            "def task(x):\n    return f(x) + other.g(x)\n",
            "site-packages/installed_tasks/parts.py": "def f(x):\n    return x\n",
            "site-packages/other.py": "def g(x):\n    return x\n",
        }
        write(tmp_path, files)
        sys.path.append(str(tmp_path / "site-packages"))
        try:
            flow = importlib.import_module("installed_tasks.flow")
            names = [p.name for p in version_of(flow.task).parts]
        finally:
            sys.path.remove(str(tmp_path / "site-packages"))
            for name in ("installed_tasks", "installed_tasks.flow", "installed_tasks.parts", "other"):
                sys.modules.pop(name, None)
        assert names == ["installed_tasks.flow:task", "installed_tasks.parts:f"]

    def test_what_is_not_the_users_has_no_parts(self) -> None:
        assert version_of(os.path.join).parts == ()
        assert version_of(len).digest != version_of(print).digest
