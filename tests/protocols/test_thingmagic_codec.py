import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import decode
from protocols.framing import FrameError
from protocols.readers.thingmagic import (
    FRAME_BYTES_MAX,
    Access,
    Metadata,
    Tag,
    build_command,
    build_reply,
    codes,
    commands,
    decode_command,
    decode_reply,
    fields,
    new_framer,
    new_tap_framer,
    replies,
    silion,
    tags_of,
)
from protocols.readers.thingmagic.envelope import COMMAND_DATA_MAX, REPLY_DATA_MAX
from protocols.readers.thingmagic.records import build_bare, parse_records

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "thingmagic_serial"]
FRAMES = [v for v in VECTORS if v["valid"]]
EPC = bytes.fromhex("e280689400005005b2210861")
STREAM = bytes.fromhex(next(v["hex"] for v in FRAMES if v["name"] == "stream_tag_record"))
ALL = int(sum(Metadata))


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    decoded = decode(vector["hex"], frame="thingmagic_serial")
    assert decoded.valid
    assert decoded.fields["direction"] == vector["direction"]
    for key, value in vector["decoded"].items():
        if key != "note":
            assert decoded.fields[key] == value, key


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["valid"]], ids=name)
def test_every_golden_negative_is_refused_with_a_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="wrong checksum 4bb5, expected 5bb5"):
        fields(bytes.fromhex(vector["hex"]))


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_every_golden_frame_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    if vector["direction"] == "host>device":
        command = decode_command(frame)
        assert build_command(command.opcode, command.data) == frame
    else:
        reply = decode_reply(frame)
        assert build_reply(reply.opcode, reply.status, reply.data) == frame


def test_what_the_driver_says_is_what_was_captured() -> None:
    golden = {v["name"]: v["hex"] for v in FRAMES}
    start = commands.build_start_stream(0x01FF, antenna_list=True)
    assert start.hex() == golden["start_stream_m6e"]
    assert silion.build_stop_async().hex() == golden["silion_async_stop"]
    assert silion.build_extended_reply(silion.STOP_ASYNC).hex() == golden["silion_async_stopped"]
    embedded = bytes.fromhex("00ff000004" + "01092800000002" + "0000000004")
    built = silion.build_extended(silion.START_ASYNC, embedded)
    assert built.hex() == golden["silion_async_start"]


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_no_flipped_bit_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            fields(bytes(broken))
        for framer in (new_framer(), new_tap_framer()):
            pieces = framer.feed(bytes(broken)) + framer.idle()
            assert not [piece for piece in pieces if isinstance(piece, bytes)]


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_no_cut_frame_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            fields(frame[:size])
    with pytest.raises(FrameError):
        fields(frame + b"\x00")


@pytest.mark.parametrize("seed", range(8))
def test_all_golden_frames_come_out_of_one_stream_with_garbage_between(seed: int) -> None:
    rng = random.Random(seed)
    expected = [bytes.fromhex(v["hex"]) for v in FRAMES]
    rng.shuffle(expected)
    framer = new_tap_framer()
    garbage = [bytes(rng.choice((0, 1, 0x22, 0xFF)) for _ in range(rng.randrange(9)))] * 99
    stream = b"".join(junk + frame for junk, frame in zip(garbage, expected, strict=False))
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_several_frames_in_one_paste_are_shown_one_by_one() -> None:
    paste = "ff00031d0c" + STREAM.hex() + "ff00210400b483"
    frames = decode(paste, frame="thingmagic_serial").fields["frames"]
    assert [frame["opcode"] for frame in frames] == ["0x03", "0x22", "0x21"]


def test_a_frame_is_found_without_being_named() -> None:
    assert decode(STREAM.hex()).format == "thingmagic_serial"


def test_the_longest_frames_fit_and_a_longer_one_starts_nothing() -> None:
    for frame in (
        build_command(0x24, bytes(COMMAND_DATA_MAX)),
        build_reply(0x28, 0, bytes(REPLY_DATA_MAX)),
    ):
        assert len(frame) == FRAME_BYTES_MAX
        assert new_tap_framer().feed(frame) == [frame]
    framer = new_framer()
    lying = bytes((0xFF, REPLY_DATA_MAX + 1, 0x22))
    pieces = framer.feed(lying + STREAM) + framer.idle()
    assert [piece for piece in pieces if isinstance(piece, bytes)] == [STREAM]


def test_a_stream_record_is_read_by_its_flags_alone() -> None:
    tag = tags_of(decode_reply(STREAM))[0]
    assert tag.crc_ok
    assert (tag.antenna, tag.rssi_dbm) == (1, -60)
    for flags in (0, Metadata.RSSI, Metadata.ANTENNA | Metadata.PROTOCOL, 0x00BF):
        frame = replies.build_streamed(int(flags), dataclasses.replace(tag, data_bits=None))
        again = tags_of(decode_reply(frame))[0]
        assert again.epc == tag.epc
        assert (again.rssi_dbm is None) == (not flags & Metadata.RSSI)


def test_flags_of_unknown_layout_are_refused_not_guessed() -> None:
    with pytest.raises(FrameError, match="unknown layout"):
        parse_records(0x0200, bytes(40), 1)


def test_the_option_byte_of_the_m7e_changes_nothing() -> None:
    tag = Tag(EPC, rssi_dbm=-40)
    plain = decode_reply(replies.build_streamed(int(Metadata.RSSI), tag))
    m7e = build_reply(0x22, 0, b"\x88" + plain.data)
    assert tags_of(decode_reply(m7e)) == tags_of(plain)


def test_signs_of_life_and_temperatures_are_no_tags() -> None:
    assert tags_of(decode_reply(replies.build_cycle())) == ()
    timed = build_reply(0x22, codes.NO_TAG, bytes.fromhex("8810001b00100100000000"))
    assert tags_of(decode_reply(timed)) == ()
    hot = build_reply(0x22, 0, bytes.fromhex("00001b0282008200012d"))
    assert tags_of(decode_reply(hot)) == ()
    assert fields(hot)["temperature_c"] == 45


def test_a_tag_heard_badly_is_told_by_its_own_crc() -> None:
    good = Tag(EPC, pc=b"\x30\x00")
    record = bytearray(decode_reply(replies.build_buffered(0, (good,))).data)
    record[8] ^= 1
    bad = tags_of(decode_reply(build_reply(0x29, 0, bytes(record))))[0]
    assert not bad.crc_ok
    assert fields(build_reply(0x29, 0, bytes(record)))["gen2_crc_ok"] is False


@pytest.mark.parametrize("pc", ["3600" + "0000", "3600" + "8000" + "0000", "0e00" + "0000"])
def test_an_extended_pc_is_not_part_of_the_epc(pc: str) -> None:
    tag = Tag(EPC, pc=bytes.fromhex(pc))
    frame = replies.build_buffered(0, (tag,))
    found = tags_of(decode_reply(frame))[0]
    assert (found.pc, found.epc, found.crc_ok) == (tag.pc, EPC, True)


def test_a_single_read_with_metadata_is_told_by_the_tags_crc() -> None:
    flags = int(Metadata.RSSI | Metadata.ANTENNA | Metadata.READ_COUNT)
    tag = Tag(EPC, read_count=3, rssi_dbm=-51, antenna_raw=0x22)
    data = b"\x10" + flags.to_bytes(2) + build_bare(flags, tag)
    found = tags_of(decode_reply(build_reply(0x21, 0, data)))[0]
    assert (found.epc, found.rssi_dbm, found.antenna, found.crc_ok) == (EPC, -51, 2, True)


def test_antenna_nibble_0_is_port_16() -> None:
    assert Tag(EPC, antenna_raw=0).antenna == 16


def test_a_silion_tag_and_its_sign_of_life() -> None:
    flags = int(Metadata.RSSI | Metadata.ANTENNA)
    tag = Tag(EPC, pc=b"\x30\x00", rssi_dbm=-60, antenna_raw=0x44)
    pushed = silion.build_async_tag(flags, tag)
    assert tags_of(decode_reply(pushed))[0].epc == EPC
    assert fields(pushed)["epc"] == EPC.hex()
    assert fields(pushed)["antenna"] == 4
    beat = silion.build_heartbeat()
    assert tags_of(decode_reply(beat)) == ()
    assert fields(beat)["meaning"] == "heartbeat"


@pytest.mark.parametrize(
    ("at", "reason"), [(-1, "ends with"), (-2, "wrong inner sum"), (3, "no Moduletech")]
)
def test_a_broken_inner_frame_of_silion_is_refused(at: int, reason: str) -> None:
    data = bytearray(decode_command(silion.build_stop_async()).data)
    data[at] ^= 1
    with pytest.raises(FrameError, match=reason):
        fields(build_command(0xAA, bytes(data)))


TAGS = st.builds(
    Tag,
    epc=st.integers(0, 31).flatmap(lambda n: st.binary(min_size=2 * n, max_size=2 * n)),
    pc=st.sampled_from([b"\x30\x00", b"\x20\x00", b"\xf8\x01"]),
    read_count=st.integers(0, 255),
    rssi_dbm=st.integers(-128, 127),
    antenna_raw=st.integers(0, 255),
    freq_khz=st.integers(0, 0xFFFFFF),
    timestamp_ms=st.integers(0, 0xFFFFFFFF),
    phase=st.integers(0, 0xFFFF),
    protocol=st.just(5),
    data=st.binary(max_size=16),
    gpio=st.integers(0, 255),
)


@given(st.lists(TAGS, max_size=2))
def test_buffered_tags_survive_a_round_trip(tags: list[Tag]) -> None:
    found = replies.buffered(decode_reply(replies.build_buffered(ALL, tuple(tags))))
    expected = [
        dataclasses.replace(tag, crc=other.crc, data_bits=8 * len(tag.data))
        for tag, other in zip(tags, found.tags, strict=True)
    ]
    assert list(found.tags) == expected
    assert all(tag.crc_ok for tag in found.tags)


@given(
    st.builds(
        Access,
        bank=st.integers(0, 3),
        address=st.integers(0, 0xFFFFFFFF),
        epc=st.integers(0, 31).flatmap(lambda n: st.binary(min_size=2 * n, max_size=2 * n)),
        count=st.integers(1, commands.READ_WORDS_MAX),
        password=st.integers(0, 0xFFFFFFFF),
        timeout_ms=st.integers(0, 0xFFFF),
    )
)
def test_memory_access_survives_a_round_trip(access: Access) -> None:
    frame = decode_command(commands.build_read_data(access))
    assert commands.decode_access(frame.opcode, frame.data) == access
    write = dataclasses.replace(access, data=bytes(range(8)), count=4)
    frame = decode_command(commands.build_write_data(write))
    assert commands.decode_access(frame.opcode, frame.data) == write


@given(st.integers(0, 255), st.sampled_from([0, 0x0400]), st.binary(max_size=60))
def test_any_proven_frame_is_shown_or_refused_and_never_breaks(
    opcode: int, status: int, data: bytes
) -> None:
    for frame in (build_command(opcode, data), build_reply(opcode, status, data)):
        decoded = decode(frame.hex(), frame="thingmagic_serial")
        assert decoded.valid or decoded.error


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 40))
def test_everything_fed_in_comes_out_in_order(chunks: list[bytes], cut: int) -> None:
    stream = STREAM.join(chunks)
    framer = new_framer()
    pieces = []
    for at in range(0, len(stream), cut):
        pieces += framer.feed(stream[at : at + cut])
    pieces += framer.idle()
    raw = b"".join(piece if isinstance(piece, bytes) else piece.raw for piece in pieces)
    assert raw == stream
