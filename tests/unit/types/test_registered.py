"""Types of the user's own: registered once, in any place of a value, read only where they are registered."""

from __future__ import annotations

import enum
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

import upwell.io
from upwell._types import forms
from upwell._types.interface import Interface
from upwell.errors import PickledValueWarning


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.cents)


class Tip(Money):
    pass


class Polygon:
    """Cannot be pickled."""

    def __init__(self, corners: list[float], price: Money) -> None:
        self.corners = corners
        self.price = price

    def __reduce__(self) -> Any:
        raise RuntimeError("no pickles of this one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polygon) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # compared by value


@dataclass
class Amount:
    """Has a schema, but its form goes before it."""

    value: int
    cache: dict[int, int] = field(default_factory=dict)


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Order(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    total: Money
    parts: list[Money | None] = []
    amount: Amount | None = None


@dataclass
class Basket:
    prices: dict[Money, Polygon]


def decode_polygon(form: Any) -> Polygon:
    return Polygon(form["corners"], form["price"])


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    upwell.io.register(
        Money, encode=lambda money: str(money.cents).encode(), decode=lambda data: Money(int(data))
    )
    upwell.io.register(Polygon, encode=vars, decode=decode_polygon)
    upwell.io.register(Amount, encode=lambda amount: amount.value, decode=Amount)
    upwell.io.register(Level, encode=lambda level: level.name, decode=lambda name: Level[name])
    yield
    forget(Money, Polygon, Amount, Level)


def forget(*classes: type) -> None:
    for cls in classes:
        forms._by_name.pop(forms._forms.pop(cls).name)
    forms._found.clear()


def interface_of(annotation: Any, **options: Any) -> Interface:
    def task(x): ...  # type: ignore[no-untyped-def]  # annotated below

    task.__annotations__ = {"x": annotation}
    _kept.append(task)
    return Interface.of(task, **options)


_kept: list[Any] = []
"""Interfaces hold their functions weakly."""

CASES: list[tuple[Any, Any]] = [
    (Money, Money(5)),
    (Any, Money(5)),
    (Any, {"a": [Money(1), {"b": Polygon([1.5], Money(2))}]}),
    (list, [Money(5)]),
    (Polygon, Polygon([1.5, float("inf")], Money(3))),
    (dict[Money, list[Money]], {Money(1): [Money(2)]}),
    (set[Money], {Money(1), Money(2)}),
    (Money | int | None, Money(1)),
    (Amount | Level, Level.HIGH),
    (Amount, Amount(3)),
    (list[Level], [Level.LOW]),
    (Order, Order(total=Money(1), parts=[Money(2), None], amount=Amount(4))),
    (Basket, Basket({Money(1): Polygon([], Money(2))})),
]


@pytest.mark.parametrize(("annotation", "value"), CASES, ids=lambda part: str(part)[:30])
def test_a_registered_type_travels_wherever_it_is(annotation: Any, value: Any) -> None:
    interface = interface_of(annotation, refuses_pickle="strict")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = interface.encode_inputs({"x": value})
    found = interface.decode_inputs(encoded)["x"]
    assert found == value
    assert interface.input_digest(interface.encode_inputs({"x": found})) == interface.input_digest(encoded)


def test_what_is_pickled_around_it_does_not_pickle_it() -> None:
    interface = interface_of(Any)
    with pytest.warns(PickledValueWarning, match="tuple"):
        encoded = interface.encode_inputs({"x": (Polygon([1.0], Money(2)), {Money(3)})})
    assert interface.decode_inputs(encoded)["x"] == (Polygon([1.0], Money(2)), {Money(3)})


def test_it_counts_in_cache_keys_by_its_form_inside_pickles_too() -> None:
    interface = interface_of(Any)
    with pytest.warns(PickledValueWarning):
        one, same, other = (
            interface.encode_inputs({"x": (Amount(*args),)}) for args in [(1,), (1, {2: 3}), (2,)]
        )
    assert interface.input_digest(one) == interface.input_digest(same) != interface.input_digest(other)


def test_the_form_is_what_is_sent_and_counts_in_cache_keys() -> None:
    interface = interface_of(Amount)
    one, same, other = (interface.encode_inputs({"x": Amount(*args)}) for args in [(1,), (1, {2: 3}), (2,)])
    assert json.loads(one)["x"] == {"$upwell": "form", "type": f"{__name__}.Amount", "value": 1}
    assert interface.input_digest(one) == interface.input_digest(same) != interface.input_digest(other)


def test_a_subclass_travels_in_the_form_of_its_base_or_in_its_own() -> None:
    assert interface_of(Money).decode_inputs(interface_of(Money).encode_inputs({"x": Tip(1)}))["x"] == Money(1)
    upwell.io.register(Tip, encode=lambda tip: [tip.cents], decode=lambda form: Tip(*form))
    assert interface_of(Money).decode_inputs(interface_of(Money).encode_inputs({"x": Tip(1)}))["x"] == Tip(1)
    forget(Tip)


def test_registering_twice_is_an_error_unless_it_is_the_same() -> None:
    upwell.io.register(Polygon, encode=vars, decode=decode_polygon)
    with pytest.raises(ValueError, match=r"Polygon is registered with encode=builtins\.vars and"):
        upwell.io.register(Polygon, encode=vars, decode=lambda form: form)


def test_functions_of_a_module_that_is_loaded_twice_are_the_same() -> None:
    for _ in range(2):
        namespace: dict[str, Any] = {"Tip": Tip, "upwell": upwell}
        exec("upwell.io.register(Tip, lambda tip: tip.cents, lambda cents: Tip(cents))", namespace)
    forget(Tip)


@pytest.mark.parametrize("cls", [int, list, Path, "Money"])
def test_what_has_a_form_already_or_is_no_class_is_refused(cls: Any) -> None:
    with pytest.raises(TypeError, match=r"upwell\.io\.register"):
        upwell.io.register(cls, encode=str, decode=str)


@pytest.mark.parametrize("annotation", [Money, Amount, Any])
def test_where_it_is_not_registered_the_error_says_what_to_do(annotation: Any) -> None:
    value = Amount(1) if annotation is Amount else Money(1)
    encoded = interface_of(annotation).encode_inputs({"x": value})
    cls = type(value)
    known = forms._forms[cls]
    forget(cls)
    with pytest.raises(TypeError, match=rf"'x' cannot be read .*{cls.__name__} .* not registered here; call"):
        interface_of(annotation).decode_inputs(encoded)
    forms.add(known)


def test_functions_that_do_not_fit_are_named() -> None:
    def fail(value: Any) -> Any:
        raise KeyError("lost")

    for encode, text in [
        (fail, "encode function of .*Tip failed .KeyError"),
        (lambda _: (1,), "returned tuple"),
    ]:
        upwell.io.register(Tip, encode=encode, decode=Tip)
        with pytest.raises(TypeError, match=f"'x' the .*{text}"):
            interface_of(Money).encode_inputs({"x": Tip(1)})
        forget(Tip)
    for decode, text in [(fail, "decode function of .*Tip failed .KeyError"), (lambda _: 1, "returned a int")]:
        upwell.io.register(Tip, encode=lambda _: None, decode=decode)
        with pytest.raises(TypeError, match=f"'x' cannot be read back: the .*{text}"):
            interface_of(Money).decode_inputs(interface_of(Money).encode_inputs({"x": Tip(1)}))
        forget(Tip)


PROGRAM = """
import sys
import upwell.io
from upwell._types.interface import Interface

class Weight:
    def __init__(self, grams):
        self.grams = grams

upwell.io.register(Weight, lambda weight: weight.grams, Weight)

def task(x: Weight): ...

interface = Interface.of(task)
if len(sys.argv) > 1:
    print(interface.decode_inputs(sys.argv[1].encode())["x"].grams)
elif __name__ == "__main__":
    print(interface.encode_inputs({"x": Weight(7)}).decode())
"""


def test_a_type_of_the_script_that_runs_is_known_elsewhere_by_the_name_of_its_module(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    path = ":".join([str(tmp_path), *sys.path])

    def run(*command: str) -> str:
        env = {"PYTHONPATH": path}
        return subprocess.run(
            [sys.executable, *command], env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    written_here = run(str(script))
    encode = "print(program.interface.encode_inputs({'x': program.Weight(7)}).decode())"
    written_there = run("-c", f"import program; {encode}")
    assert written_here == written_there
    assert "program.Weight" in written_here
    assert run(str(script), written_there) == "7"
    assert run("-c", "import program", written_here) == "7"
