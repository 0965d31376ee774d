"""Every published frame of a scale decodes to its fields, told and untold, and is refused broken."""

from typing import Any

import pytest

from protocols.decode import anatomy, decode
from tests.protocols.scales.golden import GOLDEN, hex_of


def is_checked(vector: dict[str, Any]) -> bool:
    return not vector["id"].startswith("yaohua-cont-") or vector["id"] == "yaohua-cont-0"


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda v: v["id"])
def test_published_frames_decode_told_or_not(vector: dict[str, Any]) -> None:
    data = hex_of(vector)
    for found in (decode(data, frame=vector["protocol"]), decode(data)):
        assert (found.kind, found.format, found.valid) == ("frame", vector["protocol"], True)
        assert {name: found.fields.get(name) for name in vector["expect"]} == vector["expect"]
        raw = "".join(part.raw for part in anatomy(data, found)).replace(" ", "")
        assert bytes.fromhex(raw) == bytes.fromhex(data)


@pytest.mark.parametrize("vector", GOLDEN, ids=lambda v: v["id"])
def test_a_cut_or_longer_frame_is_refused(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(hex_of(vector))
    for wrong in [raw[:end] for end in range(1, len(raw))] + [raw + b"\x00", b"\x7f" + raw]:
        found = decode(wrong.hex(), frame=vector["protocol"])
        assert not found.valid, wrong
        assert found.error


@pytest.mark.parametrize("vector", [v for v in GOLDEN if is_checked(v)], ids=lambda v: v["id"])
def test_one_flipped_bit_is_never_the_same_frame(vector: dict[str, Any]) -> None:
    if vector["protocol"] == "mt_sics":
        return  # No checksum: its digits prove nothing.
    raw = bytes.fromhex(hex_of(vector))
    for bit in range(8 * len(raw)):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        found = decode(broken.hex(), frame=vector["protocol"])
        assert not found.valid, broken.hex()


def test_two_frames_in_a_row_decode_as_two() -> None:
    for vector in GOLDEN:
        if vector["id"] == "yusheng-permit":
            continue  # A host's frame has no head to find the next one by.
        found = decode(hex_of(vector) * 2, frame=vector["protocol"])
        assert found.valid, vector["id"]
        assert len(found.fields.get("frames", found.fields.get("lines"))) == 2
