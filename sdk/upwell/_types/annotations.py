"""Type annotations of functions: resolved late, made readable to pydantic, described for keys."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

import typing_extensions
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import any_schema

from upwell._types.main_module import MAIN, importable_name

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Hints:
    """The annotations of a function, resolved when they are first needed.

    It keeps no reference to the function, so that interfaces can be cached by function without keeping it.

    Args:
        func: A function.
        frame: Where it is decorated; string annotations of nested functions may mean its local names, and
            it is gone when they are needed.
    """

    def __init__(self, func: Callable[..., Any], frame: types.FrameType | None) -> None:
        original: Any = inspect.unwrap(func)
        self._name = getattr(original, "__qualname__", repr(original))
        self._annotations = dict(getattr(original, "__annotations__", {}))
        self._globals = getattr(original, "__globals__", {})
        self._locals: dict[str, Any] = {}
        self._cells: dict[str, Any] = {}
        if "<locals>" in self._name and isinstance(original, types.FunctionType):
            self._cells = dict(zip(original.__code__.co_freevars, original.__closure__ or (), strict=True))
            self._locals = _enclosing_types(original, frame)

    def resolve(self) -> dict[str, Any]:
        """Return the annotations as types.

        Raises:
            TypeError: one names something that is not defined.
        """
        holder = types.SimpleNamespace(__annotations__=self._annotations)
        try:
            return typing.get_type_hints(holder, self._globals, self.names(), include_extras=True)
        except NameError as e:
            text = f"{e}: it is used in an annotation of {self._name!r}; import or define it"
            raise TypeError(f"{text} where the module runs, not under TYPE_CHECKING alone") from e

    def names(self) -> dict[str, Any]:
        """Return the local names that annotations may mean."""
        closure = {name: cell.cell_contents for name, cell in self._cells.items() if _is_filled(cell)}
        return {**self._locals, **closure}


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # reading an empty cell is the only test there is
    except ValueError:
        return False
    return True


def _enclosing_types(func: Any, frame: types.FrameType | None) -> dict[str, Any]:
    """Return the types among the local names around a nested function; other values are not kept."""
    names: dict[str, Any] = {}
    while frame is not None:
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED and frame.f_globals is func.__globals__:
            found = {name: value for name, value in frame.f_locals.items() if _is_for_annotations(value)}
            names = {**found, **names}
        frame = frame.f_back
    return names


def _is_for_annotations(value: Any) -> bool:
    return isinstance(value, (type, types.ModuleType, typing.TypeVar)) or get_origin(value) is not None


def widen_for_default(annotation: Any, default: Any) -> Any:
    """Read `x: int = None` as an optional parameter."""
    if default is None and annotation is not Any and annotation is not None:
        return typing.Optional[annotation]  # noqa: UP045  # `|` is not defined for every annotation
    return annotation


def variadic_type(hint: Any, kind: Any) -> Any:
    """Return the type of all that `*args` or `**kwargs` take, from what they are annotated with."""
    is_unpacked = getattr(hint, "__unpacked__", False)  # *args: *tuple[int, str]
    if is_unpacked or get_origin(hint) in (typing.Unpack, typing_extensions.Unpack):
        inner = hint if is_unpacked else get_args(hint)[0]
        if kind is inspect.Parameter.VAR_KEYWORD:
            return inner
        args = get_args(inner) if get_origin(inner) is tuple else (Any, ...)
        return tuple[args]  # type: ignore[valid-type]  # known when it runs
    if isinstance(hint, (typing.ParamSpecArgs, typing.ParamSpecKwargs)):
        hint = Any
    return tuple[hint, ...] if kind is inspect.Parameter.VAR_POSITIONAL else dict[str, hint]


def prepare(annotation: Any, names: Mapping[str, Any]) -> None:
    """Let pydantic read classes that it refuses, by giving them its own hook.

    Before Python 3.12 it refuses `typing.TypedDict`: such a class is described by its typing_extensions twin.
    A protocol that cannot be tested at run time takes any value.
    """
    for cls in mentioned_classes(annotation, names):
        if "__get_pydantic_core_schema__" in vars(cls):
            continue
        if sys.version_info < (3, 12) and type(cls).__module__ == "typing" and typing.is_typeddict(cls):
            _add_twin(cls, names)
        if getattr(cls, "_is_protocol", False) and not getattr(cls, "_is_runtime_protocol", False):
            cls.__get_pydantic_core_schema__ = staticmethod(lambda *_: any_schema())  # type: ignore[attr-defined]  # the hook


def _add_twin(cls: Any, names: Mapping[str, Any]) -> None:
    fields = {}
    for name, hint in field_hints(cls, names).items():
        is_marked = get_origin(hint) in (typing.Required, typing.NotRequired)
        is_required = name in cls.__required_keys__
        fields[name] = (
            hint if is_marked else (typing.Required[hint] if is_required else typing.NotRequired[hint])
        )
    make_typed_dict: Any = typing_extensions.TypedDict
    twin = make_typed_dict(cls.__name__, fields)
    twin.__module__, twin.__qualname__ = cls.__module__, cls.__qualname__

    def describe(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(twin)  # a reference, where the class mentions itself

    cls.__get_pydantic_core_schema__ = staticmethod(describe)


def mentioned_classes(annotation: Any, names: Mapping[str, Any] = MappingProxyType({})) -> Iterator[type]:
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
            open_annotations += field_hints(item, names).values()


def field_hints(cls: type, names: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Return the annotations of a structure's fields; nothing for other classes."""
    if not (
        dataclasses.is_dataclass(cls)
        or typing_extensions.is_typeddict(cls)
        or issubclass(cls, BaseModel)
        or hasattr(cls, "_fields")
    ):
        return {}
    try:
        return typing.get_type_hints(cls, None, dict(names) or None, include_extras=True)
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
        return f"{importable_name(annotation.__module__)}.{annotation.__qualname__}"
    return _ADDRESS.sub("", repr(annotation)).replace(f"{MAIN}.", f"{importable_name(MAIN)}.")
