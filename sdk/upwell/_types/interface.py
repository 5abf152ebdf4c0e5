"""What a task takes and returns, and how that becomes bytes."""

from __future__ import annotations

import inspect
import sys
import typing
import warnings
import weakref
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from upwell._types import input_digest as digests
from upwell._types.annotations import Hints, describe, variadic_type, widen_for_default
from upwell._types.binding import Signature
from upwell._types.content_digest import digest
from upwell._types.given import has_given, join_given, split_given
from upwell._types.value_problem import ValueProblem
from upwell.errors import PickledValueWarning, RuntimeDataValidationError

if TYPE_CHECKING:
    from upwell._types.codec import Codec

_OUTPUT = "value"
_Key = tuple[str, str | None]
_interfaces: weakref.WeakKeyDictionary[Callable[..., Any], dict[_Key, Interface]] = weakref.WeakKeyDictionary()
_ADVICE = "declare its type, make it a dataclass or pydantic model, or register it with upwell.io.register"


_NONE_GIVEN: dict[Any, type] = {inspect.Parameter.VAR_POSITIONAL: tuple, inspect.Parameter.VAR_KEYWORD: dict}


class PickleNeededError(TypeError):
    """Values of a declared type would have to be pickled, and the environment refuses that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a task.

    Attributes:
        name: Its name.
        annotation: Its type; `Any` without an annotation. That of `*args: T` is `tuple[T, ...]`, and that of
            `**kwargs: T` is `dict[str, T]`.
        default: Its default, or `inspect.Parameter.empty`; of variadic ones it is empty, `()` and `{}`.
        kind: As `inspect.Parameter` has it.
    """

    name: str
    annotation: Any
    default: Any
    kind: Any

    @property
    def is_required(self) -> bool:
        """Whether a call must give it."""
        return self.default is inspect.Parameter.empty


class Interface:
    """Parameters and return type of a function, and the codecs of their values.

    Annotations are resolved and codecs are built at the first use, once per function, so that decorating a
    function is cheap and annotations may name what is defined later.

    Example:
        >>> def double(x: int) -> int: ...
        >>> interface = Interface.of(double)
        >>> interface.decode_inputs(interface.encode_inputs(interface.bind((3,), {})))
        {'x': 3}
    """

    def __init__(
        self, func: Callable[..., Any], task_name: str, hints: Hints, refuses_pickle: str | None
    ) -> None:
        self.task_name = task_name
        self._refuses_pickle = refuses_pickle
        self._unresolved = hints
        self._signature = Signature(func, task_name)
        self._warned: set[str] = set()

    @classmethod
    def of(
        cls, func: Callable[..., Any], task_name: str | None = None, *, refuses_pickle: str | None = None
    ) -> Interface:
        """Return the interface of a function.

        Args:
            func: A function, sync or async.
            task_name: Name for messages; by default the function's.
            refuses_pickle: Name of the environment, if it refuses pickles.
        """
        name = task_name or str(getattr(func, "__qualname__", func))
        known = _interfaces.setdefault(func, {})
        if (name, refuses_pickle) not in known:
            known[name, refuses_pickle] = cls(func, name, Hints(func, sys._getframe(1)), refuses_pickle)
        return known[name, refuses_pickle]

    def check_types(self) -> None:
        """Look at the types as soon as the function is decorated; those that are not defined yet, later.

        Raises:
            PickleNeededError: values of one would have to be pickled, and that is refused.
        """
        for codec in ("_inputs", "_output"):
            try:
                getattr(self, codec)
            except PickleNeededError:
                raise
            except TypeError:
                continue  # perhaps what it lacks is defined further down

    # ---- description -------------------------------------------------------------------------------

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return self._unresolved.resolve()

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in order."""
        return {name: self._parameter(parameter) for name, parameter in self._signature.parameters.items()}

    def _parameter(self, found: inspect.Parameter) -> Parameter:
        hint = self._hints.get(found.name, Any)
        if found.kind in _NONE_GIVEN:
            annotation, default = variadic_type(hint, found.kind), _NONE_GIVEN[found.kind]()
        else:
            annotation, default = widen_for_default(hint, found.default), found.default
        return Parameter(name=found.name, annotation=annotation, default=default, kind=found.kind)

    @cached_property
    def return_annotation(self) -> Any:
        """The type of the result; `Any` without an annotation."""
        return self._hints.get("return", Any)

    @cached_property
    def interface_digest(self) -> str:
        """Hash of the names and types of parameters and result, for cache keys."""
        return digest("\n".join(self.signature_lines).encode())

    @cached_property
    def signature_lines(self) -> tuple[str, ...]:
        """The names and types of parameters and result as text: a line for each."""
        parts = [f"{p.name}: {describe(p.annotation)}" for p in self.parameters.values()]
        return (*parts, f"-> {describe(self.return_annotation)}")

    # ---- inputs ------------------------------------------------------------------------------------

    @cached_property
    def _inputs(self) -> Codec:
        return self._codec(self.parameters, with_digest=True)

    @property
    def inputs_move_data(self) -> bool:
        """Whether encoding or decoding inputs may move frames to or from storage, which blocks."""
        return self._inputs.wire.moves_data

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by parameter, defaults filled in.

        Raises:
            ValueError: an argument is missing, unknown, given twice, or there are too many.
        """
        return self._signature.bind(args, kwargs)

    def check_inputs(self, bound: dict[str, Any]) -> None:
        """Refuse bound arguments that `encode_inputs` would refuse for their types; nothing is written.

        Raises:
            TypeError: a value has a wrong type.
        """
        try:
            self._inputs.check(bound)
        except ValueProblem as e:
            raise TypeError(self._message(e, "parameter")) from e.__cause__

    def arguments(self, inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return values by parameter as the arguments of a call: `func(*args, **kwargs)`.

        Raises:
            ValueError: one is missing that goes by position.
        """
        return self._signature.arguments(inputs)

    def encode_inputs(self, bound: dict[str, Any]) -> bytes:
        """Return bound arguments as the text of a JSON object with one member per parameter.

        Warns:
            PickledValueWarning: a value had to be pickled; once per parameter.

        Raises:
            TypeError: a value has a wrong type or cannot be pickled.
        """
        return self._encoded(self._inputs, bound)

    def _encoded(self, codec: Codec, bound: dict[str, Any]) -> bytes:
        try:
            data, pickled = codec.write(codec.check(bound), self._refuses_pickle)
        except ValueProblem as e:
            raise TypeError(self._message(e, "parameter")) from e.__cause__
        for name, kind in pickled:
            self._warn(name, f"parameter {name!r}", kind)
        return data

    def decode_inputs(self, data: bytes) -> dict[str, Any]:
        """Return what `encode_inputs` was given, or what `dump_given` was, converted.

        Raises:
            TypeError: the bytes were not made by this interface, or a pickled value cannot be read here.
            ValueError: of inputs that were given as JSON, one is unknown, or one without a default is missing.
        """
        try:
            found = self._read_given(data) if has_given(data) else self._inputs.read(data, self._refuses_pickle)
        except ValueProblem as e:
            raise TypeError(self._message(e, "parameter")) from e
        if len(found) < self._signature.count:  # of code that had fewer parameters
            return {name: found.get(name, each.default) for name, each in self.parameters.items()}
        return found

    def _read_given(self, data: bytes) -> dict[str, Any]:
        given, encoded = split_given(data)
        encoded = {name: value for name, value in encoded.items() if name in self.parameters}
        complete = self._signature.complete(given, encoded.keys())
        found = {name: value for name, value in complete.items() if name not in given}
        if given:
            found |= self._some(given).convert(to_json(given))
        if encoded:
            found |= self._some(encoded).read(to_json(encoded), self._refuses_pickle)
        return {name: found[name] for name in self.parameters}

    def _some(self, names: Collection[str]) -> Codec:
        return self._codec({name: self.parameters[name] for name in names}, with_digest=True)

    def replace_inputs(self, data: bytes, changes: Mapping[str, Any]) -> bytes:
        """Return encoded inputs with other values for some parameters. The rest is not decoded.

        Args:
            data: What `encode_inputs` returned, perhaps of code with other parameters.
            changes: Values by parameter.

        Raises:
            ValueError: there is no such parameter, or one has neither a value nor a default.
            TypeError: a value has a wrong type or cannot be pickled.
        """
        as_json, earlier = (self._kept(values, changes) for values in split_given(data))
        given = self._signature.complete(changes, as_json.keys() | earlier.keys())
        encoded = from_json(self._encoded(self._some(given), given)) | earlier
        return join_given(as_json, {name: encoded[name] for name in self.parameters if name not in as_json})

    def _kept(self, values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        return {n: value for n, value in values.items() if n in self.parameters and n not in changes}

    def input_digest(self, encoded: bytes, ignored: Collection[str] = ()) -> str:
        """Return the hash of encoded inputs, without those of ignored parameters; see `input_digest`."""
        if not ignored and self._inputs.wire.is_ordered:
            return digest(encoded)
        return digests.input_digest(encoded, ignored)

    # ---- output ------------------------------------------------------------------------------------

    @cached_property
    def _output(self) -> Codec:
        value = Parameter(
            name=_OUTPUT, annotation=self.return_annotation, default=inspect.Parameter.empty, kind=None
        )
        return self._codec({_OUTPUT: value}, with_digest=False)

    @property
    def output_moves_data(self) -> bool:
        """Whether encoding or decoding the result may move frames to or from storage, which blocks."""
        return self._output.wire.moves_data

    def encode_output(self, value: Any) -> bytes:
        """Return a result as JSON text.

        Warns:
            PickledValueWarning: it had to be pickled; once per task.

        Raises:
            RuntimeDataValidationError: it is not what the return annotation says, or cannot be pickled.
        """
        try:
            data, pickled = self._output.write(self._output.check({_OUTPUT: value}), self._refuses_pickle)
        except ValueProblem as e:
            raise RuntimeDataValidationError(self._message(e, "output")) from e.__cause__
        for _, kind in pickled:
            self._warn("return", "its output", kind)
        return data

    def decode_output(self, data: bytes) -> Any:
        """Return the result that `encode_output` was given.

        Raises:
            TypeError: the bytes were not made by this interface, or a pickled value cannot be read here.
        """
        try:
            return self._output.read(data, self._refuses_pickle)[_OUTPUT]
        except ValueProblem as e:
            raise TypeError(self._message(e, "output")) from e

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """Names of a run's outputs: a NamedTuple's fields, otherwise `o0`, `o1`, ..."""
        if _is_named_tuple(self.return_annotation):
            return tuple(self.return_annotation._fields)
        if typing.get_origin(self.return_annotation) is tuple:
            args = typing.get_args(self.return_annotation)
            if args and args[-1] is not Ellipsis:
                return tuple(f"o{index}" for index in range(len(args)))
        return ("o0",)

    @cached_property
    def _has_several_outputs(self) -> bool:
        annotation = self.return_annotation
        is_plain_tuple = typing.get_origin(annotation) is tuple and ... not in typing.get_args(annotation)
        return is_plain_tuple or _is_named_tuple(annotation)

    def outputs_of(self, value: Any) -> tuple[Any, ...]:
        """Return a result as a run's outputs: a `tuple[A, B]` or NamedTuple is several, all else is one."""
        return tuple(value) if self._has_several_outputs else (value,)

    # ---- messages ----------------------------------------------------------------------------------

    def _codec(self, values: Mapping[str, Parameter], *, with_digest: bool) -> Codec:
        from upwell._types.codec import Codec  # with all that it needs, when the first value travels

        def where(name: str) -> str:
            return f"task {self.task_name!r}: " + (f"parameter {name!r}" if with_digest else "its output")

        try:
            codec = Codec(
                {name: value.annotation for name, value in values.items()},
                self._unresolved.names(),
                with_digest=with_digest,
                optional=[name for name, value in values.items() if not value.is_required],
            )
        except ValueProblem as e:
            raise TypeError(f"{where(e.name)} {e.text}") from e.__cause__
        if self._refuses_pickle is not None:
            for name, kind in codec.wire.pickled.items():
                raise PickleNeededError(
                    f"{where(name)} would be pickled: a {kind} has no schema, and environment "
                    f"{self._refuses_pickle!r} has pickle=False; {_ADVICE}"
                )
        return codec

    def _message(self, problem: ValueProblem, what: str) -> str:
        where = f"parameter {problem.name!r}" if what == "parameter" and problem.name else "output"
        hint = ""
        if "cannot be pickled" in problem.text:
            hint = "; pass what it is made from, or a type with a schema (dataclass, pydantic model)"
        elif "pickle=False" in problem.text:
            hint = f"; {_ADVICE}"
        return f"task {self.task_name!r}: {where} {problem.text}{hint}"

    def _warn(self, key: str, where: str, kind: type) -> None:
        if key in self._warned or getattr(kind, "pickled_by_name", False):
            return
        self._warned.add(key)
        warnings.warn(
            f"task {self.task_name!r}: {where} holds a {kind.__module__}.{kind.__qualname__}, which no "
            "declared type describes: it was pickled, and can be read only where the same code and versions "
            f"are installed; {_ADVICE}",
            PickledValueWarning,
            stacklevel=3,
        )


def _is_named_tuple(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields")
