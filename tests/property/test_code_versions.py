"""Of a program of functions in modules that call each other, those that the task reaches make the version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.cache.stability import version_in
from hypothesis import given, settings
from hypothesis import strategies as st

N_MODULES = 3
MOST = 6
"""Functions in a program."""
NOTES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"], exclude_characters='"\\'), max_size=9
)


@dataclass(frozen=True)
class Look:
    """How a function is written, which makes no difference."""

    comment: str
    docstring: str
    indent: int
    blank_lines: int
    space: str
    hint: str


@dataclass(frozen=True)
class Function:
    module: int
    number: int
    calls: tuple[int, ...]
    look: Look


Program = tuple[Function, ...]
LOOKS = st.builds(
    Look,
    comment=NOTES,
    docstring=NOTES,
    indent=st.integers(1, 8),
    blank_lines=st.integers(0, 3),
    space=st.sampled_from(["", " ", "  "]),
    hint=st.sampled_from(["", ": int", ": 'anything'"]),
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    n = draw(st.integers(2, MOST))
    calls = st.lists(st.integers(0, n - 1), max_size=2, unique=True).map(tuple)
    functions = st.builds(
        Function,
        module=st.integers(0, N_MODULES - 1),
        number=st.integers(0, 9),
        calls=calls,
        look=LOOKS,
    )
    return tuple(draw(functions) for _ in range(n))


def reached(program: Program) -> set[int]:
    """Return the functions that the first one, which the task calls, comes to."""
    found: set[int] = set()
    todo = [0]
    while todo:
        i = todo.pop()
        if i not in found:
            found.add(i)
            todo += program[i].calls
    return found


def text_of(program: Program, i: int) -> str:
    function, look = program[i], program[i].look
    indent = " " * look.indent
    calls = "".join(
        f"{look.space}+{look.space}(m{program[j].module}.f{j}(x) if x else 0)" for j in function.calls
    )
    return (
        "\n" * look.blank_lines
        + f"def f{i}({look.space}x{look.hint}):  # {look.comment}\n"
        + f'{indent}"""{look.docstring} """\n{indent}# {look.comment}\n'
        + f"{indent}return {function.number}{calls}\n"
    )


def digest(program: Program) -> str:
    imports = "".join(f"import m{m}\n" for m in range(N_MODULES))
    modules = {
        f"m{m}.py": imports + "".join(text_of(program, i) for i, f in enumerate(program) if f.module == m)
        for m in range(N_MODULES)
    }
    task = f"""{imports}
import upwell

env = upwell.TaskEnvironment("generated")


@env.task(cache="auto")
def report(x: int) -> int:
    return m{program[0].module}.f0(x)
"""
    return version_in({**modules, "tasks.py": task}).digest


@settings(max_examples=25)
@given(programs(), st.lists(LOOKS, min_size=MOST, max_size=MOST), st.integers(0, MOST - 1))
def test_code_that_the_task_reaches_counts_and_how_it_is_written_does_not(
    program: Program, looks: list[Look], chosen: int
) -> None:
    before = digest(program)
    assert digest(tuple(replace(f, look=look) for f, look in zip(program, looks, strict=False))) == before
    i = chosen % len(program)
    edited = replace(program[i], number=program[i].number + 1)
    after = digest((*program[:i], edited, *program[i + 1 :]))
    assert (after != before) is (i in reached(program))
