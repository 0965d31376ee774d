import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.framing import NOISE_BYTES_MAX, FrameError, Noise, Piece
from protocols.scanners import Suffix, TextFramer, decode_text, is_no_read, serial_fields

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/readers.json").read_text("utf-8"))
VECTORS = [v for v in GOLDEN if v["protocol"] == "scanner_serial"]
CODE = b"3701000042"
SENT: list[tuple[Suffix, bytes]] = [
    ("auto", b"\r"),
    ("auto", b"\n"),
    ("auto", b"\r\n"),
    ("cr", b"\r"),
    ("lf", b"\n"),
    ("crlf", b"\r\n"),
]


def codes(pieces: list[Piece]) -> list[bytes]:
    return [piece for piece in pieces if isinstance(piece, bytes)]


@pytest.mark.parametrize(("suffix", "end"), SENT)
def test_a_cut_after_any_byte_loses_nothing(suffix: Suffix, end: bytes) -> None:
    stream = CODE + end + b"ABC" + end
    for cut in range(len(stream) + 1):
        framer = TextFramer(suffix)
        pieces = framer.feed(stream[:cut]) + framer.feed(stream[cut:])
        assert pieces == [CODE, b"ABC"]
        assert framer.idle() == []


def test_stx_and_etx_are_stripped_and_nothing_else_is() -> None:
    stream = b"\x02 A\x1dB \x03\r\n\x02C\x03"
    for cut in range(len(stream) + 1):
        framer = TextFramer("etx")
        assert framer.feed(stream[:cut]) + framer.feed(stream[cut:]) == [b" A\x1dB ", b"C"]


def test_what_is_not_between_stx_and_etx_is_noise() -> None:
    framer = TextFramer("etx")
    assert framer.feed(b"12\x0234\x0256\x0378\x03") == [
        Noise("not between STX and ETX", b"12\x0234"),
        b"56",
        Noise("no STX before ETX", b"78"),
    ]


def test_silence_ends_a_code_only_where_nothing_else_does() -> None:
    plain = TextFramer("none")
    assert plain.feed(CODE[:4]) + plain.feed(CODE[4:]) == []
    assert plain.idle() == [CODE]
    assert plain.idle() == []
    ended = TextFramer("cr")
    ended.feed(CODE)
    assert ended.idle() == [Noise("cut off by silence", CODE)]
    assert ended.feed(CODE + b"\r") == [CODE]


@pytest.mark.parametrize(("suffix", "end"), SENT)
def test_a_code_at_the_limit_is_whole_and_one_byte_more_is_noise(
    suffix: Suffix, end: bytes
) -> None:
    framer = TextFramer(suffix, text_bytes_max=8)
    assert framer.feed(b"x" * 8 + end) == [b"x" * 8]
    for size in (9, 10, 30):
        by_byte = [p for _ in range(size) for p in framer.feed(b"x")] + framer.feed(end)
        assert codes(by_byte) == []
        assert b"".join(p.raw for p in by_byte if isinstance(p, Noise)) == b"x" * size
        assert codes(framer.feed(b"x" * size + end)) == []
        assert framer.feed(CODE[:8] + end) == [CODE[:8]]


def test_a_long_code_without_a_suffix_is_noise_until_silence() -> None:
    framer = TextFramer("none", text_bytes_max=8)
    assert codes(framer.feed(b"x" * 9) + framer.feed(b"yy") + framer.idle()) == []
    framer.feed(b"ok")
    assert framer.idle() == [b"ok"]


def test_noise_comes_in_bounded_pieces_and_little_is_held() -> None:
    framer = TextFramer("cr")
    pieces = framer.feed(b"x" * 100_000)
    assert all(isinstance(p, Noise) and len(p.raw) <= NOISE_BYTES_MAX for p in pieces)
    assert framer.held_bytes == 0


def test_codes_are_utf8_or_gb18030_and_otherwise_noise() -> None:
    assert decode_text("济南0042".encode()) == "济南0042"
    assert decode_text("济南0042".encode("gb18030")) == "济南0042"
    with pytest.raises(FrameError, match="neither"):
        decode_text(b"12\xff\xff34")


@pytest.mark.parametrize("control", ["\x00", "\n", "\x02", "\x7f"])
def test_a_control_character_never_becomes_part_of_a_code(control: str) -> None:
    with pytest.raises(FrameError, match="check the suffix"):
        decode_text(f"37{control}01".encode())


def test_gs1_separators_stay_in_the_code() -> None:
    assert decode_text(b"]d2010123\x1d21A") == "]d2010123\x1d21A"


@pytest.mark.parametrize("text", ["NG", "NOREAD", "ERROR", " noread ", "ng"])
def test_what_a_head_says_without_a_code_is_known(text: str) -> None:
    assert is_no_read(text)
    assert not is_no_read(text, ["?"])
    assert is_no_read("?", ["?"])
    assert not is_no_read("NG1")


@given(
    st.lists(st.binary(min_size=1, max_size=12).filter(lambda b: not set(b) & set(b"\r\n"))),
    st.integers(1, 7),
    st.sampled_from(SENT),
)
def test_any_codes_survive_any_cutting(
    texts: list[bytes], size: int, sent: tuple[Suffix, bytes]
) -> None:
    stream = b"".join(text + sent[1] for text in texts)
    framer = TextFramer(sent[0])
    chunks = (stream[at : at + size] for at in range(0, len(stream), size))
    assert [piece for chunk in chunks for piece in framer.feed(chunk)] == texts


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_every_golden_message_decodes_to_its_published_fields(vector: dict[str, Any]) -> None:
    found = serial_fields(bytes.fromhex(vector["hex"]))
    for key, value in vector["decoded"].items():
        if key == "crc":
            assert value.startswith(found[key])
        else:
            assert found[key] == value, key


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if not v["hex"].endswith("abcd")], ids=lambda v: v["name"]
)
def test_no_flipped_bit_of_a_checked_message_passes_as_the_same(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    for bit in range(len(data) * 8):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            serial_fields(bytes(broken))


def test_plain_codes_say_how_they_ended() -> None:
    assert serial_fields(CODE + b"\r\n") == {
        "text": CODE.decode(),
        "suffix": "CRLF",
        "no_read": False,
    }
    assert serial_fields(b"\x02]C1" + CODE + b"\x03")["aim"] == "]C1"
    assert serial_fields(b"NOREAD\r")["no_read"]
    assert "suffix" not in serial_fields(CODE)
    assert serial_fields(b"\x16T\r")["command"] == "trigger on"


def test_a_code_right_behind_an_acknowledgement_is_found() -> None:
    found = serial_fields(bytes.fromhex("02000001003331") + CODE + b"\r")
    assert (found["type"], found["text"], found["suffix"]) == (0, CODE.decode(), "CR")


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\x02\x00", b"\x7e\x00\x08", b"\x02\x03"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        serial_fields(data)
