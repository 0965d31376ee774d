"""GS1 in scans: every published vector, and nothing read into a text that does not say GS1."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import decode
from protocols.scanners.aim import GS1, SYMBOLOGIES, is_aim, split_aim, symbology_name
from protocols.tags import cylinder_code, epc, gs1, keys
from protocols.tags.gs1 import GS, Element, Gs1Error

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/tags_and_codes.json").read_text("utf-8"))
VECTORS = GOLDEN["aim_gs1"]
LINKS = GOLDEN["gs1_digital_link"]
GTIN = "12312312312333"
GIAI = "9521321A1"
GRAI = "09521321000018X7"
LINK = "https://id.gs1.org"
VALUES = st.text("ABCXYZ0123456789-/_", min_size=1, max_size=20)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
@pytest.mark.parametrize("told", [True, False])
def test_every_golden_scan_says_what_is_published(vector: dict[str, Any], *, told: bool) -> None:
    found = decode(vector["text"], frame="aim_gs1" if told else None)
    assert (found.format, found.kind, found.valid) == ("aim_gs1", "barcode", vector["valid"])
    if vector["valid"]:
        assert vector["decoded"].items() <= found.fields.items()
    else:
        assert vector["decoded"]["expect"].split(",")[0] in (found.error or "")


def test_an_unknown_identifier_is_invalid_and_its_text_is_kept() -> None:
    assert decode("]XX12").fields == {"raw": "]XX12"}
    assert split_aim("]XX12") == ("", "]XX12")


def test_an_identifier_is_taken_off_once_and_only_at_the_front() -> None:
    assert split_aim("]C0]C112") == ("]C0", "]C112")
    assert split_aim("x]C112") == ("", "x]C112")
    assert split_aim("]C") == ("", "]C")
    assert split_aim("") == ("", "")
    assert is_aim("]Q3")
    assert not is_aim("]Q3x")
    assert not is_aim("Q3x")
    assert all(symbology_name(f"]{letter}0") for letter in SYMBOLOGIES)


@pytest.mark.parametrize("aim", sorted(GS1))
@pytest.mark.parametrize("data", ["", GS])
def test_gs1_codes_without_data_are_invalid(aim: str, data: str) -> None:
    with pytest.raises(Gs1Error, match="empty GS1 data"):
        gs1.parse(aim, data)


def test_one_leading_and_one_trailing_separator_are_legal() -> None:
    plain = gs1.elements(f"8004{GIAI}{GS}10A")
    assert gs1.elements(f"{GS}8004{GIAI}{GS}10A{GS}") == plain
    assert gs1.elements(f"01{GTIN}{GS}10A") == gs1.elements(f"01{GTIN}10A")
    for broken in (f"{GS}{GS}10A", f"10A{GS}{GS}21B", f"10A{GS}{GS}"):
        with pytest.raises(Gs1Error):
            gs1.elements(broken)


@pytest.mark.parametrize(
    ("aim", "data", "said"),
    [
        ("]C1", f"(01){GTIN}", "printed, not sent"),
        ("]C1", f"01{GTIN}^10A", "is no GS1 data"),
        ("]d2", "01{GS}", "is no GS1 data"),
        ("]C1", "0112312312312334", "check digit error"),
        ("]C1", "00123456789012345678", "check digit error"),
        ("]C1", "800309521321000017X7", "check digit error"),
        ("]C1", "00123", "form"),
        ("]C1", "17261301", "form"),
        ("]C1", "17260230", "form"),
        ("]C1", "8004", "form"),
        ("]C1", "0", "no application identifier"),
        ("]C1", f"10A{GS}10B", "different values"),
        ("]C1", "10" + "A" * 25, "no GS where one is needed"),
        ("]C1", GS.join(f"{n}A" for n in [*range(91, 100)] * 10), "more than 64"),
        ("]E0", "211234567890", "expected 13 digits"),
        ("]E0", "21123456789000", "expected 13 digits"),
        ("]E0", "21123456789AB", "expected 13 digits"),
        ("]E0", "", "expected 13 digits"),
        ("]E4", "1234567", "expected 8 digits"),
        ("]E4", "02345674", "check digit error"),
        ("]E3", "2112345678900", "add-on"),
        ("]E0", "2112345678900|]e0", "empty GS1 data"),
        ("]Q1", f"{LINK}/01/12312312312334", "check digit error"),
        ("]Q1", f"{LINK}/8004/{GIAI}/99/x", "Digital Link"),
        ("]Q1", f"{LINK}/8004/{GIAI}?8004=OTHER", "different values"),
        ("]Q1", f"{LINK}/01/{GTIN}/21/A?21=B", "different values"),
        ("", "x" * (gs1.DATA_CHARS_MAX + 1), "at most"),
    ],
)
def test_what_claims_to_be_gs1_and_is_not_says_why(aim: str, data: str, said: str) -> None:
    with pytest.raises(Gs1Error, match=said):
        gs1.parse(aim, data)


@pytest.mark.parametrize(
    "data",
    [
        f"01{GTIN}",
        f"(01){GTIN}",
        "http://teshe.org.cn/Q?id=3701000110100001",
        "http://example.org/01/foo",
        "http://example.org/",
        "https://[broken/8004/1",
        "HTTPx://id.gs1.org/8004/1",
        "0110100001",
        "^TESTING",
        "气瓶 7",
        "",
    ],
)
@pytest.mark.parametrize("aim", ["", "]Q1", "]C0", "]d1", "]L0", "]X0"])
def test_plain_texts_are_no_gs1_and_no_error(aim: str, data: str) -> None:
    found = gs1.parse(aim, data)
    assert (found.aim, found.data, found.elements) == (aim, data, ())
    assert not found.digital_link


def test_an_ean_may_carry_a_composite_part_or_an_add_on() -> None:
    assert gs1.parse("]E4", "02345673|]e099COMP").elements == (Element("99", "COMP"),)
    found = gs1.parse("]E3", "211234567890012345")
    assert (found.gtin, found.add_on) == ("2112345678900", "12345")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"]C18004{GIAI}", [f"(8004){GIAI}"]),
        (f"]d28004{GIAI}{GS}10LOT", [f"(8004){GIAI}"]),
        (f"]Q38003{GRAI}", [f"(8003){GRAI}"]),
        ("]C1800309521321000018", []),
        (f"]d201{GTIN}21S1", [f"(01){GTIN}(21)S1"]),
        (f"]d201{GTIN}", []),
        ("]C121S1", []),
        ("]C100123456789012345675", ["(00)123456789012345675"]),
        ("]C1800215551234", []),
        (f"{LINK}/8004/{GIAI}", [f"(8004){GIAI}"]),
        (f"]Q1{LINK}/p/01/{GTIN}/21/S%2F1?99=x&y=z", [f"(01){GTIN}(21)S/1"]),
        (f"8004{GIAI}", []),
        (f"]C08004{GIAI}", []),
        ("]C1", []),
        (f"]J18004{GIAI}{GS}8003{GRAI}", [f"(8004){GIAI}", f"(8003){GRAI}"]),
    ],
)
def test_only_a_key_with_its_serial_names_a_cylinder(text: str, named: list[str]) -> None:
    assert [key.text for key in keys.scanned(text)] == named


def test_an_archive_may_spell_a_key_as_printed_joined_or_bare() -> None:
    (key,) = keys.scanned(f"]C18004{GIAI}")
    assert key.spellings() == (f"(8004){GIAI}", f"8004{GIAI}", GIAI)
    (sgtin,) = keys.scanned(f"]C101{GTIN}21S1")
    assert sgtin.spellings() == (f"(01){GTIN}(21)S1", f"01{GTIN}21S1")


@pytest.mark.parametrize("value", ["3701000110100001", "0110100001"])
def test_a_bare_value_that_looks_like_a_chinese_code_is_no_spelling(value: str) -> None:
    (key,) = keys.scanned(f"]C18004{value}")
    assert key.spellings() == (f"(8004){value}", f"8004{value}")


def test_a_tag_and_a_label_of_one_asset_name_the_same_key() -> None:
    giai = epc.decode("3476451FD40C0E400000162E")
    assert isinstance(giai, epc.Giai96)
    label = "]C1" + giai.gs1_element.replace("(", "").replace(")", "")
    assert keys.of_tag("3476451FD40C0E400000162E") == keys.scanned(label)
    grai = epc.decode("3376451FD40C0E400000162E")
    assert isinstance(grai, epc.Grai96)
    label = "]C1" + grai.gs1_element.replace("(", "").replace(")", "")
    assert keys.of_tag("3376451FD40C0E400000162E") == keys.scanned(label)
    (sgtin,) = keys.of_tag("3074257BF7194E4000001A85")
    assert sgtin.text == decode("3074257BF7194E4000001A85").fields["gs1_element"]
    for uid in ("E2806899", "307C257BF7194E4000001A85", "", "zz"):
        assert keys.of_tag(uid) == ()


@pytest.mark.parametrize(
    ("data", "lost"),
    [
        (f"01{GTIN}10ABC12399TESTING", True),
        (f"01{GTIN}10ABC123{GS}99TESTING", False),
        (f"8004{GIAI}21XYZ", True),
        (f"01{GTIN}21ABCD17270131", True),
        (f"8003{GRAI}10LOT7", True),
        (f"8004{GIAI}", False),
        ("800495213210012177", False),
        ("10" + "A" * 25, True),
        (f"01{GTIN}", False),
        ("^", False),
    ],
)
def test_fields_that_run_into_each_other_are_noticed(data: str, *, lost: bool) -> None:
    assert keys.run_together(data) == lost


def test_a_key_that_may_have_swallowed_the_next_field_has_other_readings() -> None:
    named = [key.text for key in keys.other_readings(f"8004{GIAI}21XYZ")]
    assert f"(8004){GIAI}" in named
    assert f"(8004){GIAI}21XYZ" not in named
    assert "(8004)952132100" in [k.text for k in keys.other_readings("80049521321002177")]
    assert keys.other_readings(f"8004{GIAI}21XYZ{GS}") == ()
    assert keys.other_readings("(8004)") == ()
    inside = keys.other_readings(f"01{GTIN}10LOT21S1")
    assert f"(01){GTIN}(21)S1" in [key.text for key in inside]
    assert len(keys.other_readings("8004" + "10" * 15)) <= keys.OTHER_READINGS_MAX


@given(VALUES, VALUES, st.sampled_from(["", GS]))
def test_any_elements_survive_the_way_there_and_back(asset: str, lot: str, end: str) -> None:
    data = f"8004{asset}{GS}10{lot}{GS}01{GTIN}{end}"
    listed = (Element("8004", asset), Element("10", lot), Element("01", GTIN))
    assert gs1.elements(data) == listed


@given(st.text(st.sampled_from("0123456789AZ(^]" + GS), max_size=60), st.sampled_from(sorted(GS1)))
def test_whatever_is_scanned_is_read_or_refused(data: str, aim: str) -> None:
    try:
        found = gs1.parse(aim, data)
    except Gs1Error:
        assert keys.scanned(aim + data) == ()
    else:
        joined = "".join(each.ai + each.value for each in found.elements)
        assert set(joined) <= set(data.replace(GS, ""))
    for key in (*keys.scanned(aim + data), *keys.other_readings(data)):
        assert all(len(text) <= cylinder_code.CODE_CHARS_MAX for text in key.spellings())


@given(st.text(max_size=60))
def test_no_text_without_an_identifier_is_read_as_elements(text: str) -> None:
    try:
        found = gs1.parse("", text)
    except Gs1Error:
        assert text.casefold().startswith("http")
    else:
        assert found.digital_link or not found.elements


@given(st.integers(0, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_of_an_ean_is_never_accepted(number: int, at: int, add: int) -> None:
    body = f"{number:012d}"
    digits = body + str(epc.check_digit(body))
    assert gs1.parse("]E0", digits).gtin == digits
    wrong = digits[:at] + str((int(digits[at]) + add) % 10) + digits[at + 1 :]
    with pytest.raises(Gs1Error, match="check digit"):
        gs1.parse("]E0", wrong)


@pytest.mark.parametrize("vector", LINKS, ids=lambda vector: vector["id"])
@pytest.mark.parametrize("told", [True, False])
def test_published_digital_links_decode_told_or_not(vector: dict[str, Any], *, told: bool) -> None:
    found = decode(vector["input"], format="gs1_digital_link" if told else None)
    assert (found.format, found.valid) == ("gs1_digital_link", True)
    assert vector["expect"].items() <= found.fields.items()


def test_short_names_are_read_from_the_first_key_on_and_addresses_stay_addresses() -> None:
    value = "95213xyz"
    assert gs1.link_elements(f"http://x.cn/giai/{value}") == (gs1.Element("8004", value),)
    lot = gs1.link_elements("https://x.cn/shop/gtin/05412345000013/lot/ser")
    assert lot == (gs1.Element("01", "05412345000013"), gs1.Element("10", "ser"))
    for address in ("http://x.cn/gtin", "http://x.cn/serial/1", "http://x.cn/12/abc"):
        assert gs1.link_elements(address) is None


def test_the_dear_table_is_not_loaded_for_labels_that_are_numbers_or_addresses() -> None:
    code = (
        "import sys; from protocols.tags import gs1;"
        "gs1.parse_text('1100000110100001');"
        "gs1.parse_text('http://teshe.org.cn/Q?id=1100000110100001');"
        "sys.exit('biip' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
