"""How two cache keys differ, and which earlier one is nearest: the decisions behind `upwell why`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from upwell._core.key_difference import Difference, differences, differing_inputs, nearest
from upwell._core.key_parts import CodeDocument, CodePart, KeyParts
from upwell._core.model import ActionKey, CacheSummary

RATE = CodePart(name="prices:RATE", kind="constant", digest="r1", source="RATE = 0.19")
TAX = CodePart(name="prices:tax", kind="function", digest="t1", source="def tax(x):\n    return x * RATE")
CODE = CodeDocument(task="shop.price", interface="i1", signature=("net: float", "-> float"), version="v" * 64)
CODE = replace(CODE, parts=(TAX, RATE))
MINE = KeyParts(code=CODE.digest, version=CODE.label, inputs={"item": "aa", "net": "bb"})


def document(**changes: object) -> CodeDocument:
    return replace(CODE, version="w" * 64, **changes)  # type: ignore[arg-type]  # names of its fields


def parts_of(code: CodeDocument, **inputs: str) -> KeyParts:
    return KeyParts(code=code.digest, version=code.label, how=code.how, inputs=inputs or dict(MINE.inputs))


def entry(name: str, parts: KeyParts | None, at: float = 0.0) -> CacheSummary:
    made_by = ActionKey("r1", name)
    return CacheSummary(key=name, task="shop.price", made_by=made_by, created_at=at, size_bytes=1, parts=parts)


def test_the_nearest_has_most_parts_in_common_and_is_the_latest_of_several() -> None:
    other_code = parts_of(document(parts=()))
    candidates = [
        entry("same code, other inputs", replace(MINE, inputs={"item": "x", "net": "y"}), at=9),
        entry("one input differs, old", replace(MINE, inputs={"item": "x", "net": "bb"}), at=1),
        entry("one input differs", replace(MINE, inputs={"item": "aa", "net": "y"}), at=2),
        entry("other code, same inputs", other_code, at=8),
        entry("says nothing", None, at=99),
    ]
    found = nearest(MINE, candidates)
    assert found is not None
    assert found.key == "one input differs"
    assert nearest(MINE, [entry("says nothing", None)]) is None
    assert nearest(MINE, []) is None


def test_ignored_inputs_make_nobody_near() -> None:
    ignoring = entry("ignored one equal", replace(MINE, inputs={"item": "aa", "net": "y"}), at=9)
    counting = entry("other one equal", replace(MINE, inputs={"item": "x", "net": "bb"}), at=1)
    found = nearest(MINE, [ignoring, counting], ignored=["item"])
    assert found == counting


@pytest.mark.parametrize(
    ("inputs", "ignored", "names"),
    [
        ({"item": "aa", "net": "bb"}, (), []),
        ({"item": "x", "net": "bb"}, (), ["item"]),
        ({"item": "x", "net": "y"}, ("item",), ["net"]),
        ({"net": "bb"}, (), ["item"]),
        ({"item": "aa", "net": "bb", "gone": "c"}, (), ["gone"]),
    ],
)
def test_inputs_differ_by_value_or_by_being_there(
    inputs: dict[str, str], ignored: tuple[str, ...], names: list[str]
) -> None:
    assert differing_inputs(MINE, replace(MINE, inputs=inputs), ignored) == names


def changed_rate(**changes: str) -> CodePart:
    return replace(RATE, digest="r2", source=changes.get("source", "RATE = 0.2"))


TAX_DEPENDS = replace(TAX, digest="t2")


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        pytest.param(
            document(parts=(TAX_DEPENDS, changed_rate())),
            CODE,
            [
                Difference(
                    part="code",
                    name="prices:RATE",
                    kind="constant",
                    diff=("@@ -1 +1 @@", "-RATE = 0.19", "+RATE = 0.2"),
                ),
                Difference(part="code", name="prices:tax", kind="function", change="depends"),
            ],
            id="a constant of the code",
        ),
        pytest.param(
            document(parts=(TAX,)),
            CODE,
            [
                Difference(
                    part="code",
                    name="prices:RATE",
                    kind="constant",
                    change="gone",
                    diff=("@@ -1 +0,0 @@", "-RATE = 0.19"),
                )
            ],
            id="a part that is gone",
        ),
        pytest.param(
            CODE,
            document(parts=(TAX,)),
            [
                Difference(
                    part="code",
                    name="prices:RATE",
                    kind="constant",
                    change="new",
                    diff=("@@ -0,0 +1 @@", "+RATE = 0.19"),
                )
            ],
            id="a part that is new",
        ),
        pytest.param(
            document(how="override", parts=()),
            replace(CODE, how="override", version="v1", parts=()),
            [Difference(part="version", before="v1", after="w" * 40)],
            id="a version given by hand",
        ),
        pytest.param(
            document(how="override", parts=()),
            CODE,
            [Difference(part="policy", name="how", before="auto", after="override")],
            id="how the version is made",
        ),
        pytest.param(
            document(salt="2"),
            CODE,
            [Difference(part="policy", name="salt", before="", after="2")],
            id="the salt",
        ),
        pytest.param(
            replace(CODE, ignored=("item",)),
            CODE,
            [Difference(part="policy", name="ignored", before="", after="item")],
            id="ignored inputs",
        ),
        pytest.param(
            replace(CODE, signature=("net: int", "-> float"), interface="i2"),
            CODE,
            [
                Difference(
                    part="interface",
                    diff=("@@ -1,2 +1,2 @@", "-net: float", "+net: int", " -> float"),
                )
            ],
            id="the interface",
        ),
        pytest.param(
            document(parts=(TAX, RATE)),
            CODE,
            [Difference(part="version", before="v" * 12, after="w" * 12)],
            id="nothing that is listed",
        ),
    ],
)
def test_what_differs_of_the_code(mine: CodeDocument, theirs: CodeDocument, expected: list[Difference]) -> None:
    assert differences(parts_of(mine), parts_of(theirs), mine, theirs) == expected


def test_without_the_descriptions_of_the_code_the_version_is_named() -> None:
    theirs = replace(MINE, code="other", version="older", inputs={"item": "aa", "net": "y"})
    assert differences(MINE, theirs, None, None) == [
        Difference(part="version", before="older (auto)", after=f"{'v' * 12} (auto)"),
        Difference(part="input", name="net"),
    ]
    assert differences(MINE, replace(MINE, code="other"), None, CODE) == [
        Difference(part="code", name="interface or policy")
    ]


def test_equal_keys_do_not_differ() -> None:
    assert differences(MINE, MINE, CODE, CODE) == []


def test_a_description_is_read_again_as_it_was_written() -> None:
    assert CodeDocument.load(CODE.dump()) == CODE
    assert CodeDocument.load(CODE.dump()).digest == CODE.digest
    later = CODE.dump().replace('"how":', '"novelty":[1],"how":')
    assert CodeDocument.load(later) == CODE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task":1,"parts":[{"name":"n"}]}', "null"])
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of JSON, or its own
        CodeDocument.load(text)
