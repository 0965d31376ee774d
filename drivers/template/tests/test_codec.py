"""Frames: every cut, every flipped bit, garbage. Replace FRAME by one captured from your device."""

import pytest

from acme_reader import codec
from acme_reader.formats import ACME
from protocols.framing import FrameError

FRAME = bytes.fromhex("5a0f02013ce280689400005005b221086169")


def frames(*chunks: bytes) -> list[bytes]:
    framer = codec.new_framer()
    pieces = [piece for chunk in chunks for piece in framer.feed(chunk)]
    return [piece for piece in [*pieces, *framer.idle()] if isinstance(piece, bytes)]


def test_a_captured_frame_is_what_it_says() -> None:
    tag = codec.tag_of(codec.decode(FRAME))
    assert tag == codec.Tag(1, 60, bytes.fromhex("e280689400005005b2210861"))
    assert codec.encode(codec.decode(FRAME)) == FRAME


def test_a_cut_after_any_byte_loses_nothing() -> None:
    for cut in range(len(FRAME)):
        assert frames(b"\x5a\x00" + FRAME[:cut], FRAME[cut:] + FRAME) == [FRAME, FRAME]


def test_a_flipped_bit_is_never_accepted() -> None:
    for bit in range(8 * len(FRAME)):
        broken = bytearray(FRAME)
        broken[bit // 8] ^= 1 << bit % 8
        assert frames(bytes(broken)) == []


def test_a_reply_without_a_uid_is_refused() -> None:
    with pytest.raises(FrameError, match="without a uid"):
        codec.tag_of(codec.Message(codec.INVENTORY, b"\x01\x3c"))


def test_a_frame_is_shown_with_its_meaning() -> None:
    assert ACME.read(FRAME.hex()) == {
        "cmd": "0x02",
        "cmd_name": "inventory",
        "antenna": 1,
        "rssi_raw": 60,
        "uid": "e280689400005005b2210861",
    }
    assert ACME.read("5a08014f6e6520312e30cc")["model"] == "One 1.0"
    with pytest.raises(FrameError):
        ACME.read(FRAME[:-1].hex())
