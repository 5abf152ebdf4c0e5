from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from upwell._author.cache import Cache, CodePolicy, FunctionBodyPolicy, VersionParameters, to_cache
from upwell._author.environment import TaskEnvironment
from upwell._author.source import body_digest
from upwell._author.task import Task

env = TaskEnvironment("cached")


def define(
    source: str, name: str = "work", cache: Any = "auto", in_env: TaskEnvironment = env
) -> Task[..., Any]:
    """Define a task by source text, as a file would."""
    namespace: dict[str, Any] = {"__name__": "defined", "env": in_env}
    _Source.add(source, namespace)
    return in_env.task(cache=cache)(namespace[name])


class _Source:
    """Source text that `inspect` can find."""

    count = 0

    @classmethod
    def add(cls, source: str, namespace: dict[str, Any]) -> None:
        import linecache

        cls.count += 1
        file = f"<source {cls.count}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), namespace)


def key_of(task: Task[..., Any], **inputs: Any) -> str | None:
    return task.spec(task.interface.encode_inputs(task.interface.bind((), inputs))).cache_key


WORK = "def work(x: int, verbose: bool = False) -> int:\n    return x + 1\n"


class TestKeys:
    def test_equal_calls_have_equal_keys(self) -> None:
        assert key_of(define(WORK), x=1) == key_of(define(WORK), x=1)

    def test_comments_layout_and_place_do_not_count(self) -> None:
        moved = "\n\n# moved\n" + WORK.replace("    return", "    # why\n    return")
        assert key_of(define(WORK), x=1) == key_of(define(moved), x=1)

    @pytest.mark.parametrize(
        "other",
        [
            define(WORK.replace("x + 1", "x + 2")),
            define(WORK.replace("x: int,", "x: float,")),
            define(WORK.replace("work", "job"), name="job"),
            define(WORK, cache=Cache("auto", salt="s")),
            define(WORK, cache=Cache("auto", version_override="v1")),
            define(WORK, in_env=TaskEnvironment("other")),
        ],
    )
    def test_what_counts_changes_the_key(self, other: Task[..., Any]) -> None:
        assert key_of(other, x=1) != key_of(define(WORK), x=1)

    def test_inputs_count_unless_they_are_ignored(self) -> None:
        plain, ignoring = define(WORK), define(WORK, cache=Cache("auto", ignored_inputs="verbose"))
        assert key_of(plain, x=1) != key_of(plain, x=2)
        assert key_of(plain, x=1) != key_of(plain, x=1, verbose=True)
        assert key_of(ignoring, x=1) == key_of(ignoring, x=1, verbose=True)

    def test_a_version_makes_the_code_irrelevant(self) -> None:
        versioned = Cache("auto", version_override="v1")
        changed = WORK.replace("x + 1", "x + 2")
        assert key_of(define(WORK, cache=versioned), x=1) == key_of(define(changed, cache=versioned), x=1)

    def test_no_cache_no_key(self) -> None:
        assert key_of(define(WORK, cache="disable"), x=1) is None

    def test_a_run_can_switch_it_off(self) -> None:
        task = define(WORK)
        assert task.spec(b'{"x":1,"verbose":false}', cache=False).cache_key is None

    def test_override_computes_anew_unless_a_version_says_what_is_equal(self) -> None:
        anew, versioned = (
            define(WORK, cache="override"),
            define(WORK, cache=Cache("override", version_override="v1")),
        )
        specs = [task.spec(b'{"x":1,"verbose":false}') for task in (anew, versioned)]
        assert all(spec.cache_key is not None for spec in specs)
        assert [spec.cache_write_only for spec in specs] == [True, False]


class TestRequests:
    @pytest.mark.parametrize(
        ("words", "mode"),
        [
            (("auto", "enable", "enabled", "on"), "auto"),
            (("disable", "disabled", "off"), "disable"),
            (("override",), "override"),
        ],
    )
    def test_words(self, words: tuple[Any, ...], mode: str) -> None:
        assert {to_cache(word).mode for word in words} == {mode}

    def test_other_words_are_refused(self) -> None:
        with pytest.raises(ValueError, match="'sometimes'"):
            to_cache("sometimes")  # type: ignore[arg-type]  # that is the point
        with pytest.raises(TypeError, match="cache=3"):
            to_cache(3)  # type: ignore[arg-type]  # that is the point

    @pytest.mark.parametrize(
        ("max_age", "seconds"), [(None, None), (0, None), (1.5, 1.5), (timedelta(minutes=2), 120.0)]
    )
    def test_a_maximum_age_is_seconds_or_a_timedelta(self, max_age: Any, seconds: float | None) -> None:
        assert Cache("auto", max_age=max_age).max_age_s == seconds

    def test_a_maximum_age_that_is_no_length_of_time_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"Cache\(max_age\)=-1"):
            Cache("auto", max_age=-1)


class _Fixed:
    def __init__(self, version: str) -> None:
        self.version = version

    def get_version(self, salt: str, params: VersionParameters) -> str:
        return salt + self.version


class TestPolicies:
    params = VersionParameters(_Fixed.get_version)

    def test_one_policy_gives_the_version(self) -> None:
        assert Cache("auto", policies=_Fixed("7"), salt="s").get_version(self.params) == "s7"

    def test_several_give_it_together(self) -> None:
        a, b = _Fixed("a"), _Fixed("b")
        both = Cache("auto", policies=[a, b]).get_version(self.params)
        assert both != Cache("auto", policies=[b, a]).get_version(self.params)

    def test_a_policy_that_gives_no_text_is_named(self) -> None:
        with pytest.raises(ValueError, match="_Fixed"):
            Cache("auto", policies=_Fixed("")).get_version(self.params)

    def test_the_default_is_all_code_that_the_function_reaches(self) -> None:
        assert Cache("auto").get_version(self.params) == CodePolicy().get_version("", self.params)

    def test_the_code_is_told_of_where_the_version_is_made_from_it(self) -> None:
        assert Cache("auto", policies=[_Fixed("7"), CodePolicy()]).code_of(self.params) is not None
        for cache in (
            Cache("disable"),
            Cache("auto", version_override="1"),
            Cache("auto", policies=FunctionBodyPolicy()),
        ):
            assert cache.code_of(self.params) is None


class TestBodies:
    def test_without_source_the_byte_code_counts(self) -> None:
        def make(text: str) -> Any:
            namespace: dict[str, Any] = {}
            exec(text, namespace)
            return namespace["f"]

        same = [make("def f(x):\n  return [y for y in x if y in {1, 2}]") for _ in range(2)]
        assert body_digest(same[0]) == body_digest(same[1])
        assert body_digest(same[0]) != body_digest(make("def f(x):\n  return [y for y in x if y in {1, 3}]"))

    def test_callables_without_code_have_their_types_name(self) -> None:
        assert body_digest(len) == body_digest(len)
