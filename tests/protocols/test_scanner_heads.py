"""Heads that are told what to do: packets, replies and codes on one line, cut anywhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.framing import FrameError, Noise
from protocols.scanners import gm65, ssi
from protocols.scanners.heads import Gm65Head, Head, Heard, Opening, SsiHead, TextHead, new_head
from protocols.scanners.serial import serial_fields
from protocols.scanners.text import TEXT_BYTES_MAX

CODE = b"3701000042"
GM65_OK = bytes.fromhex("02000001003331")
ACK, NAK = ssi.command(ssi.ACK), ssi.command(ssi.NAK, b"\x01")


def decoded(code: bytes, *, status: int = 0, kind: int = 0x03) -> bytes:
    data = bytes((kind,)) + code
    return ssi.build(ssi.Packet(ssi.DECODE_DATA, ssi.DECODER, status, data))


def fed(head: Head, *chunks: bytes) -> Heard:
    """Everything heard of these chunks, added up."""
    all_of_it = Heard()
    for chunk in chunks:
        heard = head.feed(chunk)
        all_of_it.pieces += heard.pieces
        all_of_it.frames += heard.frames
        all_of_it.say += heard.say
        all_of_it.answers += heard.answers
        all_of_it.refused = heard.refused or all_of_it.refused
        all_of_it.value = all_of_it.value if heard.value is None else heard.value
    return all_of_it


def codes(heard: Heard) -> list[bytes]:
    return [piece for piece in heard.pieces if isinstance(piece, bytes)]


def test_commands_are_the_bytes_of_the_manuals() -> None:
    assert ssi.command(ssi.START_DECODE).hex() == "04e40400ff14"
    assert ssi.command(ssi.SCAN_DISABLE).hex() == "04ea0400ff0e"
    assert gm65.build_read(0x000A).hex() == "7e000701000a01ee8a"
    assert gm65.build_write(0x000A, 0x3E).hex() == "7e000801000a3e4ccf"
    assert gm65.build_reply(b"\x3e").hex() == "020000013ee4ac"
    assert gm65.build_reply(b"\x00") == GM65_OK
    assert new_head("honeywell", "auto").on.hex() == "16540d"
    assert new_head("honeywell", "auto").off.hex() == "16550d"
    assert new_head("none", "auto").on == b""


def test_a_decode_data_packet_is_a_code_and_is_acknowledged() -> None:
    stream = decoded(CODE + b"\r\n")
    for cut in range(len(stream) + 1):
        heard = fed(SsiHead("auto"), stream[:cut], stream[cut:])
        assert heard.pieces == [CODE]
        assert heard.say == [ACK]
        assert heard.frames == [stream]


def test_a_packet_sent_again_because_our_ack_was_lost_is_no_second_read() -> None:
    head = SsiHead("auto")
    again = decoded(CODE, status=ssi.SENT_AGAIN)
    heard = fed(head, decoded(CODE), again, decoded(CODE))
    assert codes(heard) == [CODE, CODE]
    assert heard.say == [ACK] * 3
    assert codes(fed(SsiHead("auto"), again)) == [CODE]


def test_the_tail_of_a_code_whose_beginning_was_dropped_is_no_code() -> None:
    head = SsiHead("auto")
    fed(head, decoded(b"A" * 200, status=ssi.MORE_FOLLOWS))
    assert head.idle().pieces, "the rest did not come"
    late = fed(head, decoded(b"B" * 200, status=ssi.MORE_FOLLOWS | ssi.SENT_AGAIN), decoded(b"C\r"))
    assert codes(late) == []
    assert b"C\r" in b"".join(piece.raw for piece in late.pieces if isinstance(piece, Noise))
    assert codes(fed(head, decoded(CODE))) == [CODE]


def test_a_broken_packet_is_asked_for_again_and_never_a_code() -> None:
    stream = decoded(CODE)
    for bit in range(8 * len(stream)):
        broken = bytearray(stream)
        broken[bit // 8] ^= 1 << bit % 8
        head = SsiHead("auto")
        heard = fed(head, bytes(broken))
        idle = head.idle()
        assert codes(heard) + codes(idle) == []
        assert NAK in heard.say + idle.say
        assert codes(fed(head, stream)) == [CODE]


def test_a_long_code_comes_in_several_packets_and_silence_drops_half_of_one() -> None:
    more = decoded(b"A" * 200, status=ssi.MORE_FOLLOWS)
    assert codes(fed(SsiHead("auto"), more, decoded(b"B\r"))) == [b"A" * 200 + b"B"]
    head = SsiHead("auto")
    fed(head, more)
    dropped = head.idle().pieces
    assert b"".join(p.raw for p in dropped if isinstance(p, Noise)) == b"A" * 200
    assert not head.is_inside
    endless = [decoded(bytes((n,)) * 200, status=ssi.MORE_FOLLOWS) for n in range(64, 90)]
    tail, following = decoded(b"TAIL\r"), decoded(CODE)
    assert codes(fed(SsiHead("auto"), *endless, tail, following)) == [CODE]
    heard = fed(SsiHead("auto"), *endless)
    assert codes(heard) == []
    assert sum(len(p.raw) for p in heard.pieces if isinstance(p, Noise)) > TEXT_BYTES_MAX


def test_what_a_head_answers_is_counted_and_a_refusal_has_its_reason() -> None:
    answers = [ssi.build(ssi.Packet(code, ssi.DECODER)) for code in (ssi.ACK, ssi.NAK)]
    assert fed(SsiHead("auto"), *answers).answers == 2
    for why, said in ((2, "bad context"), (6, "denied"), (99, "99")):
        nak = ssi.build(ssi.Packet(ssi.NAK, ssi.DECODER, 0, bytes((why,))))
        assert fed(SsiHead("auto"), nak).refused == said
        assert serial_fields(nak)["reason"] == (said if why != 99 else 99)
    echo = ssi.command(ssi.SCAN_ENABLE)
    assert fed(SsiHead("auto"), echo).answers == 0


def test_an_unknown_packet_is_acknowledged_and_no_code() -> None:
    event = ssi.build(ssi.Packet(0xF6, ssi.DECODER, 0, b"\x01"))
    heard = fed(SsiHead("auto"), event)
    assert (heard.pieces, heard.say) == ([], [ACK])


def test_decode_data_names_its_code() -> None:
    fields = serial_fields(decoded(b"]C0" + CODE + b"\r"))
    assert (fields["opcode_name"], fields["code_type"]) == ("decode data", "0x03")
    assert (fields["text"], fields["aim"], fields["suffix"]) == ("]C0" + CODE.decode(), "]C0", "CR")
    assert "text" not in serial_fields(decoded(b"\xff\xff\x00"))
    assert serial_fields(bytes.fromhex("16550d"))["cmd"] == "SYN U CR"


@pytest.mark.parametrize("stream", [GM65_OK + CODE + b"\r", CODE + b"\r\n" + GM65_OK])
def test_a_module_replies_and_codes_come_apart_wherever_they_are_cut(stream: bytes) -> None:
    for cut in range(len(stream) + 1):
        heard = fed(Gm65Head("auto"), stream[:cut], stream[cut:])
        assert heard.pieces == [CODE]
        assert heard.answers == 1
        assert heard.value == 0


def test_stx_before_a_code_is_no_reply() -> None:
    head = Gm65Head("etx")
    heard = fed(head, b"\x02", CODE + b"\x03", GM65_OK, b"\x02" + CODE + b"\x03")
    assert heard.pieces == [CODE, CODE]
    assert heard.answers == 1


def test_a_broken_or_cut_reply_is_noise_and_hides_no_later_code() -> None:
    for bit in range(8 * len(GM65_OK)):
        broken = bytearray(GM65_OK)
        broken[bit // 8] ^= 1 << bit % 8
        head = Gm65Head("auto")
        heard = fed(head, bytes(broken))
        head.idle()
        assert heard.answers == 0
        assert codes(fed(head, b"\r" + CODE + b"\r"))[-1:] == [CODE]
    head = Gm65Head("auto")
    fed(head, GM65_OK[:5])
    assert head.is_inside
    assert head.idle().pieces == [Noise("cut off by silence", GM65_OK[:5])]


@pytest.mark.parametrize(("zone", "asked"), [(0xD4, 2), (0xD6, 2), (0xD5, 1)])
def test_a_modules_mode_is_written_only_when_it_differs(zone: int, asked: int) -> None:
    opening = Gm65Head("auto").opening()
    commands = [next(opening)]
    answers = [zone, 0]
    while (command := _next(opening, answers.pop(0))) is not None:
        commands.append(command)
    assert len(commands) == asked
    if asked == 2:
        assert commands[1] == gm65.build_write(0, 0xD5)
        assert serial_fields(commands[1])["type"] == "0x08 write"


def _next(opening: Opening, value: int) -> bytes | None:
    try:
        return opening.send(value)
    except StopIteration:
        return None


def test_a_refused_command_of_a_module_is_told() -> None:
    assert fed(Gm65Head("auto"), gm65.build_reply(b"\x00", 2)).refused == "type 2"


@pytest.mark.parametrize("kind", ["none", "honeywell", "gm65"])
def test_a_megabyte_without_an_end_is_noise_in_pieces_and_holds_nothing(kind: Any) -> None:
    head = new_head(kind, "auto")
    size = 0
    for _ in range(256):
        heard = head.feed(b"x" * 4096)
        assert codes(heard) == []
        assert all(len(p.raw) <= 256 for p in heard.pieces if isinstance(p, Noise))
        size += sum(len(p.raw) for p in heard.pieces if isinstance(p, Noise))
    assert size == 256 * 4096
    assert codes(fed(head, b"\r" + CODE + b"\r")) == [CODE]


@given(st.binary(max_size=200), st.integers(1, 9), st.sampled_from(["none", "ssi", "gm65"]))
def test_any_bytes_are_heard_and_nothing_stays_held(data: bytes, size: int, kind: Any) -> None:
    head = new_head(kind, "auto")
    for at in range(0, len(data), size):
        head.feed(data[at : at + size])
    head.idle()
    assert not head.is_inside


@given(st.binary(max_size=251), st.integers(0, 255), st.integers(0, 255))
def test_any_packet_survives_the_way_there_and_back(data: bytes, opcode: int, status: int) -> None:
    packet = ssi.Packet(opcode, ssi.DECODER, status, data)
    raw = ssi.build(packet)
    assert ssi.decode(raw) == packet
    assert ssi.new_framer().feed(b"\x01\x02" + raw)[-1] == raw


@pytest.mark.parametrize(
    "raw", [b"", b"\x04", b"\x03\xd0\x04\x00\xff\x29", b"\x04\xd0\x04\x00\xff"]
)
def test_what_is_no_packet_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        ssi.decode(raw)


def test_text_heads_have_nothing_to_say() -> None:
    heard = fed(TextHead("auto"), CODE + b"\r")
    assert (heard.pieces, heard.frames, heard.say, heard.answers) == ([CODE], [CODE], [], 0)
