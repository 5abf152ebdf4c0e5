"""Arguments of a call to parameters, with messages that say what to do."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

_REFUSED = {
    inspect.Parameter.VAR_POSITIONAL: ("*", "take a list instead"),
    inspect.Parameter.VAR_KEYWORD: ("**", "take a dict instead"),
    inspect.Parameter.POSITIONAL_ONLY: ("positional-only ", "remove the '/' from its signature"),
}


class Signature:
    """The parameters of a task's function.

    Raises:
        TypeError: it has parameters that a task cannot have.
    """

    def __init__(self, func: Callable[..., Any], task_name: str) -> None:
        self._task_name = task_name
        self.parameters = dict(inspect.signature(func).parameters)
        for name, parameter in self.parameters.items():
            if parameter.kind in _REFUSED:
                prefix, advice = _REFUSED[parameter.kind]
                raise TypeError(
                    f"task {task_name!r}: a task cannot have the parameter {prefix}{name}; {advice}"
                )
        self._positional = [
            n for n, p in self.parameters.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY
        ]

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by parameter, in the order of the signature, defaults filled in.

        Raises:
            ValueError: an argument is missing, unknown, given twice, or there are too many.
        """
        if len(args) > len(self._positional):
            self._fail(
                f"got {len(args)} positional arguments but takes {len(self._positional)} "
                f"({self._described()}); leave out the last ones or pass a list"
            )
        given = dict(zip(self._positional, args, strict=False))
        for name in kwargs:
            if name not in self.parameters:
                self._fail(f"has no parameter {name!r}; {self._closest(name)}")
            if name in given:
                self._fail(f"got parameter {name!r} both by position and by name; pass it once")
        given.update(kwargs)
        return {name: self._value(name, parameter, given) for name, parameter in self.parameters.items()}

    def _value(self, name: str, parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
        if name in given:
            return given[name]
        if parameter.default is inspect.Parameter.empty:
            missing = [n for n, p in self.parameters.items() if n not in given and p.default is p.empty]
            self._fail(f"needs a value for {', '.join(map(repr, missing))}; pass {missing[0]}=...")
        return parameter.default

    def _closest(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.parameters, n=1)
        return f"did you mean {close[0]!r}?" if close else f"its parameters are: {self._described()}"

    def _described(self) -> str:
        return ", ".join(self.parameters) or "none"

    def _fail(self, text: str) -> Any:
        raise ValueError(f"task {self._task_name!r} {text}")
