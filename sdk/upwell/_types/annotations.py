"""Type annotations of functions: resolved late, made readable to pydantic, described for keys."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def local_names(func: Callable[..., Any], frame: types.FrameType | None) -> dict[str, Any]:
    """Return the local names that string annotations of a nested function may mean.

    They are copied when the function is decorated, since its frame is gone when they are needed.
    """
    is_nested = "<locals>" in getattr(func, "__qualname__", "")
    annotations = getattr(func, "__annotations__", {}).values()
    if not is_nested or not any(isinstance(annotation, str) for annotation in annotations):
        return {}
    names: dict[str, Any] = {}
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED and frame.f_globals is func.__globals__:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


def resolve_hints(func: Callable[..., Any], localns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotations of a function as types.

    Raises:
        TypeError: one names something that is not defined.
    """
    names = dict(localns)
    try:
        closure = inspect.getclosurevars(func).nonlocals
    except (TypeError, ValueError):
        closure = {}
    try:
        return typing.get_type_hints(func, localns={**closure, **names} or None, include_extras=True)
    except NameError as e:
        raise TypeError(
            f"{e}: it is used in an annotation of {func.__qualname__!r}; import or define it"
        ) from e


def widen_for_default(annotation: Any, default: Any) -> Any:
    """Read `x: int = None` as an optional parameter."""
    if default is None and annotation is not Any and annotation is not None:
        return typing.Optional[annotation]  # noqa: UP045  # `|` is not defined for every annotation
    return annotation


def prepare(annotation: Any) -> None:
    """Let pydantic read the `typing.TypedDict` classes that an annotation mentions.

    Before Python 3.12 it wants those of typing_extensions. Each class gets pydantic's own hook, which
    describes it by such a twin.
    """
    if sys.version_info >= (3, 12):
        return
    for cls in mentioned_classes(annotation):
        if type(cls).__module__ == "typing" and typing.is_typeddict(cls):
            _add_twin(cls)


def _add_twin(cls: Any) -> None:
    if "__get_pydantic_core_schema__" in vars(cls):
        return
    fields = {}
    for name, hint in field_hints(cls).items():
        is_marked = get_origin(hint) in (typing.Required, typing.NotRequired)
        is_required = name in cls.__required_keys__
        fields[name] = (
            hint if is_marked else (typing.Required[hint] if is_required else typing.NotRequired[hint])
        )
    make_typed_dict: Any = typing_extensions.TypedDict
    twin = make_typed_dict(cls.__name__, fields)
    twin.__module__, twin.__qualname__ = cls.__module__, cls.__qualname__
    for field in fields.values():
        prepare(field)

    def describe(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(twin)

    cls.__get_pydantic_core_schema__ = staticmethod(describe)


def mentioned_classes(annotation: Any) -> Iterator[type]:
    """Yield the classes in an annotation and in the fields of its structures, each once."""
    seen: set[Any] = set()
    open_annotations = [annotation]
    while open_annotations:
        item = open_annotations.pop()
        if get_origin(item) is not None:
            args = get_args(item)
            open_annotations += args[:1] if get_origin(item) is Annotated else args
            item = get_origin(item)
        if isinstance(item, list):  # the parameters of a Callable
            open_annotations += item
        elif isinstance(item, type) and item not in seen:
            seen.add(item)
            yield item
            open_annotations += field_hints(item).values()


def field_hints(cls: type) -> dict[str, Any]:
    """Return the annotations of a structure's fields; nothing for other classes."""
    if not (
        dataclasses.is_dataclass(cls)
        or typing_extensions.is_typeddict(cls)
        or issubclass(cls, BaseModel)
        or hasattr(cls, "_fields")
    ):
        return {}
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError):
        return dict(getattr(cls, "__annotations__", {}))


def describe(annotation: Any) -> str:
    """Return a text that names a type and the fields of the structures in it, the same in every process."""
    parts = [_name(annotation)]
    for cls in mentioned_classes(annotation):
        fields = field_hints(cls)
        if fields:
            parts.append(
                f"{_name(cls)}({', '.join(f'{name}: {_name(hint)}' for name, hint in fields.items())})"
            )
    return "; ".join([parts[0], *sorted(parts[1:])])


def type_name(annotation: Any) -> str:
    """Return a type's name for messages: as it is written in code, without module names."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return re.sub(r"\b[A-Za-z_][\w.]*\.(?=[A-Za-z_])", "", _ADDRESS.sub("", repr(annotation)))


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return f"{annotation.__module__}.{annotation.__qualname__}"
    return _ADDRESS.sub("", repr(annotation))
