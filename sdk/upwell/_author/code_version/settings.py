"""Settings of tasks and environments: they say how and where code runs, and are not code themselves."""

from __future__ import annotations

import ast

from upwell._author.code_version.places import OWN_PACKAGES


def is_environment_class(name: str) -> bool:
    """Whether a dotted name is `TaskEnvironment`, from wherever in upwell it is imported."""
    names = name.split(".")
    return names[0] in OWN_PACKAGES and names[-1] == "TaskEnvironment"


def version_settings(decorator: ast.expr) -> ast.expr | None:
    """Return what is left of a task's decorator: what `cache=` says of the version of its code."""
    caches = (
        [k.value for k in decorator.keywords if k.arg == "cache"] if isinstance(decorator, ast.Call) else []
    )
    if not caches or not isinstance(decorator, ast.Call):
        return None
    cache = caches[0]
    if isinstance(cache, ast.Constant):
        return None
    if isinstance(cache, ast.Call):
        said = [k for k in cache.keywords if k.arg in ("version_override", "salt")]
        if not said:
            return None
        cache = ast.Call(func=cache.func, args=[], keywords=said)
    return ast.Call(func=decorator.func, args=[], keywords=[ast.keyword(arg="cache", value=cache)])
