"""Tasks: functions that become actions when they are called inside a run."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, TypeVar, Unpack, cast, overload

from upwell import errors
from upwell._author import context
from upwell._author.blocking import is_on_a_loop
from upwell._author.cache import Cache, VersionParameters
from upwell._author.code_version.version import CodeVersion
from upwell._author.input_schema import input_schema
from upwell._author.options import DEFAULT_POOL, TaskOptions
from upwell._author.overriding import Overrides, override_options
from upwell._author.registry import resolve
from upwell._author.resources import Resources
from upwell._author.secret import Secret
from upwell._core.cache_key import cache_key
from upwell._core.holds import environment_scope, task_scope
from upwell._core.key_parts import CodeDocument, KeyParts
from upwell._core.links import TaskLink
from upwell._core.model import Bounds, Limit, RetryPolicy, SecretSpec, TaskSpec
from upwell._types.input_digest import parameter_digests
from upwell._types.interface import Interface
from upwell._types.main_module import importable_name

if TYPE_CHECKING:
    from upwell._author.environment import TaskEnvironment

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Task(Generic[P, R]):
    """A function of an environment. `@env.task` makes it; it is called like the function.

    Inside a run, a call is a child action: awaitable if the function is async, blocking if it is not. Outside
    a run it is the plain function call. A task is immutable and is pickled by name.

    Attributes:
        func: The function.
        env: The environment.
        name: `<environment>.<function>`.
        is_async: Whether the function is a coroutine function.
        interface: Its parameters, result, and their encodings.
        options: Its settings.
    """

    __name__: str
    __wrapped__: Callable[P, R]
    pickled_by_name: ClassVar[bool] = True
    """What is pickled of it is its name: no warning is due where one is passed to a task."""

    def __init__(
        self,
        func: Callable[P, R],
        env: TaskEnvironment,
        options: TaskOptions,
        *,
        is_async: bool,
        overrides: Mapping[str, Any] | None = None,
        declared_at: float | None = None,
    ) -> None:
        update_wrapper(self, func, updated=())
        self.func = func
        self.env = env
        self.name = f"{env.name}.{func.__name__}"
        self.is_async = is_async
        self.options = options
        self.interface = Interface.of(func, self.name, refuses_pickle=None if env.pickle else env.name)
        self._overrides = dict(overrides or {})
        self._declared_at = time.time() if declared_at is None else declared_at

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    # --- calls ------------------------------------------------------------------------------------------------

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the task.

        Raises:
            SyncTaskCallInAsyncContextError: the task is sync and the caller is async code.
            TraceDoesNotAllowNestedTasksError: the caller is a traced function.
        """
        engine = context.engine()
        if engine is None:
            return self.func(*args, **kwargs)
        if self.is_async:
            return cast(R, self._child(engine, args, kwargs))
        self._refuse_to_block()
        return cast(R, engine.block_on(self._child(engine, args, kwargs)))

    @overload
    def aio(
        self: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, T]: ...
    @overload
    def aio(self: Task[P, T], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]: ...

    async def aio(self, *args: Any, **kwargs: Any) -> Any:
        """Call the task from async code, whether its function is async or not; a sync one runs in a thread."""
        engine = context.engine()
        if engine is not None:
            return await self._child(engine, args, kwargs)
        if self.is_async:
            return await cast(Any, self.func)(*args, **kwargs)
        return await asyncio.to_thread(cast(Any, self.func), *args, **kwargs)

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself: no action, no conversion. Traced functions call tasks this way."""
        return self.func(*args, **kwargs)

    async def _child(self, engine: context.Engine, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        self.refuse_in_trace()
        return await engine.call(self, self.interface.bind(args, kwargs))

    def refuse_in_trace(self) -> None:
        """Raise `TraceDoesNotAllowNestedTasksError` if this code runs inside a traced function."""
        if context.ctx().in_trace:
            raise errors.TraceDoesNotAllowNestedTasksError(
                f"task {self.name!r} is called inside a trace, which cannot have child actions; "
                f"call it outside the trace, or its function with `{self.func.__name__}.forward(...)`"
            )

    def _refuse_to_block(self) -> None:
        if not is_on_a_loop():
            return
        raise errors.SyncTaskCallInAsyncContextError(
            f"task {self.name!r} is sync and is called from async code, which it would block; "
            f"use `await {self.func.__name__}.aio(...)`"
        )

    # --- settings ---------------------------------------------------------------------------------------------

    @property
    def short_name(self) -> str:
        """Name for display."""
        return self.options.short_name or self.func.__name__

    @property
    def module(self) -> str:
        """Importable name of the module that defines it."""
        return importable_name(self.func.__module__)

    @property
    def pool(self) -> str:
        """Name of the pool whose executors run it."""
        return DEFAULT_POOL if self.options.off_pool else self.env.pool

    @property
    def retry(self) -> RetryPolicy:
        """The user's retries."""
        return self.options.retry

    @property
    def retries(self) -> int:
        """How often a failed attempt is tried again."""
        return self.options.retry.count

    @property
    def bounds(self) -> Bounds:
        """Time bounds."""
        return self.options.bounds

    @property
    def cache(self) -> Cache:
        """Whether results are kept."""
        return self.options.cache

    @property
    def max_inline_io_bytes(self) -> int:
        """The largest inputs or outputs passed by value."""
        return self.options.max_inline_io_bytes

    @property
    def max_concurrency(self) -> int | None:
        """How many of its attempts run at once; None is unlimited."""
        return self.options.max_concurrency

    @property
    def resources(self) -> Resources | None:
        """What it needs to run on."""
        return self.options.resources

    @property
    def env_vars(self) -> dict[str, str]:
        """Environment variables of its process."""
        return dict(self.options.env_vars)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Secrets that it needs."""
        return self.options.secrets

    @property
    def queue(self) -> str | None:
        """Name of its queue."""
        return self.options.queue

    @property
    def docs(self) -> object:
        """What it is about."""
        return self.options.docs

    @property
    def report(self) -> bool:
        """Whether its reports are kept."""
        return self.options.report

    @property
    def triggers(self) -> tuple[object, ...]:
        """What would start it by itself."""
        return self.options.triggers

    @property
    def links(self) -> tuple[object, ...]:
        """Links for display."""
        return self.options.links

    @property
    def json_schema(self) -> dict[str, Any]:
        """JSON schema of its inputs; a parameter of a type that JSON has no words for may be anything."""
        return input_schema(self.interface)

    @property
    def parent_env(self) -> weakref.ref[TaskEnvironment]:
        """Weak reference to its environment."""
        return weakref.ref(self.env)

    @property
    def native_interface(self) -> Interface:
        """The same as `interface`."""
        return self.interface

    def override(self, **changes: Unpack[Overrides]) -> Task[P, R]:
        """Return the same task with other settings; what is left out, or falsy, stays as it is.

        With a reuse policy, `resources`, `env_vars`, `secrets` and `service_account` need `reusable="off"` as
        well, since warm workers cannot change theirs.

        Raises:
            ValueError: a setting cannot be overridden, or not together with the environment's reuse policy.
            TypeError: there is no such setting.
        """
        given = {name: value for name, value in changes.items() if value}
        options = override_options(self.options, self.name, changes, reuses=self.env.reuse_policy is not None)
        overrides = {**self._overrides, **given}
        return Task(
            self.func,
            self.env,
            options,
            is_async=self.is_async,
            overrides=overrides,
            declared_at=self._declared_at,
        )

    # --- for the engine ---------------------------------------------------------------------------------------

    def input_digest(self, encoded: bytes) -> str:
        """Return the hash of encoded inputs, without those that the cache ignores."""
        return self.interface.input_digest(encoded, self.options.cache.ignored)

    def spec(self, encoded: bytes, *, cache: bool = True) -> TaskSpec:
        """Return what an executor must know to run this task.

        Args:
            encoded: The inputs, for the cache key.
            cache: Whether the run uses the cache at all.
        """
        if not cache or not self.options.cache.is_enabled:
            return self._spec
        base = self.batch_spec()
        assert base.cache_parts is not None  # results are kept
        return replace(
            base,
            cache_key=self.cache_key(self.input_digest(encoded)),
            cache_serialize=self.options.cache.serialize,
            cache_parts=replace(base.cache_parts, inputs=parameter_digests(encoded)),
        )

    def batch_spec(self) -> TaskSpec:
        """Return the same for a batch of calls, whose cache keys travel with the inputs."""
        if not self.options.cache.is_enabled:
            return self._spec
        return replace(
            self._spec,
            cache_write_only=self.options.cache.is_write_only,
            cache_max_age_s=self.options.cache.max_age_s,
            cache_parts=self._parts,
        )

    def cache_key(self, input_digest: str) -> str:
        """Return where the result for these inputs is kept."""
        return cache_key(
            task=self.name,
            interface=self.interface.interface_digest,
            version=self.version,
            inputs=input_digest,
        )

    @cached_property
    def code_document(self) -> CodeDocument:
        """What its cache keys are made of, besides the inputs."""
        cache, interface = self.options.cache, self.interface
        return CodeDocument(
            task=self.name,
            interface=interface.interface_digest,
            signature=interface.signature_lines,
            version=self.version,
            how=cache.how,
            policies=cache.policy_names,
            salt=cache.salt,
            ignored=cache.ignored,
            parts=self.code.parts if self.code is not None else (),
        )

    @cached_property
    def _parts(self) -> KeyParts:
        document = self.code_document
        return KeyParts(code=document.digest, version=document.label, how=document.how)

    @property
    def is_limited(self) -> bool:
        """Whether something bounds how many of its actions run at once."""
        return bool(self._spec.limits)

    @cached_property
    def version(self) -> str:
        """Version of the code, for the cache."""
        return self.options.cache.get_version(self._version_parameters)

    @cached_property
    def code(self) -> CodeVersion | None:
        """The code that `version` stands for, part by part; None where it is not made from the code."""
        return self.options.cache.code_of(self._version_parameters)

    @property
    def _version_parameters(self) -> VersionParameters:
        return VersionParameters(self.func, self.env.image, self._declared_at)

    @cached_property
    def _spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            module=self.module,
            pool=self.pool,
            short_name=self.options.short_name,
            retry=self.options.retry,
            bounds=self.options.bounds,
            env_vars=self.env_vars,
            max_inline_io_bytes=self.options.max_inline_io_bytes,
            limits=self._limits(),
            secrets=self._secrets(),
            links=self._links(),
        )

    def _links(self) -> tuple[TaskLink, ...]:
        if not self.options.links:
            return ()
        from upwell._author.links import task_links  # few tasks have links

        return task_links(self.name, self.options.links)

    def _secrets(self) -> tuple[SecretSpec, ...]:
        wanted = [(secret.name, secret.env_var) for secret in self.options.secrets]
        return tuple(SecretSpec(name=name, env_var=env_var) for name, env_var in wanted if env_var)

    def _limits(self) -> tuple[Limit, ...]:
        places = {
            task_scope(self.name): self.options.max_concurrency,
            environment_scope(self.env.name): self.env.max_concurrency,
        }
        return tuple(Limit(scope=scope, places=n) for scope, n in places.items() if n is not None)

    def __reduce__(self) -> tuple[Callable[..., Task[..., Any]], tuple[str, str, dict[str, Any]]]:
        return _restore, (self.module, self.name, self._overrides)


def _restore(module: str, name: str, overrides: dict[str, Any]) -> Task[..., Any]:
    task = resolve(module, name)
    return task.override(**overrides) if overrides else task
