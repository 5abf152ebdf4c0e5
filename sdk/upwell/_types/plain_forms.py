"""Forms of the standard library's types that pydantic has no JSON for."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from upwell._types.forms import Form, add


def _encode_pattern(pattern: re.Pattern[Any]) -> Any:
    return [pattern.pattern, pattern.flags] if isinstance(pattern.pattern, str) else NotImplemented


def _encode_timezone(zone: dt.timezone) -> list[Any]:
    offset = zone.utcoffset(None)
    name = zone.tzname(None)
    parts: list[Any] = [offset.days, offset.seconds, offset.microseconds]
    return parts if zone == dt.UTC or name == str(dt.timezone(offset)) else [*parts, name]


def _decode_timezone(parts: list[Any]) -> dt.timezone:
    return dt.timezone(dt.timedelta(*parts[:3]), *parts[3:])


add(Form(bytearray, bytes, bytearray, is_users=False))
add(Form(memoryview, bytes, memoryview, is_users=False))
add(
    Form(
        range,
        lambda numbers: [numbers.start, numbers.stop, numbers.step],
        lambda form: range(*form),
        is_users=False,
    )
)
add(Form(re.Pattern, _encode_pattern, lambda form: re.compile(*form), is_users=False))
add(Form(dt.timezone, _encode_timezone, _decode_timezone, is_users=False))
