import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.readers import pn532
from protocols.readers.pn532 import Target
from protocols.readers.pn532.commands import build_firmware_reply, build_targets_reply
from protocols.readers.pn532.formats import fields

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "pn532"]
TOLD = {v["name"]: bytes.fromhex(v["hex"]) for v in VECTORS}
CARD = Target(1, b"\x00\x44", 0x00, bytes.fromhex("04112233445566"))
ISO_DEP = Target(2, b"\x00\x04", 0x20, bytes.fromhex("08a1b2c3"), ats=b"\x78\x80")
FRAMES = [
    pn532.ACK,
    pn532.NACK,
    pn532.ERROR_FRAME,
    pn532.firmware(),
    build_firmware_reply(pn532.Firmware(0x32, 1, 6, 7)),
    build_targets_reply([CARD, ISO_DEP]),
    pn532.build_reply(0x40, b"\x00" + bytes(262 - 3)),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    assert found["direction"] == vector["direction"]
    assert {key: found.get(key) for key in vector["decoded"]} == vector["decoded"]
    named = decode(vector["hex"], frame="pn532")
    assert named.valid
    assert anatomy(vector["hex"], named)


def test_the_golden_commands_encode_to_the_same_bytes() -> None:
    wake = TOLD["wakeup_sam"]
    assert wake.endswith(pn532.sam_normal())
    assert pn532.WAKE_UP.startswith(b"\x55\x55\x00")
    through = pn532.build_command(0x42, bytes.fromhex("8000260100f60a"))
    assert through == TOLD["iso15693_via_pn532killer"]


def test_the_golden_replies_build_to_the_same_bytes() -> None:
    assert build_firmware_reply(pn532.Firmware(0x32, 1, 6, 7)) == TOLD["fw_reply"]
    card = Target(1, b"\x00\x04", 0x08, bytes.fromhex("24d34f59"))
    assert build_targets_reply([card]) == TOLD["target_uid_24d34f59"]


def test_the_byte_before_the_checksum_is_no_part_of_a_uid() -> None:
    reply = pn532.decode(TOLD["target_uid_24d34f59"])
    assert isinstance(reply, pn532.Reply)
    assert pn532.targets_of(reply)[0].uid == bytes.fromhex("24d34f59")


def test_two_tags_of_one_round_are_two() -> None:
    reply = pn532.decode(build_targets_reply([CARD, ISO_DEP]))
    assert isinstance(reply, pn532.Reply)
    assert pn532.targets_of(reply) == (CARD, ISO_DEP)
    told = fields(build_targets_reply([CARD, ISO_DEP]))
    assert [tag["uid"] for tag in told["tags"]] == ["04112233445566", "08a1b2c3"]
    assert told["tags"][1]["random"]
    assert fields(build_targets_reply([]))["targets"] == 0


def test_acknowledgements_and_errors_are_messages() -> None:
    assert pn532.decode(pn532.ACK) == pn532.Ack()
    assert pn532.decode(pn532.NACK) == pn532.Nack()
    assert pn532.decode(pn532.ERROR_FRAME) == pn532.Refused()
    assert fields(pn532.ERROR_FRAME)["error"] == "command not understood"
    assert fields(pn532.ACK) == {"ack": True}


def test_an_exchange_tells_its_status() -> None:
    gone = pn532.build_reply(0x40, b"\x01")
    assert fields(gone)["status"] == "0x01 tag did not answer in time"
    read = fields(pn532.data_exchange(1, b"\x30\x04"))
    assert read["tag_cmd"] == "READ page 4"
    reply = pn532.decode(pn532.build_reply(0x40, b"\x00abcd"))
    assert isinstance(reply, pn532.Reply)
    assert pn532.exchanged(reply) == (0, b"abcd")


@pytest.mark.parametrize("size", [1, 254, 255, 256, pn532.PAYLOAD_BYTES_MAX])
def test_long_frames_are_extended(size: int) -> None:
    payload = bytes((0xD4,)) + bytes(size - 1)
    frame = pn532.seal(payload)
    assert (frame[3:5] == b"\xff\xff") == (size > 254)
    assert pn532.unseal(frame) == payload
    assert pn532.unseal(pn532.seal(payload, extended=True)) == payload
    framer = pn532.new_framer()
    assert [piece for byte in frame for piece in framer.feed(bytes((byte,)))] == [frame]


def test_a_frame_that_announces_too_much_is_refused() -> None:
    lying = bytes.fromhex("0000ffffff") + b"\x01\x09\xf6" + bytes(300)
    with pytest.raises(FrameError, match="length 265 is impossible"):
        pn532.unseal(lying)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame[:12].hex())
def test_no_flipped_bit_and_no_cut_is_ever_accepted(frame: bytes) -> None:
    for bit in range(len(frame) * 8):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        framer = pn532.new_framer()
        pieces = framer.feed(bytes(broken)) + framer.idle()
        assert not [p for p in pieces if isinstance(p, bytes)], bit
    for size in range(len(frame)):
        with pytest.raises(FrameError):
            pn532.unseal(frame[:size])


@pytest.mark.parametrize("seed", range(6))
def test_frames_come_out_of_one_stream_with_garbage_between(seed: int) -> None:
    rng = random.Random(seed)
    expected = FRAMES * 2
    rng.shuffle(expected)
    stream = b"".join(bytes(rng.choices((0x55, 0x00, 0x11), k=5)) + b"\x33" + f for f in expected)
    framer = pn532.new_framer()
    pieces = []
    while stream:
        size = rng.randrange(1, 40)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


UIDS = st.sampled_from([4, 7, 10]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
TARGETS = st.builds(
    Target,
    tg=st.integers(1, 2),
    sens_res=st.binary(min_size=2, max_size=2),
    sel_res=st.integers(0, 255).map(lambda value: value & ~0x20),
    uid=UIDS,
)


@given(st.lists(TARGETS, max_size=2))
def test_targets_survive_a_round_trip(targets: list[Target]) -> None:
    reply = pn532.decode(build_targets_reply(targets))
    assert isinstance(reply, pn532.Reply)
    assert pn532.targets_of(reply) == tuple(targets)


@given(st.binary(min_size=1, max_size=pn532.PAYLOAD_BYTES_MAX), st.booleans())
def test_any_payload_survives_its_frame_and_decodes_or_is_refused(
    payload: bytes,
    extended: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    frame = pn532.seal(payload, extended=extended)
    assert pn532.unseal(frame) == payload
    try:
        found = fields(frame)
    except FrameError:
        return
    json.dumps(found)
