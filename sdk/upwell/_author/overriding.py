"""Which settings `task.override(...)` may change, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict

from upwell._author.cache import CacheRequest, to_cache
from upwell._author.options import TaskOptions, to_inline_bytes, to_max_concurrency, to_tuple, warn_ignored
from upwell._author.policies import Retries, TimeoutType, to_bounds, to_retry_policy
from upwell._author.resources import Resources
from upwell._author.secret import SecretRequest, to_secrets
from upwell.errors import UnsupportedError

_FIXED = ("name", "image", "docs", "interface")
_OF_THE_WORKER = ("resources", "env_vars", "secrets", "service_account")
_IGNORED = ("service_account", "pod_template", "plugin_config")
_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "short_name": ("short_name", str),
    "resources": ("resources", lambda value: value),
    "cache": ("cache", to_cache),
    "retries": ("retry", to_retry_policy),
    "timeout": ("bounds", to_bounds),
    "env_vars": ("env_vars", dict),
    "secrets": ("secrets", to_secrets),
    "max_inline_io_bytes": ("max_inline_io_bytes", to_inline_bytes),
    "max_concurrency": ("max_concurrency", lambda value: to_max_concurrency(value, "override")),
    "queue": ("queue", str),
    "interruptible": ("interruptible", bool),
    "entrypoint": ("entrypoint", bool),
    "produces_artifacts": ("produces_artifacts", bool),
    "links": ("links", to_tuple),
}


class Overrides(TypedDict, total=False):
    """What `task.override(...)` takes."""

    short_name: str | None
    resources: Resources | None
    cache: CacheRequest | None
    retries: Retries
    timeout: TimeoutType | None
    reusable: Literal["off"] | None
    env_vars: Mapping[str, str] | None
    secrets: SecretRequest | None
    service_account: str | None
    max_inline_io_bytes: int | str | None
    max_concurrency: int | None
    pod_template: object
    queue: str | None
    interruptible: bool | None
    entrypoint: bool | None
    produces_artifacts: bool | None
    links: object
    plugin_config: object


def override_options(options: TaskOptions, task: str, changes: Overrides, *, reuses: bool) -> TaskOptions:
    """Return options with some of them replaced.

    Args:
        options: The ones before.
        task: Name of the task, for errors.
        changes: Arguments of `override`; falsy ones change nothing.
        reuses: Whether the environment has a reuse policy.

    Raises:
        ValueError: a setting cannot be overridden, or not together with the reuse policy.
        TypeError: there is no such setting.
        UnsupportedError: `reusable` is something else than `off`.
    """
    for name in changes:
        if name in _FIXED:
            raise ValueError(f"{task}.override({name}=...): a task's {name} cannot be overridden")
        if name not in Overrides.__annotations__:
            raise TypeError(f"{task}.override() got an unexpected keyword argument {name!r}")
    given: dict[str, Any] = {name: value for name, value in changes.items() if value}
    off_pool = options.off_pool or _turns_off(task, given.get("reusable"))
    bound = [name for name in _OF_THE_WORKER if name in given]
    if reuses and bound and not off_pool:
        raise ValueError(
            f"{task}.override({bound[0]}=...): its environment has a reuse policy, and warm workers cannot "
            f"change their {bound[0]}; add reusable='off' to run this call outside the pool"
        )
    warn_ignored(f"{task}.override", {name: given.get(name) for name in _IGNORED})
    converted = {field: convert(given[name]) for name, (field, convert) in _FIELDS.items() if name in given}
    return replace(options, off_pool=off_pool, **converted)


def _turns_off(task: str, reusable: object) -> bool:
    if reusable is None:
        return False
    if reusable != "off":
        raise UnsupportedError(
            f"{task}.override(reusable={reusable!r}): a reuse policy belongs to an environment; "
            "use env.clone_with(name, reuse_policy=...), or reusable='off'"
        )
    return True
