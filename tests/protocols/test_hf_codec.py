import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import anatomy, decode
from protocols.framing import FrameError
from protocols.readers.hf import FAMILIES, Family, air, is_reversed, is_uid, maker, seal
from protocols.readers.hf.formats import any_framer, fields

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "iso15693_serial"]
PROSE = {"note"}
UIDS = (bytes.fromhex("e00401009f2625f5"), bytes.fromhex("e007000012c01480"))
CARD_REQUEST = "aa000325260000bb"
"""From the example telegrams that iDTRONIC publishes for its AA..BB readers, as the next four."""
ONE_CARD = "aa00060000160ff47f94bb"
SEVEN_BYTE_CARD = "aa0009000004c0ba3a8e3a8079bb"
NO_CARD = "aa0002018380bb"
NO_CARD_50 = "f0000122e033"
ALL = tuple(FAMILIES.values())
BY_NAME = pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)


def speak(family: Family, payload: bytes, *, envelope: int = 0, refused: bool = False) -> bytes:
    head = family.voice.error_head if refused else None
    return seal(family.envelopes[envelope], payload, head=head)


def replies(family: Family) -> list[bytes]:
    frames = [speak(family, payload) for payload in family.voice.inventory(UIDS)]
    return [speak(family, family.voice.identity), *frames]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_golden_frame_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = fields(bytes.fromhex(vector["hex"]))
    assert found["direction"] == vector["direction"]
    expected = {k: v for k, v in vector["decoded"].items() if k not in PROSE}
    assert {key: found.get(key) for key in expected} == expected
    named = decode(vector["hex"], frame="iso15693_serial")
    assert named.valid
    assert anatomy(vector["hex"], named)
    assert decode(vector["hex"]).format == "iso15693_serial"


def test_the_golden_commands_encode_to_the_same_bytes() -> None:
    told = {v["name"]: bytes.fromhex(v["hex"]) for v in VECTORS}
    idtronic = FAMILIES["idtronic"]
    inventory = idtronic.command(idtronic.inventories["iso15693"])
    assert inventory == told["idtronic_inventory_cmd"]
    assert air.seal(bytes.fromhex("260100")) == told["air_inventory_1slot"]
    addressed = b"\x22\x20" + bytes.fromhex("e0040150b902c691")[::-1] + b"\x08"
    assert air.seal(addressed) == told["air_read_single_block_addressed"]


@pytest.mark.parametrize("told", [CARD_REQUEST, ONE_CARD, SEVEN_BYTE_CARD, NO_CARD, NO_CARD_50])
def test_the_vendors_example_telegrams_decode(told: str) -> None:
    assert decode(told, frame="iso15693_serial").valid


def test_a_card_reply_names_its_card_and_a_refusal_its_reason() -> None:
    aa_bb, idtronic = FAMILIES["aa_bb"], FAMILIES["idtronic"]
    one = aa_bb.decode(bytes.fromhex(ONE_CARD))
    assert aa_bb.seen(one, "iso14443a").uids == (bytes.fromhex("160ff47f"),)
    empty = aa_bb.decode(bytes.fromhex(NO_CARD))
    assert (empty.error, empty.no_tag) == ("0x83 no tag", True)
    timeout = idtronic.decode(bytes.fromhex(NO_CARD_50))
    assert (timeout.code, timeout.no_tag) == (0x22, True)
    assert aa_bb.command(aa_bb.inventories["iso14443a"]) == bytes.fromhex(CARD_REQUEST)


@BY_NAME
def test_what_a_reader_says_is_understood(family: Family) -> None:
    identity, *rounds = [family.decode(frame) for frame in replies(family)]
    if not identity.error:
        assert family.describe(identity)
    seen = [uid for reply in rounds for uid in family.seen(reply, "iso15693").uids]
    assert seen == list(UIDS)
    empty = family.decode(speak(family, family.voice.no_tag, refused=True))
    assert empty.no_tag or family.seen(empty, "iso15693").uids == ()


@BY_NAME
def test_what_a_host_says_is_understood_by_a_simulated_reader(family: Family) -> None:
    identify = family.open(family.command(family.identify, 3))
    assert family.voice.hear(identify.payload).what == "identify"
    asked = family.voice.hear(family.inventories["iso15693"])
    assert asked.what == "inventory"
    if family.read is not None and family.write is not None and family.block is not None:
        read = family.voice.hear(family.read(UIDS[0], 7))
        assert (read.what, read.uid, read.block) == ("read", UIDS[0], 7)
        write = family.voice.hear(family.write(UIDS[0], 7, b"abcd"))
        assert (write.what, write.uid, write.block, write.data) == ("write", UIDS[0], 7, b"abcd")
        block = family.decode(speak(family, family.voice.block(b"abcd")))
        assert family.block(block) == b"abcd"
        assert not family.decode(speak(family, family.voice.written)).error
    assert family.decode(speak(family, family.voice.no_block, refused=True)).error


@BY_NAME
def test_a_frame_tells_which_way_it_goes(family: Family) -> None:
    commands = [family.identify, *family.inventories.values()]
    commands += [family.read(UIDS[0], 7)] if family.read else []
    commands += [family.write(UIDS[0], 7, b"abcd")] if family.write else []
    for payload in commands:
        assert fields(family.command(payload))["direction"] == "host>device", payload.hex()
    for frame in replies(family):
        assert fields(frame)["direction"] == "device>host", frame.hex()


@BY_NAME
def test_no_flipped_bit_is_accepted(family: Family) -> None:
    """Two checksums of 8 bits are xors: they catch every single bit and not every pair."""
    for frame in replies(family):
        for bit in range(len(frame) * 8):
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            with pytest.raises(FrameError):
                family.decode(bytes(broken))


@BY_NAME
def test_no_cut_and_no_longer_frame_is_accepted(family: Family) -> None:
    for frame in replies(family):
        for size in range(len(frame)):
            with pytest.raises(FrameError):
                family.open(frame[:size])
        with pytest.raises(FrameError, match="present"):
            family.open(frame + b"\x00")


@BY_NAME
def test_a_lying_length_is_refused(family: Family) -> None:
    envelope = family.envelopes[0]
    frame = bytearray(speak(family, family.voice.identity))
    frame[envelope.size_bytes - 1] = 0xFF
    with pytest.raises(FrameError):
        family.open(bytes(frame))


@BY_NAME
@pytest.mark.parametrize("seed", range(4))
def test_frames_come_out_of_one_stream_with_garbage_between(family: Family, seed: int) -> None:
    rng = random.Random(seed)
    expected = replies(family) * 2
    rng.shuffle(expected)
    junk = [0xEE, 0xEF, 0xFE]
    stream = b"".join(
        bytes(rng.choice(junk) for _ in range(rng.randrange(9))) + frame for frame in expected
    )
    framer = family.new_framer()
    pieces = []
    while stream:
        size = rng.randrange(1, 30)
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
    assert [p for p in pieces + framer.idle() if isinstance(p, bytes)] == expected


def test_frames_of_several_families_back_to_back_are_all_named() -> None:
    frames = [bytes.fromhex(v["hex"]) for v in VECTORS if not v["name"].startswith("air")]
    found = fields(b"".join(frames))
    assert [frame["family"] for frame in found["frames"]] == ["idtronic"] * 3 + ["ti_s6350"]
    assert [p for p in any_framer().feed(b"".join(frames)) if isinstance(p, bytes)] == frames


def test_a_proven_frame_of_nonsense_is_refused_and_not_taken_apart_again() -> None:
    with pytest.raises(FrameError, match="iDTRONIC card"):
        fields(FAMILIES["idtronic"].command(b"\x22" + bytes(9)))


def test_ti_slots_and_tags_must_agree_and_collisions_are_told() -> None:
    family = FAMILIES["ti_s6350"]
    slot = bytes(2) + UIDS[1][::-1]
    both = family.decode(seal(family.envelopes[0], b"\x00\x60\x01\x00\x02\x00" + slot))
    assert family.seen(both, "iso15693") == type(family.seen(both, "iso15693"))((UIDS[1],), 1)
    lying = family.decode(seal(family.envelopes[0], b"\x00\x60\x03\x00\x00\x00" + slot))
    with pytest.raises(FrameError, match="2 valid slots, 1 tags"):
        family.seen(lying, "iso15693")


def test_feig_tells_tags_it_does_not_know_apart() -> None:
    family = FAMILIES["feig"]
    card = bytes((0xB0, 0, 1, 0x04, 0)) + bytes(8)
    reply = family.decode(seal(family.envelopes[1], card))
    with pytest.raises(FrameError, match="0x04 ISO 14443A"):
        family.seen(reply, "iso15693")
    more = family.decode(seal(family.envelopes[0], b"\xb0\x94\x00"))
    assert more.more
    refused = family.decode(seal(family.envelopes[0], b"\xb0\x95\x12"))
    assert refused.error == "tag says 0x12 block locked"


def test_an_iso_tag_reply_decodes_and_so_does_its_error() -> None:
    uid = bytes.fromhex("e00401009f2625f5")
    told = fields(air.seal(b"\x00\x05" + uid[::-1]))
    assert (told["direction"], told["uid"], told["dsfid"]) == ("tag>reader", uid.hex(), 5)
    assert told["maker"] == "0x04 NXP"
    assert fields(air.seal(b"\x01\x12"))["error"] == "0x12 block locked"
    assert fields(air.seal(b"\x00abcd"))["data"] == b"abcd".hex()
    assert fields(air.seal(b"\x02\x23\x04\x03"))["count"] == 4
    with pytest.raises(FrameError, match="count"):
        fields(air.seal(b"\x02\x23\x04"))


def test_a_uid_starts_with_e0_and_is_recognised_reversed() -> None:
    assert is_uid(UIDS[0])
    assert not is_uid(UIDS[0][::-1])
    assert is_reversed(UIDS[0][::-1])
    assert not is_reversed(bytes(8))
    assert maker(UIDS[1]) == "0x07 Texas Instruments"
    assert maker(bytes.fromhex("e099")) == "0x99"


@given(st.binary(min_size=2, max_size=40), st.sampled_from(ALL), st.integers(0, 254))
def test_any_payload_survives_its_envelope(payload: bytes, family: Family, address: int) -> None:
    for envelope in range(len(family.envelopes)):
        sealed = family.open(family.command(payload, address, envelope=envelope))
        assert sealed.payload == payload
        assert sealed.address in {address, 0}


@given(st.binary(min_size=2, max_size=60), st.sampled_from(ALL))
def test_any_sealed_payload_decodes_or_is_refused(payload: bytes, family: Family) -> None:
    try:
        found = fields(family.command(payload))
    except FrameError:
        return
    json.dumps(found)


@given(st.binary(min_size=2, max_size=40))
def test_any_air_frame_decodes_or_is_refused(body: bytes) -> None:
    try:
        found = air.fields(air.seal(body))
    except FrameError:
        return
    json.dumps(found)


@given(st.binary(max_size=80))
def test_garbage_is_no_frame(data: bytes) -> None:
    try:
        found = fields(data)
    except FrameError:
        return
    json.dumps(found)
