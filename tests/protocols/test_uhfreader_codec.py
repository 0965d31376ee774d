import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.framing import FrameError
from protocols.readers.uhfreader import (
    BRIDGE_HEARTBEAT,
    TAG_BYTES_MAX,
    Aim,
    Answer,
    AntennaHeartbeat,
    Dialect,
    Info,
    Inventory,
    InventoryParams,
    Mask,
    Push,
    Statistics,
    Tag,
    TidArea,
    WorkMode,
    antennas,
    build_answer,
    build_antenna_heartbeat,
    build_command,
    build_info_reply,
    build_inventory,
    build_inventory_reply,
    build_push,
    decode_command,
    decode_params,
    decode_reply,
    encode_params,
    fields,
    new_framer,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"].startswith("uhfreader")]
VALID = [v for v in VECTORS if v["valid"]]
FRAMES = [v for v in VALID if v["name"] not in {"hwvx_heartbeat", "two_tags_then_end_stream"}]
PROSE = {"note", "meaning", "expect", "good_crc"}
EPC = bytes.fromhex("e280689400005005b2210861")


def dialect(vector: dict[str, Any]) -> Dialect:
    return "18" if vector["protocol"] == "uhfreader18" else "288"


def name(vector: dict[str, Any]) -> str:
    return f"{vector['protocol']}-{vector['name']}"


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]), dialect(vector))
    assert found.get("direction", vector["direction"]) == vector["direction"]
    for key, value in vector["decoded"].items():
        if key not in PROSE:
            assert found[key] == value, key


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["valid"]], ids=name)
def test_every_golden_negative_is_rejected(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="wrong checksum"):
        fields(bytes.fromhex(vector["hex"]), dialect(vector))


@pytest.mark.parametrize("vector", [v for v in FRAMES if v["direction"] == "host>device"], ids=name)
def test_every_golden_command_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    command = decode_command(frame)
    assert build_command(command.address, command.code, command.data) == frame
    if vector["protocol"] == "uhfreader288":
        assert build_inventory(command.address, decode_params(command.data)) == frame


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_no_flipped_bit_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            fields(bytes(broken), dialect(vector))
        framer = new_framer(len_min=4)
        assert not [p for p in framer.feed(bytes(broken)) + framer.idle() if isinstance(p, bytes)]


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_no_cut_frame_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            fields(frame[:size], dialect(vector))


@pytest.mark.parametrize("seed", range(8))
def test_all_golden_frames_come_out_of_one_stream_with_garbage_between(seed: int) -> None:
    rng = random.Random(seed)
    expected = [bytes.fromhex(v["hex"]) for v in FRAMES]
    rng.shuffle(expected)
    framer = new_framer(len_min=4)
    stream = b"".join(
        bytes(rng.randrange(4) for _ in range(rng.randrange(9))) + f for f in expected
    )
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_the_bridge_heartbeat_never_costs_the_frame_behind_it() -> None:
    frame = build_inventory_reply(0, "18", [Tag(EPC)])
    for cut in range(len(BRIDGE_HEARTBEAT) + 1):
        framer = new_framer()
        stream = BRIDGE_HEARTBEAT + frame + BRIDGE_HEARTBEAT
        assert framer.feed(stream[:cut]) + framer.feed(stream[cut:]) == [
            BRIDGE_HEARTBEAT,
            frame,
            BRIDGE_HEARTBEAT,
        ]


def test_a_frame_as_long_as_the_bridge_heartbeat_starts_is_a_frame() -> None:
    frame = build_answer(0, 0x02, 0, bytes(0x56 - 5))
    assert frame[:2] == BRIDGE_HEARTBEAT[:2]
    framer = new_framer()
    assert [piece for byte in frame for piece in framer.feed(bytes((byte,)))] == [frame]


def test_an_empty_round_is_an_answer_and_no_error() -> None:
    assert decode_reply(build_answer(0, 1, 0xFB), "18") == Answer(0, 1, 0xFB, b"")
    done = decode_reply(build_inventory_reply(0, "288", status=1), "288")
    assert done == Inventory(0, 1, 1, 1, ())


def test_unknown_numbers_stay_numbers() -> None:
    info = Info(0, (9, 9), 0xE7, 0xFF, 0xFF, 0xFF, 99, 255, b"\x01\x02\x03\x04\x05")
    assert decode_reply(build_info_reply(info), "288") == info
    found = fields(build_info_reply(info), "288")
    assert found["type"] == "0xE7"
    assert found["band"] == 15
    assert "band_name" not in found
    assert fields(build_answer(0, 1, 0xE1), "288")["status"] == 0xE1


def test_a_tag_may_carry_its_tid_and_its_phase() -> None:
    tag = Tag(EPC, 77, tid=bytes(range(12)), trailer=bytes(7))
    plain = Tag(EPC[:4], 78)
    reply = decode_reply(build_inventory_reply(0, "288", [tag, plain]), "288")
    assert isinstance(reply, Inventory)
    assert reply.tags == (tag, plain)


def test_a_tid_longer_than_its_tag_is_refused() -> None:
    with pytest.raises(FrameError, match="EPC and TID"):
        decode_reply(build_answer(0, 1, 3, bytes((1, 1, 0x80 | 4, 1, 2, 3, 4, 77))), "288")


def test_a_frame_of_the_other_dialect_is_refused_not_misread() -> None:
    of_288 = build_inventory_reply(0, "288", [Tag(EPC, 77)])
    of_18 = build_inventory_reply(0, "18", [Tag(EPC)])
    with pytest.raises(FrameError, match="dialect 18"):
        decode_reply(of_288, "18")
    with pytest.raises(FrameError, match="dialect 288"):
        decode_reply(of_18, "288")
    with pytest.raises(FrameError, match="dialect 288"):
        decode_reply(build_push(0, "18", Tag(EPC)), "288")


def test_real_time_mode_pushes_tags_and_heartbeats() -> None:
    tag = Tag(EPC, 70)
    assert decode_reply(build_push(2, "288", tag, antenna_raw=4), "288") == Push(2, 4, tag)
    beat = AntennaHeartbeat(2, 7, b"\x01\x00\x00\x01", 70_000)
    assert decode_reply(build_antenna_heartbeat(beat), "288") == beat
    assert fields(build_antenna_heartbeat(beat), "288")["antenna_status"] == [1, 0, 0, 1]
    for bad in (build_answer(0, 0xEE, 0x28, bytes(7)), build_answer(0, 0xEE, 0x11, bytes(4))):
        with pytest.raises(FrameError):
            decode_reply(bad, "288")


def test_work_modes_tell_whether_the_reader_answers() -> None:
    answering = decode_reply(build_answer(0, 0x36, 0, bytes(4) + b"\x04" + bytes(7)), "18")
    scanning = decode_reply(build_answer(0, 0x36, 0, bytes(4) + b"\x05" + bytes(7)), "18")
    pushing = decode_reply(build_answer(0, 0x77, 0, b"\x01" + bytes(44)), "288")
    assert isinstance(answering, WorkMode)
    assert answering.answers
    assert isinstance(scanning, WorkMode)
    assert not scanning.answers
    assert isinstance(pushing, WorkMode)
    assert not pushing.answers
    assert fields(build_answer(0, 0x77, 0, b"\x01" + bytes(44)), "288")["read_mode"] == 1


def test_statistics_end_a_round() -> None:
    reply = decode_reply(build_answer(0, 1, 0x26, bytes((1, 0, 9, 0, 0, 1, 0))), "288")
    assert reply == Statistics(0, 1, 1, 9, 256)


def test_a_frame_tells_which_way_it_goes() -> None:
    def way(frame: bytes, dialect: Dialect = "288") -> Any:
        return fields(frame, dialect)["direction"]

    host, device = "host>device", "device>host"
    assert way(build_command(0, 0x2F, b"\x1e")) == host
    assert way(build_answer(0, 0x2F, 0)) == device
    assert way(build_answer(0, 0x2F, 0xFF)) == device
    assert way(build_answer(0, 0x00, 0xFE)) == device
    assert way(build_command(0, 1, b"\x02\x06"), "18") == host
    assert way(build_answer(0, 1, 0xFB), "18") == device
    assert way(build_inventory_reply(0, "18", status=1), "18") == device
    assert way(build_inventory(0, InventoryParams(aim=Aim(1, 0x80, 20)))) == host
    assert way(build_command(0, 0x02, b"\x06" + EPC + bytes(7))) == host
    assert way(build_answer(0, 0x02, 0, bytes(8))) == device
    assert way(build_command(0, 0x04, b"\x06" + bytes(4) + EPC)) == host
    assert fields(build_command(0, 0x2F, b"\x00"), "288", way="host>device")["power_dbm"] == 0


def test_a_stream_with_anything_between_its_frames_is_refused() -> None:
    good = build_inventory_reply(0, "288", [Tag(EPC, 77)])
    assert fields(good + BRIDGE_HEARTBEAT + good, "288")["frames"] == 2
    with pytest.raises(FrameError, match="too small"):
        fields(good + b"\x00" + good, "288")


def test_antenna_bytes_become_antennas_from_one() -> None:
    assert antennas(4, "mask") == (3,)
    assert antennas(5, "mask") == (1, 3)
    assert antennas(4, "index") == (5,)
    assert antennas(0, "index") == (1,)
    assert antennas(0, "mask") == (1,)
    assert antennas(None, "mask") == (1,)


PARAMS = st.builds(
    InventoryParams,
    q=st.integers(0, 15),
    session=st.sampled_from([0, 1, 2, 3, 255]),
    statistics=st.booleans(),
    strategy=st.booleans(),
    fast_id=st.booleans(),
    trailer=st.booleans(),
    mask=st.none()
    | st.integers(0, 64).flatmap(
        lambda bits: st.builds(
            Mask,
            st.integers(1, 3),
            st.integers(0, 0xFFFF),
            st.just(bits),
            st.binary(min_size=(bits + 7) // 8, max_size=(bits + 7) // 8),
        )
    ),
    tid=st.none() | st.builds(TidArea, st.integers(0, 255), st.integers(1, 15)),
    aim=st.none() | st.builds(Aim, st.integers(0, 1), st.integers(0x80, 0x8F), st.integers(0, 255)),
)


@given(PARAMS)
def test_inventory_parameters_survive_a_round_trip(params: InventoryParams) -> None:
    assert decode_params(encode_params(params)) == params


@given(st.binary(min_size=2, max_size=60))
def test_any_inventory_data_is_kept_byte_for_byte_or_refused(data: bytes) -> None:
    try:
        params = decode_params(data)
    except FrameError:
        return
    assert encode_params(params) == data


TAGS = st.builds(
    Tag,
    epc=st.binary(min_size=1, max_size=TAG_BYTES_MAX - 12),
    rssi_raw=st.integers(0, 255),
    tid=st.just(b"") | st.binary(min_size=12, max_size=12),
    trailer=st.just(b"") | st.binary(min_size=7, max_size=7),
)


@given(st.lists(TAGS, max_size=3), st.integers(0, 254), st.integers(0, 255))
def test_a_round_survives_a_round_trip(tags: list[Tag], address: int, antenna: int) -> None:
    frame = build_inventory_reply(address, "288", tags, antenna_raw=antenna)
    assert decode_reply(frame, "288") == Inventory(address, 1, 3, antenna, tuple(tags))
    plain = [Tag(tag.epc) for tag in tags]
    reply = decode_reply(build_inventory_reply(address, "18", plain), "18")
    assert reply == Inventory(address, 1, 3, None, tuple(plain))


@given(st.binary(max_size=80), st.sampled_from(["18", "288"]))
def test_any_sealed_payload_decodes_or_is_refused(payload: bytes, dialect: Dialect) -> None:
    code, data = (payload[0], payload[1:]) if payload else (1, b"")
    try:
        found = fields(build_command(0, code, data), dialect)
    except FrameError:
        return
    json.dumps(found)


def test_values_are_frozen() -> None:
    reply = decode_reply(build_inventory_reply(0, "288", [Tag(EPC, 77)]), "288")
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.address = 1  # type: ignore[misc]  # the point of the test
