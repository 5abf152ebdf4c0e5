"""Names that programs written elsewhere import, with nothing behind them: they say so when they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from upwell.errors import UnsupportedError


class _Refusing(type):
    """Classes that can be named, in annotations too, and not used."""

    reason: str

    def __call__(cls, *_: object, **__: object) -> Any:
        raise UnsupportedError(cls.reason)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(cls.reason)


def placeholder(name: str, why: str) -> Any:
    """Return something of a name that raises `UnsupportedError` when it is called or looked into.

    Args:
        name: As the user writes it: `upwell.serve`.
        why: What upwell does not do, and what to do instead.
    """
    return _Refusing(name.rpartition(".")[2], (), {"reason": f"{name}: {why}", "__doc__": why})


def names_of(module: str, why: str) -> Callable[[str], Any]:
    """Return a module's `__getattr__` that has a placeholder for every name."""

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return placeholder(f"{module}.{name}", why)

    return get


APPS = "upwell runs tasks and serves no apps; put an app on a service of its own, and have it call upwell.run"
CONDITIONS = "tasks cannot wait for a signal from outside yet; end the run, and start another when it comes"
ARTIFACTS = "there is no registry of artifacts; pass files and directories on as outputs, or name them"
CONTAINERS = "tasks are Python functions, and there is no container pool; call what you need from one"
MODELS = "download the model in a task, and pass it on as a Directory"
ORCHESTRATORS = "tasks run as they are, in a process of their own each; call the function as an ordinary task"
AGENTS = "there is nothing for agents; call the model's own client in a task or a trace"
CLUSTERS = "one task runs on one executor; divide the work over tasks"
REGISTRY = "the platform keeps runs and actions, and no registry of other things"
PLUGINS = "there are no plugins; register a type of values with upwell.io.register"

serve = placeholder("upwell.serve", APPS)
with_servecontext = placeholder("upwell.with_servecontext", APPS)
new_condition = placeholder("upwell.new_condition", CONDITIONS)
ConditionWebhook = placeholder("upwell.ConditionWebhook", CONDITIONS)
run_python_script = placeholder(
    "upwell.run_python_script", "only tasks can be run; put the script's code into a function with @env.task"
)
load_interactive_ctx = placeholder(
    "upwell.load_interactive_ctx", "there are no debug sessions in the cloud; run the task with mode='local'"
)
load_plugin_config = placeholder("upwell.load_plugin_config", PLUGINS)
