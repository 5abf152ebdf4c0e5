"""Arrays and numbers of numpy: their bytes, never a pickle. Imported when the first of them is met."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

import numpy as np

from upwell._types.forms import Form, add

_NUMBERS = "biuf"
_WORD_BYTES = 8


@lru_cache(maxsize=256)
def _descr(dtype: np.dtype[Any]) -> Any:
    """Return a dtype as `.npy` files describe it, in lists; None where that is not all there is."""
    if dtype.hasobject:
        return None
    try:
        descr = np.lib.format.dtype_to_descr(dtype)
        return json.loads(json.dumps(descr)) if np.lib.format.descr_to_dtype(descr) == dtype else None
    except (TypeError, ValueError):
        return None


def _dtype(descr: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = (
        np.dtype(descr) if isinstance(descr, str) else np.lib.format.descr_to_dtype(_tuples(descr))
    )
    if dtype.hasobject:
        raise ValueError(f"dtype {dtype} holds addresses of objects, which mean nothing here")
    return dtype


def _tuples(descr: Any) -> Any:
    """Return a description that was JSON as numpy wants it: lists of fields, each a tuple."""
    if not isinstance(descr, list):
        return descr
    return [_field(*field) for field in descr]


def _field(name: Any, descr: Any, *shape: Any) -> Any:
    named = tuple(name) if isinstance(name, list) else name
    return (named, _tuples(descr), *(tuple(s) for s in shape))


def _encode_array(array: np.ndarray[Any, Any]) -> Any:
    if type(array) is not np.ndarray:  # a subclass has more to it than its elements
        return NotImplemented
    descr = _descr(array.dtype)
    if descr is None:
        return NotImplemented
    flags = array.flags
    order: Any = "F" if flags.f_contiguous and not flags.c_contiguous else "C"
    data = base64.b64encode(array.tobytes(order)).decode()
    return {"dtype": descr, "shape": list(array.shape), "order": order, "data": data}


def _decode_array(form: dict[str, Any]) -> np.ndarray[Any, Any]:
    data = bytearray(base64.b64decode(form["data"], validate=True))  # so that the array can be written to
    return np.ndarray(form["shape"], _dtype(form["dtype"]), data, order=form["order"])


def _encode_number(number: np.generic) -> Any:
    dtype = number.dtype
    if dtype.kind in _NUMBERS and dtype.itemsize <= _WORD_BYTES:
        return {"dtype": dtype.str, "value": number.item()}
    form = _encode_array(np.array(number))
    if dtype.kind in "SU" and _decode_number(form) != number:  # numpy's text loses zeros at its end
        return NotImplemented
    return form


def _decode_number(form: dict[str, Any]) -> Any:
    if "value" in form:
        return _dtype(form["dtype"]).type(form["value"])
    return _decode_array(form)[()]


add(Form(np.ndarray, _encode_array, _decode_array, is_users=False))
add(Form(np.generic, _encode_number, _decode_number, is_users=False))
