import random

import pytest
from construct import Int8ub, Struct, Terminated
from hypothesis import given
from hypothesis import strategies as st

from protocols.framing import (
    NOISE_BYTES_MAX,
    SHOWN_BYTES_MAX,
    FrameError,
    Framer,
    Noise,
    Piece,
    parse,
    shown,
)
from protocols.readers.uhfreader import build_answer, new_framer

FRAME = build_answer(0, 0x21, 0, b"payload")
OTHER = build_answer(7, 0x01, 3, bytes(range(40)))


def frames(pieces: list[Piece]) -> list[bytes]:
    return [piece for piece in pieces if isinstance(piece, bytes)]


def raw(pieces: list[Piece]) -> bytes:
    return b"".join(piece.raw if isinstance(piece, Noise) else piece for piece in pieces)


def fed(*chunks: bytes) -> list[Piece]:
    framer = new_framer()
    return [piece for chunk in chunks for piece in framer.feed(chunk)] + framer.idle()


def test_a_cut_after_any_byte_loses_nothing() -> None:
    stream = FRAME + OTHER
    for cut in range(len(stream) + 1):
        assert fed(stream[:cut], stream[cut:]) == [FRAME, OTHER]


def test_bytes_may_come_one_at_a_time() -> None:
    assert fed(*(bytes((byte,)) for byte in FRAME + OTHER + FRAME)) == [FRAME, OTHER, FRAME]


def test_many_frames_may_come_in_one_chunk() -> None:
    assert fed((FRAME + OTHER) * 500) == [FRAME, OTHER] * 500


def test_garbage_before_a_frame_is_noise_and_the_frame_comes_out_at_once() -> None:
    framer = new_framer()
    assert framer.feed(b"\x00\x01\x02" + FRAME) == [
        Noise("length byte too small", b"\x00\x01\x02"),
        FRAME,
    ]


@pytest.mark.parametrize("start", [b"\xff", b"\x40", b"\x56", b"\x56\x00\x00\x00", FRAME[:-1]])
def test_a_frame_behind_a_false_start_comes_out_when_the_line_falls_silent(start: bytes) -> None:
    assert frames(fed(start + FRAME)) == [FRAME]


def test_a_frame_behind_a_false_start_comes_out_under_a_steady_stream() -> None:
    framer = new_framer()
    pieces = framer.feed(b"\xff" + FRAME * 40)
    assert len(frames(pieces)) >= 39
    assert len(frames(pieces + framer.idle())) == 40


def test_a_wrong_checksum_gives_up_one_byte_and_the_next_frame_is_whole() -> None:
    broken = FRAME[:-1] + bytes((FRAME[-1] ^ 1,))
    pieces = fed(broken + FRAME)
    assert frames(pieces) == [FRAME]
    assert isinstance(pieces[0], Noise)
    assert pieces[0].reason == "wrong checksum"
    assert raw(pieces) == broken + FRAME


def test_a_partial_frame_is_dropped_when_the_line_falls_silent() -> None:
    framer = new_framer()
    assert framer.feed(FRAME[:-1]) == []
    assert framer.held_bytes == len(FRAME) - 1
    assert framer.idle() == [Noise("cut off by silence", FRAME[:-1])]
    assert framer.held_bytes == 0
    assert framer.idle() == []
    assert framer.feed(FRAME) == [FRAME]


def test_a_long_run_of_noise_comes_in_bounded_pieces() -> None:
    pieces = new_framer().feed(bytes(3 * NOISE_BYTES_MAX + 1))
    assert raw(pieces) == bytes(3 * NOISE_BYTES_MAX + 1)
    assert [len(raw([piece])) for piece in pieces] == [NOISE_BYTES_MAX] * 3 + [1]


@given(st.lists(st.one_of(st.binary(max_size=30), st.sampled_from([FRAME, OTHER])), max_size=12))
def test_every_byte_comes_out_exactly_once_and_in_order(chunks: list[bytes]) -> None:
    assert raw(fed(*chunks)) == b"".join(chunks)


@given(st.data())
def test_how_a_stream_is_cut_does_not_change_the_frames(data: st.DataObject) -> None:
    parts = st.one_of(st.binary(max_size=8), st.sampled_from([FRAME, OTHER]))
    stream = b"".join(data.draw(st.lists(parts, max_size=8)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = zip([0, *cuts], [*cuts, len(stream)], strict=True)
    assert frames(fed(*(stream[a:b] for a, b in edges))) == frames(fed(stream))


def test_random_garbage_never_holds_more_than_one_frame() -> None:
    rng = random.Random(18)
    framer = new_framer()
    for _ in range(300):
        framer.feed(rng.randbytes(rng.randrange(40)))
        assert framer.held_bytes < 256


def test_a_measure_that_does_not_decide_within_its_limit_is_our_error() -> None:
    framer = Framer(lambda _: 0, frame_bytes_max=4)
    assert framer.feed(b"abc") == []
    with pytest.raises(AssertionError, match="did not decide"):
        framer.feed(b"d")


def test_a_refused_layout_names_what_it_was_and_shows_the_bytes() -> None:
    with pytest.raises(FrameError, match=r"thing: 0102: .*"):
        parse(Struct("one" / Int8ub, Terminated), b"\x01\x02", "thing")


def test_shown_bytes_are_bounded() -> None:
    assert shown(b"\xab" * (SHOWN_BYTES_MAX + 1)) == "ab" * SHOWN_BYTES_MAX + "..."
