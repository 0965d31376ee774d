import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import FORMATS, decode
from protocols.framing import FrameError, Noise
from protocols.readers.m100 import (
    AA_8E,
    AA_DD,
    BB_7E,
    FRAME_BYTES_MAX,
    PARAM_BYTES_MAX,
    STYLES,
    TYPES,
    Access,
    Answer,
    Failure,
    Info,
    Memory,
    Reply,
    Select,
    Style,
    TagSeen,
    build_command,
    build_reply,
    codes,
    decode_command,
    decode_info,
    decode_memory,
    decode_power,
    decode_reply,
    decode_select,
    epc_select,
    fields,
    info_param,
    memory_param,
    multi_poll_param,
    new_framer,
    pc_of,
    power_param,
    region_code,
    select_param,
    tag_crc,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "m100_bb"]
VALID = [v for v in VECTORS if v["valid"]]
COMMANDS = [v for v in VALID if v["direction"] == "host>device"]
REPLIES = [v for v in VALID if v["direction"] == "device>host"]
EPC = bytes.fromhex("30751feb705c5904e3d50d70")
TAG = TagSeen(-55, 0x3400, EPC, 0x3A76)


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def restyled(frame: bytes, style: Style) -> bytes:
    return bytes((style.head,)) + frame[1:-1] + bytes((style.tail,))


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
@pytest.mark.parametrize("vector", VALID, ids=name)
def test_every_golden_frame_decodes_to_its_published_fields(
    vector: dict[str, Any], style: Style
) -> None:
    found = fields(restyled(bytes.fromhex(vector["hex"]), style))
    assert found["direction"] == vector["direction"]
    assert found["style"] == style.name
    assert vector["decoded"].items() <= found.items()


@pytest.mark.parametrize("vector", COMMANDS, ids=name)
def test_every_golden_command_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    command = decode_command(frame)
    assert build_command(command.code, command.param, command.style) == frame
    if command.code == codes.SET_SELECT:
        assert select_param(decode_select(command.param)) == command.param
        assert select_param(epc_select(EPC)) == command.param
    if command.code == codes.MULTI_POLL:
        assert multi_poll_param(vector["decoded"]["count"]) == command.param


@pytest.mark.parametrize("vector", REPLIES, ids=name)
def test_every_golden_reply_is_what_a_simulated_reader_would_say(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    assert build_reply(decode_reply(frame)) == frame


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_no_flipped_bit_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            fields(bytes(broken))
        framer = new_framer(types=TYPES)
        assert not [p for p in framer.feed(bytes(broken)) + framer.idle() if isinstance(p, bytes)]


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_no_cut_or_overlong_frame_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            fields(frame[:size])
    with pytest.raises(FrameError):
        fields(frame + b"\x00")


@pytest.mark.parametrize("seed", range(8))
def test_all_golden_frames_come_out_of_one_stream_with_garbage_between(seed: int) -> None:
    rng = random.Random(seed)
    expected = [restyled(bytes.fromhex(v["hex"]), rng.choice(STYLES)) for v in VALID]
    rng.shuffle(expected)
    garbage = (0x00, 0x7E, 0xBB, 0xAA, 0xDD, 0x01, 0x02)
    stream = b"".join(bytes(rng.choices(garbage, k=rng.randrange(9))) + f for f in expected)
    framer = new_framer(types=TYPES)
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_a_host_never_takes_its_own_echo_for_an_answer() -> None:
    poll = build_command(codes.POLL)
    tag = build_reply(TAG)
    framer = new_framer()
    pieces = framer.feed(poll + tag)
    assert [p for p in pieces if isinstance(p, bytes)] == [tag]
    assert [p.raw for p in pieces if isinstance(p, Noise)] == [poll]


def test_marks_of_a_configured_style_only_are_frames() -> None:
    framer = new_framer([AA_DD])
    assert [p for p in framer.feed(build_reply(TAG, BB_7E)) if isinstance(p, bytes)] == []
    assert framer.feed(build_reply(TAG, AA_DD)) == [build_reply(TAG, AA_DD)]
    mixed = build_reply(TAG, Style(0xBB, 0xDD))
    with pytest.raises(FrameError, match="end mark"):
        fields(mixed)


def test_a_length_that_lies_is_refused_at_its_limit() -> None:
    longest = build_reply(Answer(0x42, bytes(PARAM_BYTES_MAX)))
    assert len(longest) == FRAME_BYTES_MAX
    assert new_framer().feed(longest) == [longest]
    lying = bytes.fromhex("bb0142") + (PARAM_BYTES_MAX + 1).to_bytes(2)
    framer = new_framer()
    good = build_reply(TAG)
    assert framer.feed(lying + good)[-1] == good
    assert framer.held_bytes == 0


def test_a_tag_whose_own_crc_is_wrong_says_so() -> None:
    wrong = TagSeen(-55, 0x3400, EPC, 0x3A77)
    assert TAG.crc_ok
    assert not wrong.crc_ok
    assert fields(build_reply(wrong))["gen2_crc_ok"] is False


def test_a_tag_may_be_notified_by_either_poll_and_be_of_any_length() -> None:
    for epc in (b"", EPC[:4], EPC + EPC[:6]):
        for code in (codes.POLL, codes.MULTI_POLL):
            seen = TagSeen(-128, pc_of(epc), epc, tag_crc(pc_of(epc), epc), code)
            assert decode_reply(build_reply(seen)) == seen
            assert seen.crc_ok


def test_a_pc_that_disagrees_with_the_length_is_refused() -> None:
    with pytest.raises(FrameError, match="tag"):
        decode_reply(build_reply(TagSeen(-55, pc_of(EPC) + 0x0800, EPC, 0)))
    with pytest.raises(FrameError, match="tag"):
        decode_reply(build_reply(TagSeen(-55, pc_of(EPC) - 0x0800, EPC, 0)))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0x15, "0x15 inventory fail / CRC (no tag)"),
        (0x16, "0x16 access fail / wrong password"),
        (0x17, "0x17 invalid command"),
        (0xA3, "0xA3 read: memory overrun"),
        (0xB4, "0xB4 write: memory locked"),
        (0xE7, "0xE7 block permalock: tag error 0x7"),
        (0x77, "0x77"),
    ],
)
def test_errors_say_what_they_mean_and_unknown_ones_stay_numbers(error: int, text: str) -> None:
    found = fields(build_reply(Failure(error, 0x3400, EPC)))
    assert found["error"] == text
    assert found["error_code"] == error
    assert (found["ul"], found["pc"], found["epc"]) == (14, "3400", EPC.hex())
    assert fields(build_reply(Failure(error)))["error"] == text


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (build_command(codes.INFO, b"\x01"), {"which": 1}),
        (build_command(codes.SET_REGION, b"\x01"), {"region": "0x01 CN900"}),
        (build_command(codes.SET_POWER, power_param(2000)), {"power_dbm": 20.0}),
        (build_command(codes.SET_BAUD, b"\x04\x80"), {"baud": 115_200}),
        (build_command(codes.SELECT_MODE, b"\x02"), {"mode": 2}),
        (build_command(codes.AUTO_HOP, b"\xff"), {"hopping": 255}),
        (
            build_command(codes.READ, memory_param(Memory(0xFFFF, 3, 0, 2))),
            {"password": "0000ffff", "bank": "User", "word_addr": 0, "word_count": 2},
        ),
        (
            build_command(codes.WRITE, memory_param(Memory(0, 1, 2, 1, b"\x12\x34"))),
            {"bank": "EPC", "word_addr": 2, "word_count": 1, "data": "1234"},
        ),
        (build_command(codes.READ, memory_param(Memory(0, 9, 0, 1))), {"bank": 9}),
        (build_command(codes.LOCK, bytes(4) + b"\x02\x00\x80"), {"lock": "020080"}),
        (build_command(codes.KILL, b"\x00\x00\xff\xff"), {"password": "0000ffff"}),
        (build_command(codes.SET_QUERY, b"\x10\x20"), {"q": 4, "session": 0, "trext": 1}),
        (build_command(0x42, b"\x01\x02"), {"cmd": "0x42", "data": "0102"}),
        (build_reply(Answer(codes.GET_POWER, b"\x0a\x28")), {"power_cdbm": 2600}),
        (build_reply(Answer(codes.SET_POWER, b"\x00")), {"status": 0}),
        (build_reply(Answer(codes.GET_REGION, b"\x09")), {"region": "0x09", "region_code": 9}),
        (build_reply(Answer(codes.GET_CHANNEL, b"\x03")), {"channel": 3}),
        (build_reply(Answer(codes.GET_QUERY, b"\x10\x20")), {"dr": 0, "m": 0, "target": 0}),
        (build_reply(Answer(codes.GET_DEMODULATOR, b"\x03\x06\x01\xb0")), {"threshold": 432}),
        (build_reply(Answer(codes.SCAN_RSSI, b"\x00\x01\xba\xf2")), {"dbm": [-70, -14]}),
        (build_reply(Access(codes.KILL, 0x3000, EPC, b"")), {"ul": 14, "pc": "3000"}),
        (build_reply(Access(codes.LOCK, 0x3000, EPC, b"\x00")), {"status": 0}),
    ],
)
def test_every_command_and_answer_names_its_parameter(
    frame: bytes, expected: dict[str, Any]
) -> None:
    assert expected.items() <= fields(frame).items()


@pytest.mark.parametrize(
    "frame",
    [
        build_command(codes.SET_POWER, b"\x01"),
        build_command(codes.INFO, b"\x00\x00"),
        build_command(codes.SET_SELECT, b"\x01\x00\x00\x00\x20\x60\x00\x01"),
        build_command(codes.WRITE, memory_param(Memory(0, 3, 0, 2)) + b"\x01"),
        build_command(codes.SET_REGION),
        build_reply(Answer(codes.FAILURE, b"")),
        build_reply(Answer(codes.FAILURE, b"\x09\x0e\x30\x00")),
        build_reply(Answer(codes.FAILURE, b"\x09\x02\x30\x00\x00")),
        build_reply(Answer(codes.READ, b"\x01\x30\x00")),
        build_reply(Answer(codes.INFO, b"")),
        build_reply(Answer(codes.INFO, b"\x00\xff")),
        build_reply(Answer(codes.GET_POWER, b"\x01\x02\x03")),
    ],
    ids=lambda frame: frame.hex(),
)
def test_a_parameter_of_the_wrong_shape_is_refused(frame: bytes) -> None:
    with pytest.raises(FrameError):
        fields(frame)


def test_which_way_a_frame_goes_is_never_mistaken() -> None:
    with pytest.raises(FrameError, match="a command"):
        decode_reply(build_command(codes.POLL))
    with pytest.raises(FrameError, match="not a command"):
        decode_command(build_reply(TAG))
    with pytest.raises(FrameError, match="unknown frame type"):
        fields(bytes.fromhex("bb03220000257e"))
    with pytest.raises(FrameError, match="of 2 bytes"):
        region_code(b"\x01\x02")


def test_settings_survive_a_round_trip() -> None:
    assert decode_info(info_param(Info(2, "MagicRf"))) == Info(2, "MagicRf")
    assert decode_power(power_param(2650)) == 2650


def test_decode_takes_it_told_and_untold_and_takes_it_apart() -> None:
    for vector in VALID:
        for found in (decode(vector["hex"], frame="m100_bb"), decode(vector["hex"])):
            assert (found.format, found.valid) == ("m100_bb", True)
            parts = FORMATS["m100_bb"].parts(vector["hex"], found.fields)
            assert "".join(part.raw for part in parts).replace(" ", "") == vector["hex"]
    both = decode(VALID[0]["hex"] + VALID[4]["hex"], frame="m100_bb")
    assert [frame["cmd"] for frame in both.fields["frames"]] == ["0x22", "0x22"]
    assert not decode(VALID[0]["hex"] + "00" + VALID[4]["hex"], frame="m100_bb").valid
    assert "checksum" in (decode("bb01ff000115177e", frame="m100_bb").error or "")


WORDS = st.integers(0, 31).flatmap(lambda n: st.binary(min_size=2 * n, max_size=2 * n))
TAGS = st.builds(
    lambda rssi, epc, crc, code, low: TagSeen(rssi, pc_of(epc) | low, epc, crc, code),
    st.integers(-128, 127),
    WORDS,
    st.integers(0, 0xFFFF),
    st.sampled_from([codes.POLL, codes.MULTI_POLL]),
    st.integers(0, 0x7FF),
)
ACCESSES = st.builds(
    lambda code, epc, low, data: Access(code, pc_of(epc) | low, epc, data),
    st.sampled_from([codes.READ, codes.WRITE, codes.LOCK, codes.KILL]),
    WORDS,
    st.integers(0, 0x7FF),
    st.binary(max_size=64),
)
FAILURES = st.builds(Failure, st.integers(0, 255)) | st.builds(
    lambda error, epc, low: Failure(error, pc_of(epc) | low, epc),
    st.integers(0, 255),
    WORDS,
    st.integers(0, 0x7FF),
)


@given(TAGS | ACCESSES | FAILURES, st.sampled_from(STYLES))
def test_replies_survive_a_round_trip(reply: Reply, style: Style) -> None:
    frame = build_reply(reply, style)
    assert decode_reply(frame) == reply
    assert new_framer().feed(frame) == [frame]
    json.dumps(fields(frame))


@given(
    st.builds(
        lambda bank, pointer, mask, target, action, truncate: Select(
            bank, pointer, mask, 8 * len(mask), target, action, truncate
        ),
        st.integers(0, 3),
        st.integers(0, 0xFFFFFFFF),
        st.binary(max_size=31),
        st.integers(0, 7),
        st.integers(0, 7),
        st.integers(0, 255),
    )
)
def test_selects_survive_a_round_trip(select: Select) -> None:
    assert decode_select(select_param(select)) == select


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 255), st.integers(0, 0xFFFF), WORDS)
def test_memory_accesses_survive_a_round_trip(
    password: int, bank: int, start: int, data: bytes
) -> None:
    memory = Memory(password, bank, start, len(data) // 2, data)
    assert decode_memory(memory_param(memory)) == memory


@given(st.integers(0, 255), st.binary(max_size=40), st.sampled_from([0, 1, 2]))
def test_any_sealed_parameter_decodes_or_is_refused(code: int, param: bytes, kind: int) -> None:
    command = build_command(code, param)
    frame = bytes((command[0], kind)) + command[2:-2]
    frame += bytes((sum(frame[1:]) & 0xFF, AA_8E.tail if frame[0] == AA_8E.head else BB_7E.tail))
    try:
        found = fields(frame)
    except FrameError:
        return
    json.dumps(found)
