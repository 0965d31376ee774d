import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.checksums import lrc8
from protocols.decode import decode
from protocols.framing import FrameError
from protocols.readers.r2000 import (
    Access,
    Answer,
    AntennaError,
    Extension,
    FastSwitch,
    Reply,
    Result,
    RoundEnd,
    Seen,
    SwitchEnd,
    Version,
    build_command,
    build_fast_switch,
    build_inventory,
    build_match,
    build_read,
    build_reply,
    build_session_inventory,
    build_write,
    codes,
    decode_command,
    decode_fast_switch,
    decode_reply,
    fields,
    freq_khz,
    is_known_reply,
    new_framer,
    pc_of,
    seal,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "r2000_a0"]
FRAMES = [bytes.fromhex(v["hex"]) for v in VECTORS]
EPC = bytes.fromhex("e280689400005005b2210861")
SEEN = Seen(1, codes.INVENTORY, 0x8C, 0x3000, EPC, 55)
HOST, DEVICE = "host>device", "device>host"
# As documents describe it, but with a checksum that does not add up: published by mistake.
WRONG_END = "a00a01890000000000000000"


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", VECTORS, ids=name)
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    assert found["direction"] == vector["direction"]
    assert vector["decoded"].items() <= found.items()
    told = decode(vector["hex"], frame="r2000_a0")
    assert told.valid
    assert decode(vector["hex"]).format == "r2000_a0"


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["direction"] == HOST], ids=name)
def test_every_golden_command_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame, told = bytes.fromhex(vector["hex"]), vector["decoded"]
    command = decode_command(frame)
    built = build_command(1, command.code, command.data)
    if command.code == codes.SESSION_INVENTORY:
        built = build_session_inventory(1, session=told["session"], repeat=told["repeat"])
    if command.code == codes.SET_MATCH:
        built = build_match(1, bytes.fromhex(told["epc"]))
    assert built == frame


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["direction"] == DEVICE], ids=name)
def test_every_golden_reply_is_built_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    assert build_reply(decode_reply(frame)) == frame


@pytest.mark.parametrize("frame", FRAMES, ids=bytes.hex)
def test_no_flipped_bit_and_no_cut_is_ever_accepted(frame: bytes) -> None:
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            fields(bytes(broken))
        framer = new_framer(is_known_reply)
        assert not [p for p in framer.feed(bytes(broken)) + framer.idle() if isinstance(p, bytes)]
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            fields(frame[:size])


@pytest.mark.parametrize("wrong", [WRONG_END, "a1030172e9", "a0030172ea00", "a0ff0172ea", "a000"])
def test_what_does_not_add_up_is_refused_with_a_reason(wrong: str) -> None:
    found = decode(wrong, frame="r2000_a0")
    assert not found.valid
    assert found.error


@given(st.data())
def test_frames_come_out_of_any_stream_with_garbage_between(data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 1 << 32)))
    expected = rng.sample(FRAMES, len(FRAMES))
    # Garbage without a start byte: behind a false start a frame waits for the line to fall silent.
    garbage = bytes(set(range(256)) - {0xA0})
    stream = b"".join(bytes(rng.choices(garbage, k=rng.randrange(9))) + f for f in expected)
    framer, pieces = new_framer(is_known_reply), []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_a_frame_behind_a_false_start_comes_out_when_the_line_falls_silent() -> None:
    framer = new_framer(is_known_reply)
    assert framer.feed(b"\xa0\x40" + FRAMES[0]) == []
    assert FRAMES[0] in framer.idle()


@pytest.mark.parametrize(
    ("index", "khz"), [(0, 865_000), (6, 868_000), (7, 902_000), (59, 928_000)]
)
def test_channels_above_six_are_those_of_902_mhz(index: int, khz: int) -> None:
    assert freq_khz(index) == khz


def test_a_channel_of_a_plan_of_ones_own_has_no_frequency() -> None:
    assert freq_khz(60) is None
    found = fields(build_reply(dataclasses.replace(SEEN, freq_ant=61 << 2)))
    assert found["freq_index"] == 61
    assert "freq_mhz" not in found


def test_bit_seven_of_the_rssi_is_the_second_four_antennas_and_not_signal() -> None:
    seen = dataclasses.replace(SEEN, freq_ant=0x8E, rssi_raw=0x80 | 55)
    found = fields(build_reply(seen))
    assert (found["antenna"], found["rssi_raw"], found["rssi_dbm"]) == (7, 183, -74)


def test_an_epc_is_as_long_as_its_pc_says_and_not_twelve_bytes() -> None:
    for words in (0, 2, 6, 9, 31):
        epc = bytes(range(2 * words))
        for phase in (None, 0x0102):
            seen = dataclasses.replace(SEEN, pc=pc_of(epc), epc=epc, phase=phase)
            assert decode_reply(build_reply(seen)) == seen
    with pytest.raises(FrameError, match="EPC of 8 bytes"):
        decode_reply(build_reply(dataclasses.replace(SEEN, pc=0x2000)))


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (build_inventory(1), {"direction": HOST, "repeat": 1}),
        (build_inventory(1, repeat=255), {"repeat": 255}),
        (
            build_reply(RoundEnd(1, codes.INVENTORY, 0, 25, 70_000)),
            {"antenna": 1, "read_rate": 25, "total_read": 70_000},
        ),
        (
            build_reply(SwitchEnd(1, 70_000, 80_000)),
            {"total_read": 70_000, "duration_ms": 80_000},
        ),
        (
            build_reply(AntennaError(1, 2, 0x22)),
            {"antenna_index": 2, "antenna": 3, "code": "0x22 antenna missing"},
        ),
        (seal(1, codes.FAST_SWITCH, b"\x00\x02\x22"), {"antenna": 3}),
        (build_reply(Result(1, codes.READ, 0x36)), {"direction": DEVICE, "code": "0x36 no tag"}),
        (build_reply(Result(1, codes.READ, 0x99)), {"code": "0x99"}),
        (
            build_fast_switch(1, FastSwitch(((0, 1), (2, 3)), 5, 9)),
            {
                "direction": HOST,
                "antennas": [
                    {"antenna_index": 0, "stay": 1},
                    {"antenna_index": 2, "stay": 3},
                ],
                "interval_ms": 5,
                "repeat": 9,
            },
        ),
        (
            build_fast_switch(1, FastSwitch(((7, 1),), 0, 1, 8, Extension(2))),
            {"session": 2, "target": "A", "phase": False},
        ),
        (
            build_read(1, bank=2, start=0, count=6, password=None),
            {"direction": HOST, "bank": "TID", "word_addr": 0, "word_count": 6},
        ),
        (build_read(1, bank=3, start=0, count=1, password=7), {"password": "00000007"}),
        (
            build_write(1, bank=3, start=2, data=b"\x12\x34", password=1),
            {"direction": HOST, "bank": "user", "word_addr": 2, "data": "1234"},
        ),
        (build_match(1, b""), {"direction": HOST, "mode": "1 = clear"}),
        (
            build_command(1, codes.SET_TEMPORARY_POWER, b"\x1e"),
            {"power_dbm": 30, "direction": HOST},
        ),
        (seal(1, codes.GET_POWER, b"\x1e\x1d\x1c\x1b"), {"power_dbm": [30, 29, 28, 27]}),
        (seal(1, codes.GET_POWER, b"\x1e"), {"power_dbm": 30, "direction": DEVICE}),
        (seal(1, codes.GET_ANTENNA, b"\x01"), {"antenna_index": 1, "direction": DEVICE}),
        (seal(1, codes.TEMPERATURE, b"\x01\x1f"), {"temperature_c": 31}),
        (seal(1, codes.GET_REGION, b"\x01\x07\x3b"), {"region": "FCC", "end_index": 59}),
        (seal(1, codes.SET_REGION, b"\x04\x32\x05\x0d\xf7\x32"), {"start_khz": 915_250}),
        (seal(1, codes.GET_MATCH, b"\x00\x02\xab\xcd"), {"mode": "0 = match", "epc": "abcd"}),
        (seal(1, codes.LOCK, bytes(4) + b"\x03\x01"), {"bank": "EPC", "lock": "lock"}),
        (seal(1, codes.SET_BAUD, b"\x04"), {"baud": 115_200, "direction": HOST}),
        (seal(1, codes.BUFFER_COUNT, b"\x00\x08"), {"tag_count": 8}),
        (seal(1, 0x55, b"\x01\x02"), {"cmd": "0x55", "data": "0102"}),
    ],
)
def test_other_frames_of_the_protocol_decode_too(frame: bytes, expected: dict[str, Any]) -> None:
    found = fields(frame)
    assert expected.items() <= found.items()
    json.dumps(found)


ACCESS = st.builds(
    Access,
    st.integers(0, 255),
    st.sampled_from([codes.READ, codes.WRITE, codes.BLOCK_WRITE, codes.LOCK, codes.KILL]),
    st.integers(0, 0xFFFF),
    st.just(0x3000),
    st.just(EPC),
    st.integers(0, 0xFFFF),
    st.integers(1, 30).flatmap(lambda words: st.binary(min_size=2 * words, max_size=2 * words)),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 255),
    st.none() | st.integers(0, 255),
)


@given(ACCESS)
def test_access_replies_survive_a_round_trip(access: Access) -> None:
    if access.code == codes.READ:
        access = dataclasses.replace(access, result=codes.SUCCESS)
    else:
        access = dataclasses.replace(access, data=b"", rssi_raw=None)
    frame = build_reply(access)
    assert decode_reply(frame) == access
    assert fields(frame)["epc"] == EPC.hex()


@pytest.mark.parametrize("size", [0, 5, 200])
def test_an_access_reply_whose_length_byte_lies_is_refused(size: int) -> None:
    access = Access(1, codes.READ, 1, 0x3000, EPC, 0, b"\x12\x34", 0x10, 0, 1)
    data = bytearray(build_reply(access)[4:-1])
    data[2] = size
    with pytest.raises(FrameError, match="tag of"):
        decode_reply(seal(1, codes.READ, bytes(data)))


@pytest.mark.parametrize("miscount", [1, 3])
def test_firmware_that_counts_len_differently_is_read_when_it_adds_up(miscount: int) -> None:
    def miscounted(reply: Reply) -> bytes:
        body = bytearray(build_reply(reply)[:-1])
        body[1] -= miscount
        return bytes(body) + bytes((lrc8(bytes(body)),))

    frames = [miscounted(reply) for reply in (Version(1, 1, 9), SEEN, SEEN)]
    framer = new_framer(is_known_reply)
    assert framer.feed(b"".join(frames)) == frames
    assert fields(frames[1])["len_leaves_out"] == miscount
    assert decode_reply(frames[0]) == Version(1, 1, 9, miscount)
    broken = bytearray(frames[1])
    broken[-1] ^= 1
    assert not [p for p in framer.feed(bytes(broken)) + framer.idle() if isinstance(p, bytes)]


def test_a_miscounted_frame_that_is_no_known_reply_is_refused() -> None:
    body = bytes((0xA0, 5, 1, 0x55, 1, 2, 3))
    frame = body + bytes((lrc8(body),))
    with pytest.raises(FrameError, match="cut off by silence"):
        fields(frame)
    framer = new_framer(is_known_reply)
    assert frame not in framer.feed(frame) + framer.idle()


def test_several_frames_decode_one_by_one() -> None:
    found = fields(build_reply(SEEN) + build_reply(RoundEnd(1, codes.INVENTORY, 0, 1, 1)))
    assert [frame["cmd"] for frame in found["frames"]] == ["0x89", "0x89"]
    with pytest.raises(FrameError, match="no frame starts"):
        fields(build_reply(SEEN) + b"\x01" + build_reply(SEEN))


SWITCHES = st.builds(
    FastSwitch,
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 255)), max_size=4).map(tuple),
    st.integers(0, 255),
    st.integers(0, 255),
    st.sampled_from([4, 8]),
    st.none() | st.builds(Extension, st.integers(0, 3), st.integers(0, 1), st.booleans()),
)


@given(SWITCHES)
def test_fast_switch_inventories_survive_a_round_trip(switch: FastSwitch) -> None:
    assert decode_fast_switch(decode_command(build_fast_switch(1, switch)).data) == switch


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_any_sealed_data_decodes_or_is_refused(address: int, code: int, data: bytes) -> None:
    try:
        found = fields(seal(address, code, data))
    except FrameError:
        return
    json.dumps(found)


@given(st.binary(min_size=1, max_size=40))
def test_an_unknown_reply_keeps_its_bytes(data: bytes) -> None:
    if len(data) > 1:
        assert decode_reply(seal(1, 0x55, data)) == Answer(1, 0x55, data)


def test_values_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SEEN.rssi_raw = 1  # type: ignore[misc]  # the point of the test
