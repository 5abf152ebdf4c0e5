"""Text of the command line to values of a task's parameters, by their annotations."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from upwell._cli.lengths import is_length, read_seconds
from upwell._types.annotations import type_name
from upwell._types.codec import Codec
from upwell._types.interface import Parameter
from upwell._types.value_problem import ValueProblem
from upwell.errors import UsageError

LISTS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.deque)
_HINTS = {Any: "VALUE", str: "TEXT", timedelta: "90s|5m|2h"}


def core_type(annotation: Any) -> Any:
    """Return an annotation without `Annotated` and without `| None`."""
    if typing.get_origin(annotation) is Annotated:
        return core_type(typing.get_args(annotation)[0])
    members = _union_members(annotation)
    if members is None:
        return annotation
    real = [m for m in members if m is not type(None)]
    return core_type(real[0]) if len(real) == 1 else annotation


def element_type(annotation: Any) -> Any | None:
    """Return the type of a list's elements; None for what is not a list of one type."""
    core = core_type(annotation)
    origin, args = typing.get_origin(core) or core, typing.get_args(core)
    if origin is tuple:
        return args[0] if len(args) == 2 and args[1] is Ellipsis else None
    if origin not in LISTS:
        return None
    return args[0] if args else Any


def is_flag(annotation: Any) -> bool:
    """Whether a parameter is given as `--name` or `--no-name`."""
    return core_type(annotation) is bool


def is_structured(annotation: Any) -> bool:
    """Whether a value is written as JSON."""
    core = core_type(annotation)
    origin = typing.get_origin(core) or core
    if element_type(core) is not None or origin in (dict, tuple, collections.abc.Mapping):
        return True
    if not isinstance(origin, type) or _is_reference(origin):
        return False
    return (
        dataclasses.is_dataclass(origin)
        or hasattr(origin, "__required_keys__")
        or hasattr(origin, "_fields")
        or (hasattr(origin, "model_fields"))
    )


def value_hint(annotation: Any) -> str:
    """Return how a value is written, for help: `INT`, `[a|b]`, `JSON`."""
    core = core_type(annotation)
    origin = typing.get_origin(core) or core
    if origin is typing.Literal:
        return "[" + "|".join(str(a) for a in typing.get_args(core)) + "]"
    if isinstance(core, type) and issubclass(core, Enum):
        return "[" + "|".join(str(m.value) for m in core) + "]"
    inner = element_type(core)
    if inner is not None and not is_structured(inner):
        return f"{value_hint(inner)}..."
    if is_structured(core):
        return "JSON|@FILE"
    if isinstance(origin, type) and _is_reference(origin):
        return "PATH|URI"
    return _HINTS.get(core) or (type_name(core).upper() if isinstance(core, type) else type_name(core))


def read_values(parameter: Parameter, texts: Sequence[str], *, option: str) -> Any:
    """Return a parameter's value from the texts that were given for its option.

    Lists take one text that is a JSON array, or a text per element.

    Raises:
        UsageError: they don't fit the parameter's type.
    """
    element = element_type(parameter.annotation)
    if element is None:
        if len(texts) > 1:
            raise UsageError(
                f"{option} is given {len(texts)} times; it takes one {value_hint(parameter.annotation)}"
            )
        return read_value(parameter.annotation, texts[0], option=option)
    if len(texts) == 1 and _is_array(_content(texts[0], option)):
        return _read_array(parameter.annotation, element, texts[0], option)
    return _checked(parameter.annotation, [read_value(element, t, option=option) for t in texts], option)


def _read_array(annotation: Any, element: Any, text: str, option: str) -> Any:
    """Read a JSON array as the whole list; or as its one element, where elements are arrays too."""
    try:
        return read_value(annotation, text, option=option)
    except UsageError:
        if not is_structured(element):
            raise
        try:
            return _checked(annotation, [read_value(element, text, option=option)], option)
        except UsageError:
            pass
        raise


def read_json_object(text: str, *, option: str) -> dict[str, Any]:
    """Return a JSON object; `-` stands for what is on stdin, `@file` for the content of a file.

    Raises:
        UsageError: it is none.
    """
    text = sys.stdin.read() if text == "-" else text
    found = next(iter(_json(_content(text, option))), None)
    if not isinstance(found, dict):
        raise UsageError(f"{option}: expects one JSON object, got {_shown(text)}")
    return found


def read_json_inputs(parameters: Mapping[str, Parameter], text: str, *, option: str) -> dict[str, Any]:
    """Return inputs that are given as one JSON object, by name.

    Raises:
        UsageError: it is none, has unknown names, or a value does not fit its parameter.
    """
    found = read_json_object(text, option=option)
    unknown = [name for name in found if name not in parameters]
    if unknown:
        known = ", ".join(parameters) or "none"
        raise UsageError(f"{option}: the task has no parameter {unknown[0]!r}; its parameters: {known}")
    return {
        name: read_value(annotation, _text_of(value, annotation), option=f"{option}: {name}")
        for name, value in found.items()
        for annotation in [parameters[name].annotation]
    }


def _text_of(value: Any, annotation: Any) -> str:
    return value if isinstance(value, str) and not is_structured(annotation) else json.dumps(value)


def read_value(annotation: Any, text: str, *, option: str) -> Any:
    """Return the value that a text means for a type.

    Raises:
        UsageError: it is none of that type; the message names the option.
    """
    core = core_type(annotation)
    problem: UsageError | None = None
    for candidate in _candidates(core, text, option):
        try:
            return _checked(annotation, candidate, option, shown=text)
        except UsageError as e:
            problem = problem or e
    if problem is None:
        wanted = type_name(core)
        raise UsageError(
            f"{option}: expects {wanted} as JSON, got {_shown(text)}; give JSON text or @file.json"
        )
    raise problem


def _candidates(core: Any, text: str, option: str) -> list[Any]:
    """Return what a text may mean, the likeliest first."""
    if core is str:
        return [text]
    origin = typing.get_origin(core) or core
    if isinstance(origin, type) and _is_reference(origin):
        return [_reference(origin, text, option)]
    if is_structured(core):
        return _json(_content(text, option))
    if core is timedelta and is_length(text):
        return [timedelta(seconds=read_seconds(text, option=option))]
    if isinstance(core, type) and issubclass(core, Enum):
        return [text, *([core[text]] if text in core.__members__ else []), *_json(text)]
    if core is Any or _union_members(core) is not None:
        return [*_json(text), text]
    return [text, *_json(text)]


def _json(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except ValueError:
        return []


def _is_array(text: str) -> bool:
    return any(isinstance(value, list) for value in _json(text))


def _content(text: str, option: str) -> str:
    """Return a structured value's text; `@file` stands for the content of the file."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text()
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"{option}: cannot read {text[1:]!r}: {e}; give JSON text or @file.json") from None


def _reference(cls: type, text: str, option: str) -> Any:
    """Return a reference to a URI, or to a file or folder of this machine."""
    from upwell.io import Directory

    if "://" in text:
        return cls(path=text)
    path = Path(text).absolute()
    is_there = path.is_dir() if issubclass(cls, Directory) else path.is_file()
    if not is_there:
        kind = "folder" if issubclass(cls, Directory) else "file"
        raise UsageError(f"{option}: there is no {kind} {text!r} in {Path.cwd()}; give a path or an s3:// URI")
    return cls(path=str(path))


def _checked(annotation: Any, value: Any, option: str, *, shown: str | None = None) -> Any:
    from pydantic import ValidationError

    try:
        reader = Codec({"value": annotation}, {}, with_digest=False).texts
        return reader.validate_python({"value": value})["value"]
    except ValidationError as e:
        first = e.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        detail = f"at {where}: {first['msg']}" if where else first["msg"]
        got = _shown(value if shown is None else shown)
        raise UsageError(f"{option}: expects {type_name(annotation)}, got {got} ({detail})") from None
    except ValueProblem as e:
        raise UsageError(f"{option}: {e.text}") from None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_reference(cls: type) -> bool:
    from upwell._types.reference import Reference

    return issubclass(cls, Reference)


def _union_members(annotation: Any) -> tuple[Any, ...] | None:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return typing.get_args(annotation)
    return None
