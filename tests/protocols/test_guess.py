"""Nobody says what the data is: frames prove themselves, labels and uids are never taken for them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.checksums import lrc8
from protocols.decode import FORMATS, decode
from protocols.shapes import UID_BYTES

GOLDEN: list[dict[str, Any]] = [
    vector
    for vector in json.loads(
        (Path(__file__).parents[1] / "golden" / "readers.json").read_text(encoding="utf-8")
    )
    if vector["protocol"] in FORMATS
]
SAME_FRAME = {"uhfreader18": "uhfreader288", "uhfreader288": "uhfreader18"}
"""Two dialects of one frame: the bytes alone do not always say which."""
TOO_SHORT = {"truncated_header"}
"""Three bytes are no frame, no tag and no code: only told what they are they are refused."""
EPC = "E280689400005005B2210861"


def data_of(vector: dict[str, Any]) -> str:
    return str(vector.get("hex") or vector["text"])


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda v: f"{v['protocol']}-{v['name']}")
def test_every_published_vector_is_named_untold(vector: dict[str, Any]) -> None:
    if vector["name"] in TOO_SHORT:
        return
    found = decode(data_of(vector))
    assert found.format in {vector["protocol"], SAME_FRAME.get(vector["protocol"])}
    assert found.valid == vector["valid"]
    if found.format == vector["protocol"]:
        assert found == decode(data_of(vector), frame=vector["protocol"])


@given(st.from_regex(r"[1-6][0-9]{9}|3701[0-9]{2}[0-9]{10}", fullmatch=True))
def test_the_digits_of_a_label_are_never_a_frame_of_an_8_bit_sum(digits: str) -> None:
    found = decode(digits)
    row = FORMATS[found.format]
    assert found.kind != "frame" or row.proof_bits > 8


@pytest.mark.parametrize("size", sorted(UID_BYTES))
def test_uids_are_tags(size: int) -> None:
    rng = random.Random(size)
    for first in (0x04, 0x30, 0xE0, 0xE2, 0x3A):
        for _ in range(200):
            uid = bytes((first,)) + rng.randbytes(size - 1)
            found = decode(uid.hex())
            assert found.kind != "frame" or FORMATS[found.format].proof_bits > 8, uid.hex()


def test_a_uid_that_looks_like_a_broken_frame_is_a_tag() -> None:
    uid = bytes((0xA0, 10)) + bytes(range(10))
    assert sum(uid) % 256, "its sum is wrong"
    assert decode(uid.hex()).kind == "tag"


@pytest.mark.parametrize(
    ("frame", "format_"),
    [
        ("bb00030001000501", ""),
        ("bb000300010006" + "7e", "m100_bb"),
        ("a00401890033", "r2000_a0"),
        ("ff001d0c0000", ""),
        ("1500010301010ce280689400005005b22108614d2f51", "uhfreader288"),
    ],
)
def test_a_frame_with_a_wrong_checksum_is_told_as_such(frame: str, format_: str) -> None:
    found = decode(frame)
    if format_:
        assert (found.format, found.valid) == (format_, False)
        assert found.error
    else:
        assert found.kind != "frame"


def test_a_longer_proof_wins_over_a_shorter_one() -> None:
    """A 16-bit frame whose bytes also add up to 0 is still the 16-bit one."""
    rows = [FORMATS[name].proof_bits for name in ("uhfreader288", "r2000_a0")]
    assert rows[0] > rows[1]
    body = bytes.fromhex("a0") + bytes((0x04, 0x01, 0x89, 0x22))
    weak = body + bytes((lrc8(body),))
    assert decode(weak.hex()).format == "r2000_a0"


@pytest.mark.parametrize(
    ("data", "format_", "valid"),
    [
        ("00100010010100010010011111", "wiegand26", True),
        ("00100010010100010010011110", "wiegand26", False),
        ("0010001001010001001001111", "text", True),
        ("68,41551", "text", True),
        ("4468879", "text", True),
        ("]d2011231231231233310ABC123\x1d99TESTING", "aim_gs1", True),
        ("]", "text", True),
        ("[x]C1", "text", True),
        ("011231231231233310ABC123", "epc_tds", True),
        ("ffca000000", "pcsc", True),
        ("3b8f8001804f0ca0000003060300030000000069", "epc_tds", True),
        ("00001e0000000000", "hid_keyboard", True),
        ("00001e1f00000000", "epc_tds", True),
        (EPC, "epc_tds", True),
    ],
)
def test_what_has_no_checksum_is_named_only_when_unmistakable(
    data: str, format_: str, *, valid: bool
) -> None:
    found = decode(data)
    assert (found.format, found.valid) == (format_, valid)
