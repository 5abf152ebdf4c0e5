"""Arguments of a call to parameters and back, with messages that say what to do."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

_NAMED_ONLY = {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}


class Signature:
    """The parameters of a task's function.

    What `*args` and `**kwargs` take is one value each, by the parameter's name: a tuple, and a dict.
    """

    def __init__(self, func: Callable[..., Any], task_name: str) -> None:
        self._task_name = task_name
        self.parameters = dict(inspect.signature(func).parameters)
        self.count = len(self.parameters)
        kinds = {name: parameter.kind for name, parameter in self.parameters.items()}
        self._positional = [name for name, kind in kinds.items() if kind not in _NAMED_ONLY]
        self._positional_only = {n for n, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_ONLY}
        self._var_positional = _named(kinds, inspect.Parameter.VAR_POSITIONAL)
        self._var_keyword = _named(kinds, inspect.Parameter.VAR_KEYWORD)
        self._none_given: dict[str, Any] = {
            name: empty
            for name, empty in ((self._var_positional, ()), (self._var_keyword, {}))
            if name is not None
        }
        self._defaults = {
            name: parameter.default
            for name, parameter in self.parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        self._is_plain = not (self._positional_only or self._var_positional or self._var_keyword)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by parameter, in the order of the signature, defaults filled in.

        Raises:
            ValueError: an argument is missing, unknown, given twice, or there are too many.
        """
        if len(args) > len(self._positional) and self._var_positional is None:
            self._fail(
                f"got {len(args)} positional arguments but takes {len(self._positional)} "
                f"({self._described()}); leave out the last ones or pass a list"
            )
        given = dict(zip(self._positional, args, strict=False))
        if self._is_plain:
            self._check_names(given, kwargs)
            given.update(kwargs)
        else:
            self._take_rest(given, args, kwargs)
        return self._completed(given)

    def complete(self, values: Mapping[str, Any], elsewhere: Collection[str]) -> dict[str, Any]:
        """Return values by parameter, with the defaults of those that have one neither here nor elsewhere.

        Raises:
            ValueError: there is no such parameter, or one has neither a value nor a default.
        """
        for name in values:
            if name not in self.parameters:
                self._fail(f"has no parameter {name!r}; {self._closest(name)}")
        rest = {name: empty for name, empty in self._none_given.items() if name not in elsewhere}
        completed = self._completed({**rest, **dict.fromkeys(elsewhere), **values})
        return {name: value for name, value in completed.items() if name in values or name not in elsewhere}

    def arguments(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return values by parameter as the arguments of a call; parameters that have no value are left out.

        Raises:
            ValueError: a value that goes by position comes after one that is missing.
        """
        if self._is_plain:
            return (), dict(values)
        rest = tuple(values.get(self._var_positional, ())) if self._var_positional else ()
        by_position = [name for name in self._positional if rest or name in self._positional_only]
        args = []
        for name in by_position:
            if name in values or name in self._defaults:
                args.append(values[name] if name in values else self._defaults[name])
            else:
                self._fail(f"needs a value for {name!r}, which comes before others; pass it as well")
        placed = {*by_position, self._var_positional, self._var_keyword}
        kwargs = {name: value for name, value in values.items() if name not in placed}
        if self._var_keyword is not None and self._var_keyword in values:
            kwargs |= values[self._var_keyword]
        return (*args, *rest), kwargs

    def _check_names(self, given: dict[str, Any], kwargs: Mapping[str, Any]) -> None:
        for name in kwargs:
            if name not in self.parameters:
                self._fail(f"has no parameter {name!r}; {self._closest(name)}")
            if name in given:
                self._fail(f"got parameter {name!r} both by position and by name; pass it once")

    def _take_rest(self, given: dict[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Add what goes to variadic parameters, and refuse names that are not for use in calls."""
        by_name = {
            name: value
            for name, value in kwargs.items()
            if name in self.parameters
            and name not in self._positional_only
            and name not in (self._var_positional, self._var_keyword)
        }
        more = {name: value for name, value in kwargs.items() if name not in by_name}
        self._check_names(given, by_name)
        given.update(by_name)
        if self._var_positional is not None:
            given[self._var_positional] = args[len(self._positional) :]
        if self._var_keyword is not None:
            given[self._var_keyword] = more
        elif more:
            name = next(iter(more))
            if name in self._positional_only:
                self._fail(f"takes {name!r} by position only; pass it first, without its name")
            if name == self._var_positional:
                self._fail(f"takes *{name} by position only; pass the values without a name")
            self._fail(f"has no parameter {name!r}; {self._closest(name)}")

    def _completed(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return values in the order of the signature, with defaults for those that are not given."""
        try:
            return {name: given[name] if name in given else self._defaults[name] for name in self.parameters}
        except KeyError:
            missing = [name for name in self.parameters if name not in given and name not in self._defaults]
        how = f"pass {missing[0]}=..." if missing[0] not in self._positional_only else "pass it by position"
        raise ValueError(f"task {self._task_name!r} needs a value for {', '.join(map(repr, missing))}; {how}")

    def _closest(self, name: str) -> str:
        close = difflib.get_close_matches(name, self.parameters, n=1)
        return f"did you mean {close[0]!r}?" if close else f"its parameters are: {self._described()}"

    def _described(self) -> str:
        return ", ".join(self.parameters) or "none"

    def _fail(self, text: str) -> NoReturn:
        raise ValueError(f"task {self._task_name!r} {text}")


def _named(kinds: Mapping[str, Any], wanted: Any) -> str | None:
    return next((name for name, kind in kinds.items() if kind is wanted), None)
