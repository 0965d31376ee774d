import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.modbus import read, rtu_frame, write_many, write_one
from protocols.readers import chainway, modbus_rtu

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] in {"modbus_rfid", "chainway_a55a"}]
FRAMES = [
    rtu_frame(1, read(30, 5).pdu),
    rtu_frame(2, read(0, 1, function=4).pdu),
    rtu_frame(3, write_one(4, 700).pdu),
    rtu_frame(4, write_many(5, bytes(range(8))).pdu),
    rtu_frame(4, bytes.fromhex("1000050004")),
    rtu_frame(5, bytes.fromhex("03040001a24f")),
    rtu_frame(5, bytes.fromhex("01010d")),
    rtu_frame(5, bytes.fromhex("0503f8ff00")),
    rtu_frame(5, bytes.fromhex("0f03f800030105")),
    rtu_frame(6, bytes.fromhex("8302")),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['protocol']}-{v['name']}")
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    decoded = decode(vector["hex"], frame=vector["protocol"])
    assert decoded.valid
    assert decoded.fields.get("direction", vector["direction"]) == vector["direction"]
    for key, value in vector["decoded"].items():
        if key != "note":
            assert decoded.fields[key] == value, key
    parts = "".join(part.raw.replace(" ", "") for part in anatomy(vector["hex"], decoded))
    assert parts == vector["hex"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['protocol']}-{v['name']}")
def test_no_flipped_bit_and_no_cut_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for bit in range(8 * len(frame)):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        assert not decode(broken.hex(), frame=vector["protocol"]).valid
    for size in range(len(frame)):
        assert not decode(frame[:size].hex(), frame=vector["protocol"]).valid


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        ("03001e0005", {"fc": 3, "start": 30, "count": 5, "direction": "host>device"}),
        ("030400010203", {"fc": 3, "count": 2, "values": [1, 515], "data": "00010203"}),
        ("0402ffff", {"fc": 4, "values": [65535], "direction": "device>host"}),
        ("060004 02bc", {"fc": 6, "start": 4, "values": [700]}),
        ("0503f8ff00", {"fc": 5, "start": 1016, "values": [True]}),
        ("0503f80000", {"fc": 5, "start": 1016, "values": [False]}),
        ("0103f80001", {"fc": 1, "start": 1016, "count": 1, "direction": "host>device"}),
        ("010101", {"fc": 1, "values": [True] + [False] * 7, "direction": "device>host"}),
        ("0103ffffff", {"fc": 1, "count": 24, "direction": "device>host"}),
        ("10000500020400010002", {"fc": 16, "start": 5, "values": [1, 2]}),
        ("1000050002", {"fc": 16, "start": 5, "count": 2, "direction": "device>host"}),
        ("0f00000003 0105", {"fc": 15, "count": 3, "values": [True, False, True]}),
        ("8302", {"fc": 3, "exception": 2, "exception_name": "illegal data address"}),
    ],
)
def test_requests_and_replies_are_told_apart_by_length(pdu: str, expected: dict[str, Any]) -> None:
    frame = rtu_frame(17, bytes.fromhex(pdu))
    found = modbus_rtu.fields(frame)
    assert found["unit"] == 17
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_bus_that_is_listened_to_yields_every_frame(seed: int) -> None:
    rng = random.Random(seed)
    frames = rng.sample(FRAMES, len(FRAMES))
    stream = b"".join(b"\x00" * rng.randrange(3) + frame for frame in frames)
    framer = modbus_rtu.new_framer()
    pieces = []
    while stream:
        size = rng.randrange(1, 20)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    pieces += framer.idle()
    assert [piece for piece in pieces if isinstance(piece, bytes)] == frames


@given(st.binary(max_size=40))
def test_any_bytes_are_shown_or_refused(data: bytes) -> None:
    for frame in (data, rtu_frame(1, data) if data else data, chainway.build_frame(0xA1, data)):
        for name in ("modbus_rfid", "chainway_a55a"):
            decoded = decode(frame.hex(), frame=name)
            assert decoded.valid or decoded.error


@given(st.integers(0, 255), st.binary(max_size=60))
def test_chainway_frames_survive_a_round_trip(command: int, data: bytes) -> None:
    frame = chainway.build_frame(command, data)
    found = chainway.fields(frame)
    assert found["cmd"] == f"0x{command:02X}"
    framer = chainway.new_framer()
    pieces = [*framer.feed(b"\xa5" + frame + b"\x5a" + frame), *framer.idle()]
    assert [piece for piece in pieces if isinstance(piece, bytes)] == [frame, frame]


def test_a_chainway_length_that_lies_is_refused() -> None:
    with pytest.raises(FrameError, match="length 7 cannot be"):
        chainway.fields(bytes.fromhex("a55a00078c840d0a"))
