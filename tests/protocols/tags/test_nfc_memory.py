import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.checksums import xor8
from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.tags import ndef, nfc_commands
from protocols.tags.nfc_memory import fields, tlvs, uid_of

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "nfc_tag_memory"]
UID = bytes.fromhex("04112233445566")
PAGES_0_TO_2 = (
    UID[:3] + bytes((xor8(b"\x88" + UID[:3]),)) + UID[3:] + bytes((xor8(UID[3:]), 0x48, 0, 0))
)
URI = bytes.fromhex("d1010c5504") + b"example.com"
TEXT = bytes.fromhex("d101085402656e") + b"A7421"


def container(message: bytes) -> bytes:
    return bytes.fromhex("e1101200") + bytes((3, len(message))) + message + b"\xfe"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_golden_memory_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    expected = {k: v for k, v in vector["decoded"].items() if k != "note"}
    assert {key: found.get(key) for key in expected} == expected
    named = decode(vector["hex"], format="nfc_tag_memory")
    assert named.valid
    assert anatomy(vector["hex"], named)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("0004040201001103", "NTAG215 504 B user"),
        ("0004030101000b03", "MIFARE Ultralight EV1 48 B user"),
        ("0004040201007703", None),
        ("0004040502021303", None),
    ],
)
def test_a_version_names_the_type_when_it_is_known(raw: str, kind: str | None) -> None:
    assert fields(bytes.fromhex(raw)).get("type") == kind


def test_a_memory_from_page_0_gives_the_uid_its_check_bytes_prove() -> None:
    found = fields(PAGES_0_TO_2 + container(URI))
    assert found["uid"] == UID.hex()
    assert found["ndef"]["uri"] == "https://example.com"
    assert uid_of(PAGES_0_TO_2) == UID
    for at in range(9):
        broken = bytearray(PAGES_0_TO_2)
        broken[at] ^= 0x10
        with pytest.raises(FrameError, match="BCC"):
            fields(bytes(broken))


def test_a_whole_message_tells_its_text() -> None:
    found = fields(container(TEXT))
    assert found["ndef"] == {
        "tnf": 1,
        "type": "T",
        "payload_len": 8,
        "lang": "en",
        "text": "A7421",
    }
    assert found["tlvs"] == [{"t": 3, "l": len(TEXT)}, {"t": 254}]
    assert "cut" not in found


def test_a_long_length_and_other_blocks_are_read() -> None:
    blocks = tlvs(b"\x00\x01\x03abc\x03\xff\x01\x00" + bytes(256) + b"\xfe\x99")
    assert [(block.tag, block.length) for block in blocks] == [(1, 3), (3, 256), (254, 0)]


def test_a_type_5_container_is_read_too() -> None:
    found = fields(bytes.fromhex("e1400d01") + bytes((3, len(TEXT))) + TEXT + b"\xfe")
    assert found["data_area_bytes"] == 104
    assert found["ndef"]["text"] == "A7421"


@pytest.mark.parametrize(
    "raw", ["", "e110", "e110120003", "e110120003ff01", "04", "e11012000302d1", "00" * 5000]
)
def test_what_is_no_tag_memory_is_refused(raw: str) -> None:
    with pytest.raises(FrameError):
        fields(bytes.fromhex(raw))


def test_more_records_than_a_tag_has_are_refused() -> None:
    with pytest.raises(FrameError, match="more than 32 records"):
        ndef.records(bytes.fromhex("11010054") * 40)


def test_tag_commands_are_told_in_words() -> None:
    assert nfc_commands.describe(nfc_commands.read(4)) == "READ page 4"
    assert nfc_commands.describe(nfc_commands.write(5, b"abcd")) == "WRITE page 5: 61626364"
    assert nfc_commands.describe(b"\x60") == "GET_VERSION"
    assert nfc_commands.describe(b"\x3a\x04\x27") == "FAST_READ pages 4 to 39"
    assert nfc_commands.describe(b"\x1babcd") == "PWD_AUTH"
    assert nfc_commands.describe(b"\x99") == ""


@given(st.binary(max_size=120))
def test_anything_decodes_or_is_refused(raw: bytes) -> None:
    for data in (raw, b"\xe1\x10\x12\x00" + raw):
        try:
            found = fields(data)
        except FrameError:
            continue
        json.dumps(found)
