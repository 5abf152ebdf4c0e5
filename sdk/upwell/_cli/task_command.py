"""A task as a command: its parameters become options, with types, defaults and help."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

import typer

from upwell._author.task import Task
from upwell._cli.arguments import element_type, is_flag, read_values, value_hint
from upwell._cli.run_options import RunFlags, option_name, pop_flags, run_parameters
from upwell._cli.session import Session, Shared, shared_parameters, with_parameters
from upwell._types.interface import Parameter

PANEL = "Parameters of the task"
_DEFAULT_SHOWN = 60


@dataclass(frozen=True, slots=True)
class TaskCall:
    """What a command line asks for: a task's inputs and the run's options."""

    inputs: dict[str, Any]
    flags: RunFlags


def read_task_call(
    session: Session, task: Task[..., Any], arguments: Sequence[str], *, prog_name: str
) -> TaskCall | None:
    """Read what stands after TASK.

    Returns:
        None when only help was asked for, and has been shown.

    Raises:
        UsageError: a value does not fit its parameter.
    """
    calls: list[TaskCall] = []
    parameters = task.interface.parameters
    names = {f"p{index}": parameter for index, parameter in enumerate(parameters.values())}

    def call(**values: Any) -> None:
        given = {parameter.name: values.pop(key) for key, parameter in names.items()}
        shared = {f.name: values.pop(f.name) for f in fields(Shared) if f.name in values}
        session.take(Shared(**shared))
        flags = pop_flags(values)
        calls.append(TaskCall(_inputs(parameters, given), flags))

    taken = {declared for parameter in parameters.values() for declared in _declared(parameter)}
    ours = [p for p in [*run_parameters(taken), *shared_parameters()] if option_name(p.name) not in taken]
    options = [_option(key, parameter, parameters) for key, parameter in names.items()]
    app = typer.Typer(add_completion=False)
    app.command(help=_help(task), epilog=_EPILOG if taken & _OUR_NAMES else None)(
        with_parameters(call, [*options, *ours])
    )
    run_typer(app, arguments, session, prog_name)
    return calls[0] if calls else None


class AsBefore:
    """What an input is that is not given again."""

    def __repr__(self) -> str:
        return "as before"


AS_BEFORE = AsBefore()


def read_new_inputs(
    session: Session, task: Task[..., Any], arguments: Sequence[str], *, prog_name: str
) -> dict[str, Any]:
    """Read inputs of a task, each of which may be left out.

    Raises:
        UsageError: a value does not fit its parameter.
    """
    found: list[dict[str, Any]] = []
    parameters = {name: replace(p, default=AS_BEFORE) for name, p in task.interface.parameters.items()}
    names = {f"p{index}": parameter for index, parameter in enumerate(parameters.values())}

    def read(**values: Any) -> None:
        found.append(_inputs(parameters, {parameter.name: values[key] for key, parameter in names.items()}))

    options = [_option(key, parameter, parameters) for key, parameter in names.items()]
    app = typer.Typer(add_completion=False)
    app.command(help=_help(task))(with_parameters(read, options))
    run_typer(app, arguments, session, prog_name)
    return found[0] if found else {}


def run_typer(app: typer.Typer, arguments: Sequence[str], session: Session, prog_name: str) -> Any:
    """Parse arguments with an app and call its function; errors are raised, not shown."""
    command = typer.main.get_command(app)
    return command.main(list(arguments), prog_name=prog_name, standalone_mode=False, obj=session)


_OUR_NAMES = {option_name(f.name) for cls in (RunFlags, Shared) for f in fields(cls)}
_EPILOG = "An option of upwell that has the name of a parameter goes before TASK."


def _declared(parameter: Parameter) -> list[str]:
    dashed = option_name(parameter.name)
    underscored = f"--{parameter.name}"
    return [dashed] if dashed == underscored else [dashed, underscored]


def _option(key: str, parameter: Parameter, siblings: dict[str, Parameter]) -> inspect.Parameter:
    names = _declared(parameter)
    annotation, is_list = parameter.annotation, element_type(parameter.annotation) is not None
    if is_flag(annotation):
        negated = f"no_{parameter.name}"
        if negated not in siblings:
            names = [f"{name}/{off}" for name, off in zip(names, _negations(names), strict=True)]
    hint = None if is_flag(annotation) else value_hint(annotation)
    option = typer.Option(
        *names, metavar=hint, help=_describe(parameter, is_list), show_default=False, rich_help_panel=PANEL
    )
    kind: Any = bool if is_flag(annotation) else list[str] if is_list else str
    default = inspect.Parameter.empty if parameter.is_required else None
    shown = kind if parameter.is_required else kind | None
    return inspect.Parameter(
        key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[shown, option]
    )


def _negations(names: list[str]) -> list[str]:
    dashed = "--no-" + names[0][2:]
    return [dashed, "--no_" + names[1][2:]] if len(names) > 1 else [dashed]


def _describe(parameter: Parameter, is_list: bool) -> str:
    parts = ["repeat it, or give a JSON array"] if is_list else []
    if not parameter.is_required:
        text = repr(parameter.default)
        text = text if len(text) <= _DEFAULT_SHOWN else text[: _DEFAULT_SHOWN - 3] + "..."
        parts.append(f"default: {text}")
    return escape("; ".join(parts))


def _help(task: Task[..., Any]) -> str:
    text = inspect.cleandoc(task.func.__doc__ or "")
    kind = "async task" if task.is_async else "task"
    return escape("\n\n".join(part for part in (f"Run {kind} {task.name}.", text) if part))


def escape(text: str) -> str:
    """Return help text in which brackets have no meaning to rich."""
    from rich.markup import escape as escaped

    return escaped(text)


def _inputs(parameters: dict[str, Parameter], given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == []:
            continue
        if isinstance(value, bool):
            found[name] = value
            continue
        texts = value if isinstance(value, list) else [value]
        found[name] = read_values(parameters[name], texts, option=option_name(name))
    return found
