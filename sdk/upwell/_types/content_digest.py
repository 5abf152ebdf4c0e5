"""A hash of a pickled value that is the same in every process.

The bytes of a pickle are not: they depend on which equal objects are the same object, on the order of sets,
and on the random id that cloudpickle gives to a class that it pickles by value. Action ids are made of
inputs, so a parent that replays in another process must get the same hash.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
import types
from typing import Any, ClassVar

from upwell._types.forms import form_of
from upwell._types.main_module import MAIN, importable_name
from upwell._types.reference import Reference

_EMPTY_SET, _FROZENSET = b"\x8f", b"\x91"
_SEQUENCES = frozenset({list, tuple})
_CONTAINERS = _SEQUENCES | {dict}
_DIGEST_BYTES = 16


def content_digest(value: Any, pickled: bytes) -> str:
    """Return the hash of a value, or of its pickle where the value cannot be walked (a cycle)."""
    try:
        return digest(_content(value))
    except Exception:  # any code of the value's class may run here, and it was pickled before
        return digest(pickled)


def _content(value: Any) -> bytes:
    """Return bytes that equal values share; the order of plain dicts does not matter."""
    kind = type(value)
    if kind is dict:
        items = sorted(digest(_content(key)) + digest(_content(item)) for key, item in value.items())
        return b"dict" + "".join(items).encode()
    if kind in _SEQUENCES and not _CONTAINERS.isdisjoint(map(type, value)):
        return kind.__name__.encode() + "".join(digest(_content(item)) for item in value).encode()
    stream = _stream(_DigestPickler, value)
    if _EMPTY_SET in stream or _FROZENSET in stream:
        # Perhaps a set: only the slow pickler can be told how to write one.
        stream = _stream(_SetDigestPickler, value)
    return stream


def digest(data: bytes) -> str:
    """Return the hash that names inputs and contents."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def _stream(pickler: type[Any], value: Any) -> bytes:
    buffer = io.BytesIO()
    writer = pickler(buffer, 4)
    writer.fast = True  # no memo: equal objects are written alike, whether they are one object or two
    writer.dump(value)
    return buffer.getvalue()


def _name(*parts: Any) -> Any:
    """Stand for an object in a digest; never called, since digests are not loaded."""
    return parts


def _reduce(obj: Any) -> Any:
    if obj is _name:
        return NotImplemented
    form = form_of(type(obj))
    if form is not None and form.is_users:
        return _name, ("form", form.name, form.encode(obj))
    if isinstance(obj, Reference):
        return _name, ("reference", *obj.identity())
    if isinstance(obj, type):
        return _name, ("class", importable_name(obj.__module__), obj.__qualname__)
    if isinstance(obj, types.FunctionType):
        if _is_importable(obj):
            return _name, ("function", importable_name(obj.__module__), obj.__qualname__)
        return _name, ("function", *_code(obj.__code__), obj.__defaults__, obj.__kwdefaults__, _cells(obj))
    if isinstance(obj, types.ModuleType):
        return _name, ("module", importable_name(obj.__name__))
    return NotImplemented


def _is_importable(function: types.FunctionType) -> bool:
    module = sys.modules.get(function.__module__)
    has_name = importable_name(function.__module__) != MAIN
    return has_name and getattr(module, function.__qualname__, None) is function


def _code(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(_code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.co_qualname, code.co_code, code.co_names, constants


def _cells(function: types.FunctionType) -> tuple[Any, ...]:
    return tuple(cell.cell_contents for cell in function.__closure__ or ())


class _DigestPickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        return _reduce(obj)


def _save_set(pickler: Any, obj: Any) -> None:
    members = sorted(digest(_stream(_SetDigestPickler, member)) for member in obj)
    pickler.save_reduce(_name, (type(obj).__name__, *members), obj=obj)


class _SetDigestPickler(pickle._Pickler):
    dispatch: ClassVar[Any] = {**pickle._Pickler.dispatch, set: _save_set, frozenset: _save_set}

    def reducer_override(self, obj: Any) -> Any:
        return _reduce(obj)
