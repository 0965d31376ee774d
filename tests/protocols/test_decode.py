"""`protocols.decode`: told or not, data is named for what it is, and refused by a reason."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import DATA_CHARS_MAX, FORMATS, LATER, FormatError, anatomy, decode
from protocols.readers.uhfreader import Tag, build_command, build_push

GOLDEN = json.loads(
    (Path(__file__).parents[1] / "golden" / "tags_and_codes.json").read_text(encoding="utf-8")
)
SGTIN = "3074257BF7194E4000001A85"
URL = "http://teshe.org.cn/Q?id=1100000110100001"
TAG_FRAME = "1500010301010ce280689400005005b22108614d2f50"
CONTRACT_2 = (  # as the page spells it
    "uhfreader18 uhfreader288 r2000_a0 m100_bb chafon_cf llrp iso15693_serial pcsc pn532 "
    "scanner_serial hid_pos_8c hid_keyboard wiegand26 thingmagic_serial aim_gs1 epc_tds "
    "nfc_tag_memory yaohua toledo_continuous mt_sics yusheng"
)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("vector", GOLDEN["cylinder"], ids=lambda vector: vector["id"])
def test_published_tags_and_codes_decode_told_or_not(vector: dict[str, Any], *, told: bool) -> None:
    found = decode(vector["input"], format=vector["kind"] if told else None)
    expected = {k: v for k, v in vector["expect"].items() if not k.startswith("seed_")}
    assert {name: found.fields.get(name) for name in expected} == expected
    assert found.valid == ("error" not in expected)
    assert found.error == expected.get("error")
    assert found.kind == ("tag" if vector["kind"] == "epc_hex" else "barcode")


@pytest.mark.parametrize("vector", GOLDEN["epc_tds"], ids=lambda vector: vector["name"])
def test_published_epcs_decode_as_frames_of_their_protocol(vector: dict[str, Any]) -> None:
    for found in (decode(vector["hex"], frame="epc_tds"), decode(vector["hex"])):
        assert (found.kind, found.format, found.valid) == ("tag", "epc_tds", True)
        assert vector["decoded"].items() <= found.fields.items()


@pytest.mark.parametrize("vector", GOLDEN["scanner_serial"], ids=lambda vector: vector["name"])
def test_published_scanner_messages_decode_told_or_not(vector: dict[str, Any]) -> None:
    for found in (decode(vector["hex"], frame="scanner_serial"), decode(vector["hex"])):
        assert (found.kind, found.format, found.valid) == ("frame", "scanner_serial", True)
        for name, expected in vector["decoded"].items():
            assert str(expected).startswith(str(found.fields[name])), "vectors explain their CRC"


@pytest.mark.parametrize(
    ("data", "kind", "format_", "valid"),
    [
        (TAG_FRAME, "frame", "uhfreader288", True),
        (TAG_FRAME.upper(), "frame", "uhfreader288", True),
        (" ".join(re.findall("..", TAG_FRAME)), "frame", "uhfreader288", True),
        (":".join(re.findall("..", TAG_FRAME)), "frame", "uhfreader288", True),
        ("0x15 0x00" + TAG_FRAME[4:], "frame", "uhfreader288", True),
        ("1100ee00e2000020401302162510bbecb1b1", "frame", "uhfreader18", True),
        ("560000000000", "frame", "uhfreader288", True),
        ("040021d9ba", "frame", "uhfreader288", False),
        (TAG_FRAME[:-2] + "51", "frame", "uhfreader288", False),
        (b"0110100001\r".hex(), "frame", "scanner_serial", True),
        (f"\x02{URL}\x03".encode().hex(), "frame", "scanner_serial", True),
        (SGTIN, "tag", "epc_tds", True),
        ("300000000000000000000001", "tag", "epc_tds", True),
        ("307C257BF7194E4000001A85", "tag", "epc_tds", False),
        ("E28011606000020F3F3C5C5A", "tag", "epc_tds", True),
        ("0B8011606000020F3F3C5C5A", "tag", "epc_tds", True),
        ("E0:04:01:50:0A:1B:2C:3D", "tag", "epc_tds", True),
        ("3A4DE632", "tag", "epc_tds", True),
        ("0110100001", "barcode", "cylinder_barcode", True),
        ("1100000110100001", "barcode", "cylinder_barcode", True),
        (" 110000 0110100001；\r\n", "barcode", "cylinder_barcode", True),
        ("110000011010000", "barcode", "cylinder_barcode", False),
        ("11000001101000011", "barcode", "cylinder_barcode", False),
        ("9900000110100001", "barcode", "cylinder_barcode", False),
        (URL, "barcode", "cylinder_qr", True),
        (URL[:-1], "barcode", "cylinder_qr", False),
        ("http://example.org/Q?id=1100000110100001", "barcode", "cylinder_qr", False),
        ("12345678", "barcode", "text", True),
        ("A-7421", "barcode", "text", True),
        ("气瓶 7421", "barcode", "text", True),
        ("", "barcode", "text", False),
        ("x" * 65, "barcode", "text", False),
    ],
)
def test_data_is_named_for_what_it_is(data: str, kind: str, format_: str, *, valid: bool) -> None:
    found = decode(data)
    assert (found.kind, found.format, found.valid) == (kind, format_, valid)
    assert (found.error is None) == valid


@pytest.mark.parametrize(
    ("format_", "data", "said"),
    [
        ("uhfreader288", "040021d9ba", "wrong checksum"),
        ("uhfreader18", "", "empty"),
        ("uhfreader18", "hello", "not hex"),
        ("uhfreader288", TAG_FRAME[:-1], "even number"),
        ("scanner_serial", "04e40400ff15", "sum"),
        ("epc_tds", "zz", "not hex"),
        ("epc_tds", "307C257BF7194E4000001A85", "partition 7"),
        ("cylinder_barcode", "A-7421", "not_a_cylinder_code"),
        ("cylinder_qr", "http://example.org/", "foreign_url"),
        ("cylinder_qr", "teshe.org.cn/Q?id=9900000110100001", "bad_region"),
        ("text", "a\x00b", "control_character"),
        ("text", "x" * (DATA_CHARS_MAX + 1), "at most"),
    ],
)
def test_told_data_that_is_something_else_is_not_valid(format_: str, data: str, said: str) -> None:
    found = decode(data, format=format_)
    assert (found.format, found.kind, found.valid) == (format_, FORMATS[format_].kind, False)
    assert said in (found.error or "")


def test_a_tag_that_breaks_its_scheme_keeps_its_uid() -> None:
    assert decode("307c257bf7194e4000001a85").fields == {"uid": "307C257BF7194E4000001A85"}


def test_a_refused_code_says_its_reason_and_its_length() -> None:
    found = decode(URL[:-1])
    assert found.fields["error"] == found.error == "bad_length"
    assert found.fields["got_digits"] == 15
    assert "expected 10 or 16" in found.fields["detail"]


def test_every_name_of_the_contract_is_known() -> None:
    assert set(CONTRACT_2.split()) <= set(FORMATS) | LATER
    assert not set(FORMATS) & LATER


def test_no_format_of_the_contract_is_left_for_a_later_version() -> None:
    assert sorted(LATER) == []


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(FormatError, match="did you mean 'uhfreader18'"):
        decode("00", format="uhfreader-18")
    with pytest.raises(FormatError, match="unknown format 'x'; known: uhfreader18"):
        decode("00", format="x")


def test_two_different_formats_are_refused() -> None:
    with pytest.raises(FormatError, match="expected one"):
        decode("00", format="epc_tds", frame="uhfreader18")
    assert decode(SGTIN, format="epc_tds", frame="epc_tds").valid


@given(st.text(max_size=80) | st.binary(max_size=60).map(bytes.hex), st.sampled_from([*FORMATS]))
def test_anything_decodes_to_an_answer(data: str, name: str) -> None:
    for found in (decode(data), decode(data, format=name)):
        json.dumps(found.as_dict())
        parts = anatomy(data, found)
        assert found.valid or not parts


@given(st.binary(min_size=4, max_size=31), st.integers(0, 0xFE))
def test_a_frame_is_found_whatever_the_tag_says(tag: bytes, address: int) -> None:
    for frame in (build_push(address, "18", Tag(tag)), build_command(address, 0x21, b"")):
        assert decode(frame.hex(" ")).kind == "frame"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (SGTIN, "00110000 011 101 000010010101111011111101"),
        (TAG_FRAME, "15 00 01 03 01 01 0c"),
        (URL, "teshe.org.cn 110000 0110100001"),
        (b"0110100001\r".hex(), "30 31 31 30"),
        ("04e40400ff14", "04 e4 04 00 ff 14"),
        ("560000000000", "56 00 00 00 00 00"),
        ("[QP02001,132020000001,AG,323232,2015年09月,2045年09月]x", "[QP02001"),
        ("A-7421", "A-7421"),
    ],
)
def test_the_raw_data_stands_beside_its_meaning(data: str, expected: str) -> None:
    parts = anatomy(data, decode(data))
    assert " ".join(part.raw for part in parts).startswith(expected)
    assert all(part.meaning for part in parts)


def test_several_frames_are_laid_out_one_after_another() -> None:
    end = "0700010101001e4b"
    parts = anatomy(TAG_FRAME + end, decode(TAG_FRAME + end))
    assert "".join(part.raw for part in parts).replace(" ", "") == TAG_FRAME + end
