"""EPC decoding against published examples and against epcpy, an independent decoder."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from epcpy.epc_schemes.base_scheme import GS1Element
from epcpy.utils.common import ConvertException
from epcpy.utils.parsers import hex_to_tag_encodable
from hypothesis import given
from hypothesis import strategies as st

from protocols.tags import epc

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "tags_and_codes.json").read_text(encoding="utf-8")
)
PUBLISHED = [
    *((v["input"], v["expect"]) for v in GOLDEN["cylinder"] if v["kind"] == "epc_hex"),
    *((v["hex"], v["decoded"]) for v in GOLDEN["epc_tds"]),
]
SGTIN = "3074257BF7194E4000001A85"
SCHEMES = {0x30: "sgtin", 0x33: "grai", 0x34: "giai"}


@pytest.mark.parametrize(("text", "expected"), PUBLISHED)
def test_published_examples_decode_as_published(text: str, expected: dict[str, Any]) -> None:
    found = epc.fields(epc.decode(text))
    assert {name: found.get(name) for name in expected} == expected


def test_an_individual_asset_decodes_to_its_prefix_and_reference() -> None:
    found = epc.decode("3474257BF40000000000162E")
    assert found == epc.Giai96(
        header="0x34",
        filter=3,
        partition=5,
        company_prefix="0614141",
        asset_reference="5678",
        pure_identity="urn:epc:id:giai:0614141.5678",
        tag_uri="urn:epc:tag:giai-96:3.0614141.5678",
        gs1_element="(8004)06141415678",
    )


@given(
    header=st.sampled_from(sorted(SCHEMES)),
    filter_=st.integers(0, 7),
    partition=st.integers(0, 6),
    data=st.data(),
)
def test_every_legal_tag_means_what_epcpy_says(
    header: int, filter_: int, partition: int, data: st.DataObject
) -> None:
    digits = {"company_prefix": 12 - partition, "item_reference": partition + 1}
    digits["asset_type"] = partition
    bits = f"{header:08b}{filter_:03b}{partition:03b}"
    for name, width in epc.layout_bits(header, partition)[3:]:
        top = min(2**width, 10 ** digits.get(name, 99)) - 1
        bits += f"{data.draw(st.integers(0, top), label=name):0{width}b}"
    tag = f"{int(bits, 2):024X}"
    found = epc.fields(epc.decode(tag))
    oracle = hex_to_tag_encodable(tag)
    assert isinstance(oracle, GS1Element)
    assert found["pure_identity"] == found["uri"] == oracle.epc_uri
    assert found["gs1_element"] == oracle.gs1_element_string()


@given(st.binary(min_size=12, max_size=12), st.sampled_from(sorted(SCHEMES)))
def test_what_epcpy_refuses_is_refused(tail: bytes, header: int) -> None:
    tag = bytes([header, *tail[1:]]).hex()
    try:
        hex_to_tag_encodable(tag)
    except ConvertException:
        with pytest.raises(epc.TagError):
            epc.decode(tag)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("307C257BF7194E4000001A85", "partition 7 is reserved"),
        ("3063FFFFFFFFFD4E40001A85", "company_prefix is 1099511627775"),
        ("3374257BF7FFFFC000000001", "asset_type is 1048575"),
        ("336072FA6468504000000001", "allows 0 digits"),
        ("3074000003FFFFC000000001", "item_reference is"),
    ],
)
def test_a_tag_that_breaks_its_scheme_is_refused_but_still_has_a_uid(text: str, said: str) -> None:
    with pytest.raises(epc.TagError, match=said):
        epc.decode(text)
    assert epc.uid(text) == text


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("E28011606000020F3F3C5C5A", "factory number"),
        ("3A4DE632", "no EPC scheme"),
        ("04A2B3C4D5E680", "no EPC scheme"),
        ("E00401500A1B2C3D", "no EPC scheme"),
        ("3174257BF4499602D2000000", "SSCC-96"),
        ("36300000000000000000000000000000000000000000000000F0", "SGTIN-198"),
        ("3074257BF7194E40", "96-bit scheme on 64 bits"),
        ("00" * epc.UID_BYTES_MAX, "no EPC scheme"),
    ],
)
def test_a_tag_without_a_known_scheme_is_an_opaque_id(text: str, note: str) -> None:
    found = epc.decode(text)
    assert isinstance(found, epc.Opaque)
    assert (found.uid, found.bits) == (text, 4 * len(text))
    assert note in found.note


@pytest.mark.parametrize(
    "text",
    [
        SGTIN.lower(),
        f"0x{SGTIN}",
        f"  {SGTIN}\r\n",
        " ".join(SGTIN[i : i + 2] for i in range(0, 24, 2)),
        ":".join(SGTIN[i : i + 4] for i in range(0, 24, 4)),
        "-".join(f"0x{SGTIN[i : i + 2]}" for i in range(0, 24, 2)),
    ],
)
def test_spelling_does_not_change_the_uid(text: str) -> None:
    assert epc.uid(text) == SGTIN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("0x", "empty"),
        ("30742", "even number"),
        ("30742G", "not hex"),
        ("３０７４", "not hex"),
        ("00" * (epc.UID_BYTES_MAX + 1), "at most 62"),
    ],
)
def test_what_is_no_tag_id_says_why(text: str, said: str) -> None:
    with pytest.raises(epc.TagError, match=said):
        epc.uid(text)


@given(st.text(max_size=140) | st.binary(max_size=70).map(bytes.hex))
def test_any_text_decodes_or_is_refused_by_name(text: str) -> None:
    try:
        found = epc.decode(text)
    except epc.TagError:
        return
    assert epc.decode(epc.uid(text)) == found


@given(st.integers(0, 95))
def test_every_flipped_bit_is_another_tag_or_none(bit: int) -> None:
    original = epc.decode(SGTIN)
    flipped = f"{int(SGTIN, 16) ^ (1 << bit):024X}"
    try:
        found = epc.decode(flipped)
    except epc.TagError:
        return
    assert found != original


def test_every_layout_fills_its_96_bits() -> None:
    for header in SCHEMES:
        for partition in range(len(epc.PREFIX_BITS)):
            assert sum(bits for _, bits in epc.layout_bits(header, partition)) == 96


def test_a_decoded_tag_cannot_be_changed() -> None:
    found = epc.decode(SGTIN)
    assert isinstance(found, epc.Sgtin96)
    with pytest.raises(AttributeError):
        found.serial = 1  # type: ignore[misc]  # the promise under test
    assert replace(found, serial=1) != found
