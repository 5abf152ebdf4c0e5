from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from upwell import errors
from upwell._author.cache import Cache
from upwell._author.environment import TaskEnvironment
from upwell._author.image import Image
from upwell._author.resources import Resources
from upwell._author.reuse import ReusePolicy
from upwell._author.secret import Secret


@pytest.mark.parametrize("name", ["a", "data-prep", "data_prep", "v2", "mixed-up_name", "2fast"])
def test_names_in_kebab_and_snake_case_are_accepted(name: str) -> None:
    assert TaskEnvironment(name).name == name


@pytest.mark.parametrize("name", ["", "Data", "data prep", "-a", "a-", "a--b", "a.b", None, 3])
def test_other_names_are_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="name="):
        TaskEnvironment(name)


class TestReuse:
    def test_reusable_is_an_alias(self) -> None:
        policy = ReusePolicy(replicas=(1, 4))
        assert TaskEnvironment("a", reusable=policy).reuse_policy is policy
        assert TaskEnvironment("a", reuse_policy=policy).reusable is policy

    def test_giving_both_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="both"):
            TaskEnvironment("a", reusable=ReusePolicy(), reuse_policy=ReusePolicy())

    @pytest.mark.parametrize("other", ["plugin_config", "pod_template"])
    def test_it_excludes_plugins_and_pods(self, other: str) -> None:
        with pytest.raises(ValueError, match=other):
            TaskEnvironment("a", reusable=ReusePolicy(), **{other: "x"})  # type: ignore[arg-type]  # one of two

    def test_concurrency_needs_async_tasks(self) -> None:
        env = TaskEnvironment("a", reuse_policy=ReusePolicy(concurrency=4))

        def score() -> None: ...

        with pytest.raises(errors.ReusePolicyError) as caught:
            env.task(score)
        assert str(caught.value) == (
            "concurrency=4 needs an async task, but 'score' is sync; make it async or set concurrency=1."
        )
        assert isinstance(caught.value, ValueError)

    def test_sync_tasks_are_fine_one_at_a_time(self) -> None:
        env = TaskEnvironment("a", reuse_policy=ReusePolicy())

        @env.task
        def score() -> None: ...

        assert not score.is_async


class TestPools:
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"image": "auto"},
            {"image": Image.from_debian_base()},
            {"image": Image.from_debian_base().with_code_bundle()},
            {"resources": Resources()},
            {"env_vars": {"A": "1"}, "cache": "auto", "queue": "q"},
        ],
    )
    def test_an_environment_that_asks_for_nothing_special_uses_the_default_pool(
        self, settings: dict[str, Any]
    ) -> None:
        assert TaskEnvironment("a", **settings).pool == "default"

    @pytest.mark.parametrize(
        "settings",
        [
            {"reuse_policy": ReusePolicy()},
            {"resources": Resources(cpu=1)},
            {"secrets": "key"},
            {"image": Image.from_debian_base().with_pip_packages("pandas")},
        ],
    )
    def test_others_have_a_pool_of_their_own(self, settings: dict[str, Any]) -> None:
        assert TaskEnvironment("a", **settings).pool == "a"

    @pytest.mark.parametrize("name", ["default", "lost-changes"])
    def test_an_environment_called_like_a_queue_of_the_platform_does_not_take_it(self, name: str) -> None:
        assert TaskEnvironment(name, resources=Resources(cpu=1)).pool == f"env-{name}"

    def test_a_tasks_pool_is_its_environments(self) -> None:
        env = TaskEnvironment("big", reuse_policy=ReusePolicy())

        @env.task
        async def work() -> None: ...

        assert (work.pool, work.override(reusable="off").pool) == ("big", "default")


class TestDecorating:
    env = TaskEnvironment("deco")

    def test_bare_and_with_arguments(self) -> None:
        @self.env.task
        def bare() -> None: ...

        @self.env.task()
        def empty() -> None: ...

        @self.env.task(retries=2, timeout=5, report=True, docs="text", triggers=(), links=[1])
        def full() -> None: ...

        assert (bare.name, empty.name, full.name) == ("deco.bare", "deco.empty", "deco.full")
        assert (full.retries, full.bounds.max_runtime_s, full.options.report) == (2, 5.0, True)

    def test_the_latest_definition_of_a_name_wins(self) -> None:
        env = TaskEnvironment("again")

        def define(value: int) -> Any:
            @env.task
            def same() -> int:
                return value

            return same

        define(1)
        latest = define(2)
        assert env.tasks == {"again.same": latest}

    def _generator(self) -> Any:
        async def numbers() -> AsyncIterator[int]:
            yield 1

        return numbers

    def test_generators_are_refused(self) -> None:
        with pytest.raises(TypeError, match="generator"):
            self.env.task(self._generator())

    @pytest.mark.parametrize(
        ("thing", "message"),
        [
            (3, "not a function"),
            (int, "class"),
            (lambda: None, "lambda"),
            (staticmethod(len), "staticmethod"),
            (functools.partial(print), "not a function"),
        ],
    )
    def test_what_is_no_function_is_refused(self, thing: Any, message: str) -> None:
        with pytest.raises(TypeError, match=message):
            self.env.task(thing)

    def test_a_task_is_not_decorated_twice(self) -> None:
        @self.env.task
        def once() -> None: ...

        with pytest.raises(TypeError, match="task already"):
            self.env.task(once)

    def test_settings_of_the_environment_are_refused_with_a_pointer(self) -> None:
        with pytest.raises(TypeError, match="environment's"):
            self.env.task(image="x")  # type: ignore[call-overload]  # that is the point

    def test_the_cache_ignores_only_what_exists(self) -> None:
        def work(x: int) -> None: ...

        with pytest.raises(ValueError, match="'y'"):
            self.env.task(cache=Cache("auto", ignored_inputs="y"))(work)

    def test_a_decorated_coroutine_function_stays_async(self) -> None:
        def noisy(func: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(func)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await func(*args, **kwargs)

            return wrapper

        @self.env.task
        @noisy
        async def work(x: int) -> int:
            return x

        assert work.is_async
        assert list(work.interface.parameters) == ["x"]


class TestCloning:
    base = TaskEnvironment(
        "base",
        image=Image.from_debian_base().with_pip_packages("x"),
        resources=Resources(cpu=1),
        secrets=["one", Secret("two")],
        env_vars={"A": "1"},
        cache="auto",
        reuse_policy=ReusePolicy(replicas=3),
        max_inline_io="1Mi",
    )

    def test_it_keeps_what_is_not_given_and_has_no_tasks(self) -> None:
        clone = self.base.clone_with("clone")
        kept = ("image", "resources", "secrets", "env_vars", "cache", "reuse_policy", "max_inline_io")
        assert [getattr(clone, k) for k in kept] == [getattr(self.base, k) for k in kept]
        assert (clone.name, clone.tasks) == ("clone", {})

    def test_reuse_can_be_switched_off(self) -> None:
        clone = self.base.clone_with("clone", reusable=None, depends_on=[self.base])
        assert clone.reuse_policy is None
        assert clone.depends_on == [self.base]

    def test_reuse_can_be_replaced_under_either_name(self) -> None:
        policy = ReusePolicy(replicas=1)
        assert self.base.clone_with("c", reusable=policy).reuse_policy is policy
        assert self.base.clone_with("c", reuse_policy=policy).reuse_policy is policy

    def test_none_keeps_other_settings(self) -> None:
        assert self.base.clone_with("c", resources=None).resources == self.base.resources

    def test_an_unknown_keyword_is_a_type_error(self) -> None:
        with pytest.raises(TypeError, match="colour"):
            self.base.clone_with("c", colour="red")  # type: ignore[call-arg]  # that is the point

    def test_the_clone_has_its_own_dependencies(self) -> None:
        clone = self.base.clone_with("c")
        clone.add_dependency(self.base)
        assert list(self.base.depends_on) == []


class TestDependencies:
    def test_they_are_added_once(self) -> None:
        a, b = TaskEnvironment("a"), TaskEnvironment("b")
        a.add_dependency(b, b)
        a.add_dependency(b)
        assert a.depends_on == [b]

    def test_only_environments_and_not_itself(self) -> None:
        a = TaskEnvironment("a")
        with pytest.raises(ValueError, match="itself"):
            a.add_dependency(a)
        with pytest.raises(TypeError, match="TaskEnvironment"):
            a.add_dependency("b")  # type: ignore[arg-type]  # that is the point

    def test_an_environment_can_be_made_of_tasks(self) -> None:
        a = TaskEnvironment("a")

        @a.task
        def work() -> None: ...

        made = TaskEnvironment.from_task("made", work)
        assert made.tasks == {"a.work": work}
        assert made.depends_on == [a]

    def test_but_not_of_tasks_with_different_images(self) -> None:
        a, b = TaskEnvironment("a"), TaskEnvironment("b", image="other:1")
        tasks = [e.task(functools.update_wrapper(lambda: None, test_environment_names)) for e in (a, b)]
        with pytest.raises(ValueError, match="2 images"):
            TaskEnvironment.from_task("made", *tasks)


def test_environment_names() -> None:
    """Also lends its name to functions above."""


def test_descriptions_are_short() -> None:
    with pytest.raises(ValueError, match="256"):
        TaskEnvironment("a", description="x" * 256)


def test_kubernetes_settings_are_ignored_with_one_warning() -> None:
    with pytest.warns(UserWarning, match="is ignored") as caught:
        TaskEnvironment("a", pod_template="p", service_account="s")
    assert len(caught) == 1
    assert "pod_template=, service_account=" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_nothing_is_warned_of_otherwise() -> None:
    with warnings.catch_warnings(), contextlib.nullcontext():
        warnings.simplefilter("error")
        TaskEnvironment("a", resources=Resources(cpu=1), interruptible=True, include=("data.csv",))
