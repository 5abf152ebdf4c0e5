"""Types that travel in a form of their own: the registry behind `upwell.io.register`."""

from __future__ import annotations

import importlib
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from upwell._types.main_module import MAIN, importable_name

T = TypeVar("T")
_HAVE_JSON = {"builtins", "datetime", "decimal", "fractions", "ipaddress", "pathlib", "uuid"}
"""Modules whose classes have a form; their subclasses elsewhere have none."""
_LATE = {"numpy": "upwell._types.numpy_forms"}
"""Modules that register forms, by the package whose types they are for: imported when a type of it is met."""


@dataclass(frozen=True, slots=True)
class Form:
    """How values of a class and of its subclasses travel.

    Attributes:
        cls: The class.
        encode: Value to bytes or to what JSON holds; `NotImplemented` leaves a value to pickle.
        decode: What `encode` returned to an equal value.
        is_users: Whether it goes before the class's own way of being pickled.
    """

    cls: type
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    is_users: bool = True

    @property
    def name(self) -> str:
        """The class on the wire: `module.qualname`, where other processes can import it."""
        return f"{importable_name(self.cls.__module__)}.{self.cls.__qualname__}"


class UnknownFormError(Exception):
    """A value came in the form of a type that is not registered here."""


_forms: dict[type, Form] = {}
_by_name: dict[str, Form] = {}
_found: weakref.WeakKeyDictionary[type, Form | None] = weakref.WeakKeyDictionary()
_loaded: set[str] = set()


def register(cls: type[T], encode: Callable[[T], Any], decode: Callable[[Any], T]) -> None:
    """Say how values of a class travel between tasks, wherever they are: in containers and models, too.

    Call it in the module that defines the class or the tasks, so that executors call it as well. It goes before
    what upwell would do: a dataclass that is registered travels in its registered form. Values of subclasses
    travel in it too, unless they are registered themselves. In cache keys a value counts by what `encode`
    returns, so the same value must always give the same.

    Args:
        cls: A class; of the builtin types and those that JSON has a form for, only subclasses.
        encode: Value to bytes, or to what JSON holds: None, bool, int, float, str, lists, dicts with string
            keys, and values of registered types in these.
        decode: What `encode` returned to the value.

    Raises:
        TypeError: `cls` is not a class, or one that has a form already.
        ValueError: it is registered with other functions.

    Example:
        >>> import upwell.io
        >>> class Money:
        ...     def __init__(self, cents: int) -> None:
        ...         self.cents = cents
        >>> upwell.io.register(Money, encode=lambda money: money.cents, decode=Money)
    """
    if not isinstance(cls, type):
        raise TypeError(
            f"upwell.io.register({cls!r}, ...): that is not a class; register the class of the values"
        )
    if cls.__module__ in _HAVE_JSON:
        raise TypeError(
            f"upwell.io.register({cls.__name__}, ...): {cls.__name__} travels as it is; register a class of "
            "your own"
        )
    known = _forms.get(cls)
    if known is not None and not (_is_same(known.encode, encode) and _is_same(known.decode, decode)):
        raise ValueError(
            f"upwell.io.register({cls.__qualname__}, ...): {known.name} is registered with encode="
            f"{_described(known.encode)} and decode={_described(known.decode)}; register a class once"
        )
    add(Form(cls, encode, decode))


def add(form: Form) -> None:
    """Make a form known; it takes the place of an earlier one for a class of this name."""
    _forms[form.cls] = form
    _by_name[f"{form.cls.__module__}.{form.cls.__qualname__}"] = form
    _found.clear()


def form_of(cls: type) -> Form | None:
    """Return the form of a class, or of the nearest class that it derives from."""
    try:
        return _found[cls]
    except KeyError:
        pass
    form = next((_forms[base] for base in cls.__mro__ if base in _forms), None)
    if form is None and any(_load(base.__module__) for base in cls.__mro__):
        return form_of(cls)
    _found[cls] = form
    return form


def form_named(name: str) -> Form:
    """Return the form of a class by its name on the wire.

    Raises:
        UnknownFormError: there is none.
    """
    _load(name)
    script = importable_name(MAIN)
    own = f"{MAIN}{name.removeprefix(script)}" if name.startswith(f"{script}.") else name
    if own in _by_name:
        return _by_name[own]
    raise UnknownFormError(
        f"{name} has a form of its own, which is not registered here; call upwell.io.register("
        f"{name.rpartition('.')[2]}, ...) in the module that defines the class or the tasks, so that every "
        "process that imports it does"
    )


def _load(module: str) -> bool:
    """Import what registers the forms of a package; say whether that was new."""
    package = module.partition(".")[0]
    if package not in _LATE or package in _loaded:
        return False
    _loaded.add(package)
    importlib.import_module(_LATE[package])
    return True


def _is_same(left: Callable[..., Any], right: Callable[..., Any]) -> bool:
    """Say whether two functions are the same, or of the same code: a module may be loaded twice."""
    if left is right:
        return True
    code = getattr(left, "__code__", None)
    return code is not None and code == getattr(right, "__code__", None)


def _described(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', repr(function))}"
