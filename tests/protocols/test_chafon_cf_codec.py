import dataclasses
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import FORMATS, decode
from protocols.framing import FrameError, Noise
from protocols.readers.chafon_cf import (
    BROADCAST,
    BY_ROUNDS,
    BY_TIME,
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    GREETING,
    Answer,
    Barcode,
    Info,
    InfoReply,
    Inventory,
    Memory,
    Params,
    ParamsReply,
    Reply,
    TagAccess,
    TagSeen,
    build_command,
    build_reply,
    code_of,
    codes,
    decode_command,
    decode_inventory,
    decode_memory,
    decode_params,
    decode_reply,
    fields,
    inventory_data,
    memory_data,
    new_framer,
    params_data,
    power_data,
    seal,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VALID = [v for v in GOLDEN if v["protocol"] == "chafon_cf" and v["valid"]]
COMMANDS = [v for v in VALID if v["direction"] == "host>device"]
REPLIES = [v for v in VALID if v["direction"] == "device>host"]
EPC = bytes.fromhex("e28069950000400a8f398133")
TAG = TagSeen(0, -710, 1, 0, EPC)
BANNER = bytes.fromhex(next(v["hex"] for v in VALID if v["name"] == "banner"))


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def way(frame: bytes) -> str:
    return str(fields(frame)["direction"])


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    assert found["direction"] == vector["direction"]
    assert vector["decoded"].items() <= found.items()


@pytest.mark.parametrize("vector", COMMANDS, ids=name)
def test_every_golden_command_encodes_to_the_same_bytes(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    command = decode_command(frame)
    assert build_command(command.code, command.data, address=command.address) == frame
    if command.code == codes.INVENTORY:
        assert inventory_data(decode_inventory(command.data)) == command.data
    if command.code == codes.SET_POWER:
        assert power_data(vector["decoded"]["power_dbm"]) == command.data
    if command.code == codes.SET_PARAMS:
        assert params_data(decode_params(command.data)) == command.data


@pytest.mark.parametrize("vector", REPLIES, ids=name)
def test_every_golden_reply_is_what_a_simulated_reader_would_say(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    reply = decode_reply(frame)
    if not isinstance(reply, InfoReply):  # Its serial holds padding that means nothing.
        assert build_reply(reply) == frame
    assert code_of(reply) == int.from_bytes(frame[2:4])


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_no_flipped_bit_is_ever_accepted(vector: dict[str, Any]) -> None:
    frame = bytes.fromhex(vector["hex"])
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            fields(bytes(broken))
        framer = new_framer(len_min=0)
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
    expected = [bytes.fromhex(v["hex"]) for v in VALID]
    rng.shuffle(expected)
    garbage = (0x00, 0xCF, 0xFF, 0x01, 0x12)
    stream = GREETING + b"".join(
        bytes(rng.choices(garbage, k=rng.randrange(9))) + f for f in expected
    )
    framer = new_framer(len_min=0)
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_the_greeting_of_a_connection_costs_no_frame() -> None:
    frame = build_reply(TAG)
    framer = new_framer()
    pieces = [piece for byte in GREETING + frame for piece in framer.feed(bytes((byte,)))]
    assert [p for p in pieces if isinstance(p, bytes)] == [frame]
    assert b"".join(p.raw for p in pieces if isinstance(p, Noise)) == GREETING
    assert fields(GREETING + frame)["epc"] == EPC.hex()
    assert fields(GREETING + frame)["greeting"] == "0000"


def test_a_host_takes_no_question_for_a_reply() -> None:
    question, tag = build_command(codes.INFO), build_reply(TAG)
    framer = new_framer()
    assert [p for p in framer.feed(question + tag) if isinstance(p, bytes)] == [tag]


def test_the_longest_frame_fits_and_a_start_mark_inside_it_starts_nothing() -> None:
    longest = build_reply(Answer(1, 0x0099, 0, b"\xcf" * (DATA_BYTES_MAX - 1)))
    assert len(longest) == FRAME_BYTES_MAX
    assert new_framer().feed(longest + longest) == [longest, longest]


def test_a_banner_is_never_a_tag() -> None:
    reply = decode_reply(BANNER)
    assert isinstance(reply, InfoReply)
    assert reply.info.hardware == "CP-203910_V1.13"
    assert "epc" not in fields(BANNER)
    shorter = build_reply(Answer(1, codes.INFO, 0, b"\x00" * 90))
    assert isinstance(decode_reply(shorter), Answer)


def test_a_barcode_in_the_frame_of_a_tag_is_a_barcode() -> None:
    for ending in (b"\x03\r", b"\x03"):
        text = b"\x020110100001" + ending
        frame = seal(0, codes.INVENTORY, b"\x00" + bytes(4) + bytes((len(text),)) + text)
        assert decode_reply(frame) == Barcode(0, "0110100001")
        found = fields(frame)
        assert (found["barcode"], found["rssi_dbm"], found["antenna"]) == ("0110100001", 0.0, 0)
        assert "epc" not in found


def test_what_is_neither_a_tag_nor_a_barcode_is_refused() -> None:
    for epc in (
        EPC,
        b"\x020110100001",
        b"0110100001\x03\r",
        b"",
        b"\x02\xff\xff\x03\r",
        b"\x02\x03",
    ):
        with pytest.raises(FrameError):
            decode_reply(seal(0, codes.INVENTORY, b"\x00" + bytes(4) + bytes((len(epc),)) + epc))


@pytest.mark.parametrize("lie", [0, 8, 11, 13, 255])
def test_an_epc_length_that_disagrees_with_the_frame_is_refused(lie: int) -> None:
    data = bytearray(b"\x00\xfd\x3a\x01\x00\x0c" + EPC)
    data[5] = lie
    with pytest.raises(FrameError, match="tag"):
        decode_reply(seal(0, codes.INVENTORY, bytes(data)))


def test_an_empty_round_is_a_status_and_no_error() -> None:
    reply = decode_reply(bytes.fromhex("cf0000010112421d"))
    assert reply == Answer(0, codes.INVENTORY, codes.ROUND_FINISHED)


def test_unknown_numbers_stay_numbers() -> None:
    assert fields(build_reply(Answer(3, 0x0099, 0x77, b"\x01")))["status"] == 0x77
    assert fields(build_reply(Answer(3, codes.STOP, 0x02)))["status"].startswith("0x02 command")
    odd = dataclasses.replace(PARAMS, work_mode=9, interface=3, region=77, baud_code=9)
    found = fields(build_reply(ParamsReply(0, odd)))
    assert (found["work_mode"], found["region"]) == (9, 77)
    assert not {"work_mode_name", "interface_name", "region_name", "baud"} & set(found)


def test_which_way_a_frame_goes_follows_from_its_content() -> None:
    host, device = "host>device", "device>host"
    assert way(seal(0, codes.INVENTORY, inventory_data(Inventory(BY_ROUNDS, 1)))) == host
    assert way(seal(0, codes.INVENTORY, b"\x12")) == device
    assert way(seal(0, codes.STOP)) == host
    assert way(seal(0, codes.STOP, b"\x00")) == device
    assert way(seal(0, codes.SET_POWER, power_data(26))) == host
    assert way(seal(0, codes.SET_POWER, b"\x00")) == device
    assert way(seal(0, codes.ANTENNA_POWER, b"\x02")) == device
    assert way(seal(BROADCAST, codes.ANTENNA_POWER, b"\x02")) == host
    assert way(seal(0, codes.READ, memory_data(Memory(0, 3, 0, 2)))) == host
    assert way(seal(0, codes.WRITE, memory_data(Memory(0, 3, 0, 1, b"\x01\x02")))) == host
    assert way(seal(0, codes.SET_PARAMS, params_data(PARAMS))) == host
    assert way(build_reply(ParamsReply(0, PARAMS))) == device
    assert way(seal(0, codes.SELECT_MASK, b"\x00\x20\x10\x12\x34")) == host
    assert way(seal(0, codes.SELECT_MASK, b"\x00")) == device


def test_commands_and_replies_of_memory_and_power_are_named() -> None:
    read = fields(build_command(codes.READ, memory_data(Memory(0xFFFF, 3, 2, 4))))
    assert (read["password"], read["bank"]) == ("0000ffff", "User")
    assert (read["word_addr"], read["word_count"]) == (2, 4)
    write = fields(build_command(codes.WRITE, memory_data(Memory(0, 9, 0, 1, b"\x12\x34"))))
    assert (write["bank"], write["data"]) == (9, "1234")
    access = TagAccess(0, codes.READ, 0, 1, 0x3A76, 0x3400, b"\x30\x75", b"\x12\x34")
    found = fields(build_reply(access))
    assert (found["epc"], found["pc"], found["data"]) == ("3075", "3400", "1234")
    assert found["gen2_crc_ok"] is False
    mask = fields(build_command(codes.SELECT_MASK, b"\x00\x20\x08\xe2\x00"))
    assert (mask["ptr_bits"], mask["mask_bits"], mask["mask"]) == (32, 8, "e2")
    power = bytes((codes.GET, 1, 30, 20, 0, 0, 0, 0, 0, 0))
    found = fields(build_reply(Answer(0, codes.ANTENNA_POWER, 0, power)))
    assert (found["op"], found["enabled"]) == ("0x02 read", True)
    assert found["antenna_power_dbm"][:2] == [30, 20]
    assert fields(build_command(codes.ANTENNA_POWER, power))["op"] == "0x02 read"
    rounds = fields(build_command(codes.INVENTORY, inventory_data(Inventory(BY_ROUNDS, 3))))
    assert (rounds["by"], rounds["value"]) == ("rounds", 3)
    assert "note" not in rounds


@pytest.mark.parametrize(
    "frame",
    [
        build_command(codes.SET_POWER, b"\x1a"),
        build_command(codes.INVENTORY, b"\x00"),
        build_command(codes.WRITE, bytes(8) + b"\x02\x00\x01"),
        build_command(codes.SET_PARAMS, bytes(24)),
        build_command(codes.SELECT_MASK, b"\x00\x20\x60\x01"),
        seal(0, codes.GET_PARAMS, bytes(20)),
        seal(0, codes.READ, b"\x00\x00\x01\x00\x00\x30\x00\x0c\x01\x02"),
        seal(0, codes.WRITE, b"\x00\x00\x01\x00\x00\x30\x00\x02\x01"),
    ],
    ids=lambda frame: frame.hex(),
)
def test_data_of_the_wrong_shape_is_refused(frame: bytes) -> None:
    with pytest.raises(FrameError):
        fields(frame)


def test_a_frame_without_data_is_no_reply() -> None:
    with pytest.raises(FrameError, match="not a reader's reply"):
        decode_reply(seal(0, codes.STOP))


def test_decode_takes_it_told_and_untold_and_takes_it_apart() -> None:
    for vector in VALID:
        for found in (decode(vector["hex"], frame="chafon_cf"), decode(vector["hex"])):
            assert (found.format, found.valid) == ("chafon_cf", True)
            parts = FORMATS["chafon_cf"].parts(vector["hex"], found.fields)
            assert "".join(part.raw for part in parts).replace(" ", "") == vector["hex"]
    both = decode("0000" + VALID[0]["hex"] + VALID[4]["hex"], frame="chafon_cf")
    assert [frame["cmd"] for frame in both.fields["frames"]] == ["0x0070", "0x0001"]
    assert not decode(VALID[0]["hex"] + "00" + VALID[4]["hex"], frame="chafon_cf").valid
    assert "checksum" in (decode("cf0000010112421e", frame="chafon_cf").error or "")


BYTE = st.integers(0, 255)
WORD = st.integers(0, 0xFFFF)
PARAMS = decode_params(bytes(25))
TAGS = st.builds(
    TagSeen, BYTE, st.integers(-2000, 0), st.integers(1, 16), BYTE, st.binary(max_size=62)
)
BARCODES = st.builds(Barcode, BYTE, st.from_regex(r"[A-Za-z0-9:/.]{1,60}", fullmatch=True))
READS = st.builds(
    TagAccess,
    *(BYTE, st.just(codes.READ), BYTE, BYTE, WORD, WORD, st.binary(max_size=62)),
    st.integers(0, 30).flatmap(lambda n: st.binary(min_size=2 * n, max_size=2 * n)),
)
WRITTEN = st.builds(
    TagAccess, BYTE, st.just(codes.WRITE), BYTE, BYTE, WORD, WORD, st.binary(max_size=62)
)
TEXT = st.from_regex(r"[A-Z0-9_.]{0,32}", fullmatch=True)
SERIAL = st.binary(min_size=12, max_size=12)
INFOS = st.builds(InfoReply, BYTE, st.builds(Info, TEXT, TEXT, SERIAL, TEXT, TEXT, SERIAL))
PARAMETERS = st.builds(
    ParamsReply,
    BYTE,
    st.builds(
        Params,
        **{
            field.name: WORD if field.name in {"start_mhz", "start_khz", "step_khz"} else BYTE
            for field in dataclasses.fields(Params)
        },
    ),
)


@given(TAGS | BARCODES | READS | WRITTEN | INFOS | PARAMETERS)
def test_replies_survive_a_round_trip(reply: Reply) -> None:
    frame = build_reply(reply)
    assert decode_reply(frame) == reply
    assert new_framer().feed(frame) == [frame]


@given(st.integers(0, 0xFFFFFFFF), BYTE, WORD, st.integers(0, 60), st.randoms())
def test_memory_accesses_survive_a_round_trip(
    password: int, bank: int, start: int, words: int, rng: random.Random
) -> None:
    for data in (b"", rng.randbytes(2 * words)):
        memory = Memory(password, bank, start, words, data)
        assert decode_memory(memory_data(memory)) == memory


@given(st.sampled_from([BY_TIME, BY_ROUNDS]), st.integers(0, 0xFFFFFFFF))
def test_inventories_survive_a_round_trip(by: int, value: int) -> None:
    assert decode_inventory(inventory_data(Inventory(by, value))) == Inventory(by, value)


@given(BYTE, st.sampled_from(sorted(codes.COMMAND_NAMES)) | WORD, st.binary(max_size=60))
def test_any_sealed_data_decodes_or_is_refused(address: int, code: int, data: bytes) -> None:
    try:
        found = fields(seal(address, code, data))
    except FrameError:
        return
    json.dumps(found)
