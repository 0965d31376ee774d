"""Tag layouts: golden bytes made up for these tests, every cut, every flipped bit, any bytes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocols.checksums import xmodem
from protocols.formats import unhex
from protocols.framing import FrameError
from protocols.tags.layout import Layout, as_format, compile_layout
from protocols.tags.layout_file import LayoutSettings

FIELDS: list[dict[str, Any]] = [
    {"name": "magic", "offset": 0, "length": 2, "type": "const", "value": "4741"},
    {"name": "code", "length": 5, "type": "bcd"},
    {"name": "made", "length": 3, "type": "date", "format": "bcd_yyyymm"},
    {"name": "mass_g", "length": 2, "type": "uint", "order": "little"},
    {"name": "state", "length": 1, "type": "uint", "enum": {"free": 0, "held": 2}},
    {"name": "marks", "length": 1, "type": "bits", "bits": {"leaking": 0, "burnt": 7}},
    {"name": "gap", "length": 1, "type": "reserved"},
    {"name": "finding", "length": 8, "type": "gb18030"},
    {"name": "sum", "length": 2, "type": "checksum", "algorithm": "xmodem"},
]
BODY = "4741011010000120220774400281AA" + "涉嫌翻新".encode("gb18030").hex()
GOLDEN = bytes.fromhex(BODY) + xmodem(bytes.fromhex(BODY)).to_bytes(2, "big")
VALUES = {
    "code": "0110100001",
    "made": "2022-07",
    "mass_g": 16_500,
    "state": "held",
    "marks": ["leaking", "burnt"],
    "finding": "涉嫌翻新",
}


def settings(fields: list[dict[str, Any]], **more: Any) -> LayoutSettings:
    said = {
        "title": {"zh": "测试", "en": "test"},
        "source": "made up for this test",
        "fields": fields,
        "examples": [{"hex": GOLDEN.hex(), "fields": VALUES}],
    }
    return LayoutSettings.model_validate(said | more, strict=False)


def layout(fields: list[dict[str, Any]] | None = None, **more: Any) -> Layout:
    return compile_layout("t", settings(fields or FIELDS, **more))


def one(field: dict[str, Any], data: str) -> Any:
    """A field by itself."""
    return layout([{"name": "x", **field}]).read(unhex(data)).get("x")


def test_the_golden_tag_reads_as_it_says() -> None:
    assert layout().read(GOLDEN) == VALUES
    assert tuple(layout().wrong_examples()) == ()


def test_every_cut_and_every_flipped_bit_is_refused() -> None:
    compiled = layout()
    for cut in range(len(GOLDEN)):
        with pytest.raises(FrameError):
            compiled.read(GOLDEN[:cut])
    for bit in range(8 * len(GOLDEN)):
        number = int.from_bytes(GOLDEN, "big") ^ (1 << bit)
        with pytest.raises(FrameError):
            compiled.read(number.to_bytes(len(GOLDEN), "big"))


def test_bytes_behind_the_last_field_are_refused_or_ignored_as_told() -> None:
    with pytest.raises(FrameError, match="26 bytes; the layout t has 25"):
        layout().read(GOLDEN + b"\0")
    assert layout(rest="ignore").read(GOLDEN + b"\0\1\2") == VALUES


@given(st.binary(max_size=40))
def test_any_bytes_read_whole_or_are_refused(data: bytes) -> None:
    compiled = layout(FIELDS[1:-1], rest="ignore")
    try:
        values = compiled.read(data)
    except FrameError:
        return
    assert set(values) == set(VALUES)
    assert len(data) >= compiled.size_bytes


@pytest.mark.parametrize(
    ("field", "data", "value"),
    [
        ({"length": 3, "type": "uint"}, "010203", 0x010203),
        ({"length": 3, "type": "uint", "order": "little"}, "010203", 0x030201),
        ({"length": 1, "type": "uint", "enum": {"a": 1}}, "02", 2),
        ({"length": 4, "type": "ascii"}, "41422020", "AB"),
        ({"length": 4, "type": "ascii"}, "41004243", "A"),
        ({"length": 3, "type": "bcd"}, "1234FF", "1234"),
        ({"length": 3, "type": "hex"}, "00ab0f", "00AB0F"),
        ({"length": 1, "type": "bits", "bits": {"a": 0}}, "03", ["a", "bit_1"]),
        ({"length": 4, "type": "date", "format": "bcd_yyyymmdd"}, "20240229", "2024-02-29"),
        ({"length": 3, "type": "date", "format": "bcd_yymmdd"}, "240229", "2024-02-29"),
        ({"length": 2, "type": "date", "format": "bcd_yymm"}, "2402", "2024-02"),
        ({"length": 6, "type": "date", "format": "ascii_yymmdd"}, "323430323239", "2024-02-29"),
        ({"length": 2, "type": "date", "format": "bcd_yymm"}, "0000", None),
        ({"length": 2, "type": "date", "format": "bcd_yymm"}, "FFFF", None),
    ],
)
def test_every_type_reads_its_bytes(field: dict[str, Any], data: str, value: Any) -> None:
    assert one(field, data) == value


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ({"length": 2, "type": "ascii"}, "C3A9"),
        ({"length": 2, "type": "ascii"}, "4107"),
        ({"length": 2, "type": "bcd"}, "1A23"),
        ({"length": 2, "type": "bcd"}, "F123"),
        ({"length": 4, "type": "date", "format": "bcd_yyyymmdd"}, "20230229"),
        ({"length": 2, "type": "date", "format": "bcd_yymm"}, "2413"),
        ({"length": 2, "type": "date", "format": "bcd_yymm"}, "24A1"),
        ({"length": 1, "type": "const", "value": "41"}, "42"),
    ],
)
def test_what_no_type_allows_is_refused(field: dict[str, Any], data: str) -> None:
    with pytest.raises(FrameError):
        one(field, data)


@pytest.mark.parametrize(
    ("index", "change", "said"),
    [
        (1, {"name": "magic"}, "'magic' is there twice"),
        (1, {"offset": 3}, "'code' begins at 2, not at 3"),
        (2, {"length": 4}, "'made' has 3 bytes, not 4"),
        (0, {"value": "474"}, "String should match pattern"),
        (0, {"value": "474142"}, "'magic' has 3 bytes, not 2"),
        (5, {"bits": {"a": 8}}, "'marks' has 8 bits, from 0"),
        (8, {"length": 1}, "'sum' has 2 bytes, not 1"),
        (3, {"length": 9}, "less than or equal to 8"),
        (3, {"colour": "red"}, "Extra inputs are not permitted"),
        (3, {"type": "float"}, "does not match any of the expected tags"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(index: int, change: dict[str, Any], said: str) -> None:
    fields = [dict(field) for field in FIELDS]
    fields[index] |= change
    with pytest.raises(ValidationError, match=said):
        settings(fields)


@pytest.mark.parametrize("example", [{"hex": "00"}, {"hex": "00", "fields": {}, "refused": True}])
def test_an_example_says_one_of_two_things(example: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="an example has fields, or is refused"):
        settings(FIELDS, examples=[example])


def test_examples_that_come_out_otherwise_are_named() -> None:
    wrong = {"hex": GOLDEN.hex(), "fields": VALUES | {"code": "1"}}
    refused = {"hex": GOLDEN.hex(), "refused": True}
    short = {"hex": "4741", "fields": VALUES}
    good = {"hex": "4741", "refused": True}
    compiled = layout(examples=[wrong, good, refused, short])
    assert [number for number, _ in compiled.wrong_examples()] == [0, 2, 3]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("finding", "涉嫌翻新", "涉嫌翻新"),
        ("finding", "", ""),
        ("state", "held", "held"),
        ("state", 7, "7"),
        ("state", 0, ""),
        ("marks", ["leaking", "burnt"], "leaking, burnt"),
        ("marks", [], ""),
        ("made", None, ""),
    ],
)
def test_what_an_inspector_wrote_is_told_and_an_unknown_word_too(
    field: str, value: Any, said: str
) -> None:
    compiled = layout(finding={"field": field})
    assert compiled.finding(VALUES | {field: value}) == said


def test_a_layout_without_a_finding_says_nothing_of_one() -> None:
    assert layout().finding(VALUES) is None
    with pytest.raises(ValidationError, match="no field 'x'"):
        settings(FIELDS, finding={"field": "x"})


def test_a_layout_is_a_format() -> None:
    row = as_format(layout(finding={"field": "finding"}))
    assert row.read(GOLDEN.hex()) == VALUES | {"tag_finding": "涉嫌翻新"}
    parts = tuple(row.parts(GOLDEN.hex(), row.read(GOLDEN.hex())))
    assert "".join(part.raw for part in parts) == GOLDEN.hex().upper()
    assert row.caveats == ("not verified: made up for this test",)


def test_facts_are_fields_of_their_kind() -> None:
    named = layout(facts={"code": "code", "made_on": "made"})
    assert named.facts(VALUES) == {"code": "0110100001", "made_on": "2022-07"}
    assert named.facts(VALUES | {"made": None, "code": ""}) == {}
    for facts in ({"code": "mass_g"}, {"made_on": "code"}, {"code": "gap"}, {"code": "no_such"}):
        with pytest.raises(ValidationError, match="facts"):
            layout(facts=facts)


def test_a_blank_tag_is_one_only_where_the_layout_knows_such() -> None:
    size = len(GOLDEN)
    for data, blank in ((bytes(size), True), (b"\xff" * size, True), (GOLDEN, False)):
        assert layout(blank="nothing").is_blank(data) is blank
        assert not layout().is_blank(data)
    assert not layout(blank="nothing").is_blank(bytes(size - 1))
    assert not layout(blank="nothing").is_blank(b"\0\xff" * (size // 2))


def test_the_hash_says_whether_two_layouts_are_the_same() -> None:
    assert layout().hash == layout().hash
    assert layout().hash != layout(blank="nothing").hash
