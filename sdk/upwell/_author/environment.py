"""Environments: tasks that share image, resources and policies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, cast, overload

from upwell._author.cache import CacheRequest, to_cache
from upwell._author.declaring import (
    DESCRIPTION_MAX,
    check_environment_name,
    check_reuse,
    check_task_function,
    is_async_function,
)
from upwell._author.image import Image, to_image
from upwell._author.options import (
    DEFAULT_POOL,
    TaskOptions,
    to_inline_bytes,
    to_max_concurrency,
    to_tuple,
    warn_ignored,
)
from upwell._author.out_of_scope import ORCHESTRATORS, placeholder
from upwell._author.policies import Retries, TimeoutType, to_bounds, to_retry_policy
from upwell._author.registry import register
from upwell._author.resources import Resources
from upwell._author.reuse import ReusePolicy
from upwell._author.secret import SecretRequest, to_secrets
from upwell._author.task import Task
from upwell._author.triggers import check_triggers
from upwell._author.unset import UNSET, Unset
from upwell._core.keys import pool_name
from upwell._core.limits import MAX_INLINE_IO_BYTES

P = ParamSpec("P")
R = TypeVar("R")


class TaskSettings(TypedDict, total=False):
    """What `@env.task(...)` takes; each goes before the environment's."""

    short_name: str | None
    cache: CacheRequest | None
    retries: Retries
    timeout: TimeoutType | None
    docs: object
    pod_template: object
    report: bool
    interruptible: bool | None
    max_inline_io_bytes: int | str | None
    max_concurrency: int | None
    queue: str | None
    service_account: str | None
    triggers: object
    links: object
    task_resolver: object
    entrypoint: bool
    produces_artifacts: bool


class EnvironmentSettings(TypedDict, total=False):
    """What `env.clone_with(name, ...)` takes besides the reuse policy; None keeps what the original has."""

    depends_on: Sequence[TaskEnvironment] | None
    pod_template: object
    description: str | None
    secrets: SecretRequest | None
    env_vars: Mapping[str, str] | None
    resources: Resources | None
    interruptible: bool | None
    image: str | Image | None
    include: Sequence[str] | None
    service_account: str | None
    cache: CacheRequest | None
    plugin_config: object
    queue: str | None
    max_inline_io: int | str | None
    max_concurrency: int | None
    pickle: bool | None


@dataclass(eq=False)
class TaskEnvironment:
    """A named set of tasks that share image, resources and policies.

    Attributes:
        name: Kebab or snake case; the first part of its tasks' names.
        depends_on: Environments that are deployed together with this one.
        description: At most 255 characters.
        secrets: Secrets of all tasks.
        env_vars: Environment variables of all tasks.
        resources: What each action needs to run on.
        interruptible: Whether workers may be on spot capacity.
        image: `"auto"`, or an `Image` with what has to be installed.
        include: Further files for the code bundle.
        cache: Which results are kept.
        reuse_policy: Keeps workers warm between actions; `reusable` is the same.
        queue: Name of a queue; kept for display.
        max_inline_io: The largest inputs or outputs passed by value: bytes, or `"10Mi"`.
        max_concurrency: How many attempts of all its tasks run at once, whatever their runs and executors. Each
            task may have a `max_concurrency` of its own besides.
        pickle: Whether values without a schema may be pickled. False refuses them, at the declaration where the
            type tells, else at the call; and nothing that its tasks run is unpickled.
        pod_template: Ignored, with a warning; as are `service_account` and `plugin_config`.

    Raises:
        ValueError: the name or a setting is not valid.
        TypeError: with `pickle=False`, a task declares a type whose values would have to be pickled.

    Example:
        >>> env = TaskEnvironment("hello", resources=Resources(memory="1Gi"))
        >>> @env.task
        ... def greet(name: str) -> str:
        ...     return f"Hello, {name}!"
        >>> greet("World")
        'Hello, World!'
    """

    name: str
    _: KW_ONLY
    depends_on: Sequence[TaskEnvironment] = ()
    pod_template: object = None
    description: str | None = None
    secrets: SecretRequest | None = None
    env_vars: Mapping[str, str] | None = None
    resources: Resources | None = None
    interruptible: bool = False
    image: str | Image = "auto"
    include: Sequence[str] = ()
    service_account: str | None = None
    cache: CacheRequest = "disable"
    reuse_policy: ReusePolicy | None = None
    reusable: ReusePolicy | None = None
    plugin_config: object = None
    queue: str | None = None
    max_inline_io: int | str = MAX_INLINE_IO_BYTES
    max_concurrency: int | None = None
    pickle: bool = True
    tasks: dict[str, Task[..., Any]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_environment_name(self.name)
        self._unify_reuse()
        if self.description is not None and len(self.description) > DESCRIPTION_MAX:
            raise ValueError(
                f"description of environment {self.name!r} has {len(self.description)} characters; "
                f"shorten it to {DESCRIPTION_MAX}"
            )
        self.depends_on = list(self.depends_on or ())
        self.image = to_image(self.image)
        self.secrets = to_secrets(self.secrets)
        self.env_vars = dict(self.env_vars or {})
        to_cache(self.cache)
        to_inline_bytes(self.max_inline_io)
        to_max_concurrency(self.max_concurrency, f"TaskEnvironment({self.name!r})")
        warn_ignored(
            f"TaskEnvironment({self.name!r})",
            {
                "pod_template": self.pod_template,
                "service_account": self.service_account,
                "plugin_config": self.plugin_config,
            },
        )

    def _unify_reuse(self) -> None:
        if self.reuse_policy is not None and self.reusable is not None:
            raise ValueError(
                f"environment {self.name!r} has both reuse_policy= and reusable=, which are the same; give one"
            )
        self.reuse_policy = self.reusable = self.reuse_policy or self.reusable
        if self.reuse_policy is None:
            return
        if not isinstance(self.reuse_policy, ReusePolicy):
            raise TypeError(f"environment {self.name!r}: reuse_policy={self.reuse_policy!r} is no ReusePolicy")
        for other in ("plugin_config", "pod_template"):
            if getattr(self, other) is not None:
                raise ValueError(f"environment {self.name!r} has a reuse policy and {other}=; give one of them")

    @property
    def pool(self) -> str:
        """Name of the pool whose executors run its tasks.

        An environment has its own if it asks for something special: a reuse policy, resources, secrets or an
        image.
        """
        has_needs = self.resources is not None and not self.resources.is_default
        if self.reuse_policy is None and not has_needs and not self.secrets and to_image(self.image).is_default:
            return DEFAULT_POOL
        return pool_name(self.name)

    # --- tasks ------------------------------------------------------------------------------------------------

    @overload
    def task(self, func: Callable[P, R], /) -> Task[P, R]: ...
    @overload
    def task(self, **settings: Unpack[TaskSettings]) -> Callable[[Callable[P, R]], Task[P, R]]: ...

    def task(self, func: Any = None, /, **settings: Any) -> Any:  # type: ignore[misc]  # the keywords are dynamic
        """Make a function a task of this environment; used bare or with settings.

        Raises:
            TypeError: what is decorated cannot be a task, or there is no such setting.
            ReusePolicyError: the environment's reuse policy needs an async function.
        """
        unknown = settings.keys() - TaskSettings.__annotations__.keys()
        if unknown:
            raise TypeError(
                f"@task of environment {self.name!r} has no setting {sorted(unknown)[0]!r}; image, resources, "
                "env_vars and secrets are the environment's, the others are "
                + ", ".join(TaskSettings.__annotations__)
            )

        def decorate(decorated: Callable[..., Any]) -> Task[..., Any]:
            return self._add(decorated, cast(TaskSettings, settings))

        return decorate if func is None else decorate(func)

    def _add(self, func: Callable[..., Any], settings: TaskSettings) -> Task[..., Any]:
        if isinstance(func, Task):
            raise TypeError(f"@task of environment {self.name!r}: {func.name!r} is a task already")
        check_task_function(func, self.name)
        is_async = is_async_function(func)
        check_reuse(self.reuse_policy, func.__name__, is_async=is_async)
        task = Task(func, self, self._options(func.__name__, settings), is_async=is_async)
        unknown = set(task.cache.ignored) - set(inspect.signature(func).parameters)
        if unknown:
            name = sorted(unknown)[0]
            raise ValueError(f"task {task.name!r}: Cache(ignored_inputs) names {name!r}, which is no parameter")
        check_triggers(task.triggers, task.name, inspect.signature(func).parameters)
        if not self.pickle:
            task.interface.check_types()
        self.tasks[task.name] = task
        register(task)
        return task

    def _options(self, task: str, settings: TaskSettings) -> TaskOptions:
        given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
        ignored = ("pod_template", "service_account", "task_resolver", "produces_artifacts")
        warn_ignored(f"@task of {self.name}.{task}", {name: given.get(name) or None for name in ignored})
        return TaskOptions(
            short_name=given.get("short_name"),
            retry=to_retry_policy(given.get("retries", 0)),
            bounds=to_bounds(given.get("timeout")),
            cache=to_cache(given.get("cache", self.cache)),
            max_inline_io_bytes=to_inline_bytes(given.get("max_inline_io_bytes", self.max_inline_io)),
            max_concurrency=to_max_concurrency(given.get("max_concurrency"), f"@task of {self.name}.{task}"),
            resources=self.resources,
            env_vars=dict(self.env_vars or {}),
            secrets=to_secrets(self.secrets),
            queue=given.get("queue", self.queue),
            interruptible=given.get("interruptible", self.interruptible),
            report=given.get("report", False),
            docs=given.get("docs"),
            links=to_tuple(given.get("links")),
            triggers=to_tuple(given.get("triggers")),
            entrypoint=given.get("entrypoint", False),
            produces_artifacts=given.get("produces_artifacts", False),
        )

    @property
    def sandbox(self) -> Any:
        """Restricted orchestrators of other platforms; they say what to do instead when they are used."""
        return placeholder(f"{self.name}.sandbox", ORCHESTRATORS)

    # --- other environments -----------------------------------------------------------------------------------

    def add_dependency(self, *environments: TaskEnvironment) -> None:
        """Add environments that are deployed together with this one.

        Raises:
            TypeError: one is not an environment.
            ValueError: one is this environment itself.
        """
        for environment in environments:
            if not isinstance(environment, TaskEnvironment):
                raise TypeError(f"{environment!r} is not a TaskEnvironment; {self.name!r} cannot depend on it")
            if environment is self:
                raise ValueError(f"environment {self.name!r} cannot depend on itself")
        known = list(self.depends_on)
        self.depends_on = known + [e for e in dict.fromkeys(environments) if e not in known]

    def clone_with(
        self,
        name: str,
        *,
        reusable: ReusePolicy | Unset | None = UNSET,
        reuse_policy: ReusePolicy | Unset | None = UNSET,
        **changes: Unpack[EnvironmentSettings],
    ) -> TaskEnvironment:
        """Return a new environment with these settings, except those given; tasks are not copied.

        Args:
            name: Name of the new one.
            reusable: The same as `reuse_policy`.
            reuse_policy: None switches reuse off.
            **changes: Settings of `TaskEnvironment`; None keeps what this one has.

        Raises:
            TypeError: there is no such setting.
        """
        settings: dict[str, Any] = {key: getattr(self, key) for key in EnvironmentSettings.__annotations__}
        unknown = changes.keys() - settings.keys()
        if unknown:
            raise TypeError(f"clone_with() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        settings.update({key: value for key, value in changes.items() if value is not None})
        if reusable is UNSET and reuse_policy is UNSET:
            reuse_policy = self.reuse_policy
        return TaskEnvironment(
            name,
            reusable=None if isinstance(reusable, Unset) else reusable,
            reuse_policy=None if isinstance(reuse_policy, Unset) else reuse_policy,
            **settings,
        )

    @classmethod
    def from_task(
        cls, name: str, *tasks: Task[..., Any], depends_on: Sequence[TaskEnvironment] = ()
    ) -> TaskEnvironment:
        """Return an environment that is deployed for the sake of existing tasks.

        Its tasks keep their names and run where their own environments say; these become dependencies.

        Raises:
            ValueError: the tasks have different images.
        """
        images = list(dict.fromkeys(to_image(task.env.image) for task in tasks))
        if len(images) > 1:
            raise ValueError(f"the tasks of environment {name!r} have {len(images)} images; give those of one")
        environment = cls(name, image=images[0] if images else "auto", depends_on=depends_on)
        environment.add_dependency(*(task.env for task in tasks))
        environment.tasks.update({task.name: task for task in tasks})
        return environment
