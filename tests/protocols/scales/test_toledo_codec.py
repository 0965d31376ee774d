import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import decode
from protocols.framing import FrameError
from protocols.scales import toledo
from protocols.scales.toledo import Frame, build, weighing
from tests.protocols.scales.streams import among_garbage, frames_of

KG = 0x30
"""Status B: kg, bit 5 set."""
TWO_DECIMALS = 0x2C
GROSS = Frame(TWO_DECIMALS, KG, 0x20, "  1450", "     0")
GARBAGE = bytes((0x00, 0x20, 0x31, 0x0D, 0x7F, 0x80))


def but(frame: Frame, **changes: Any) -> Frame:
    names = ("a", "b", "c", "digits", "tare", "checked")
    return Frame(**{**{name: getattr(frame, name) for name in names}, **changes})


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    digits = st.integers(0, 999_999).map(lambda n: f"{n:6d}")
    tare = draw(st.none() | digits | st.just("      "))
    a = 0x20 | draw(st.integers(0, 7)) | draw(st.integers(1, 3)) << 3
    b = 0x20 | draw(st.integers(0, 0x1F)) & ~toledo.OUT_OF_RANGE
    checked = draw(st.booleans())
    return Frame(a, b, 0x20 | draw(st.integers(0, 7)), draw(digits), tare, checked)


@given(frames(), st.booleans())
def test_a_frame_survives_the_wire(frame: Frame, separated: bool) -> None:  # noqa: FBT001 - drawn
    raw = build(frame, separated=separated and frame.tare is not None)
    assert toledo.decode(raw) == frame
    found = decode(raw.hex(), frame="toledo_continuous")
    assert found.valid
    assert ("checksum_ok" in found.fields) == frame.checked


@pytest.mark.parametrize("tare", ["     0", None])
@pytest.mark.parametrize("separated", [True, False])
@pytest.mark.parametrize("checked", [True, False])
def test_frames_among_garbage_all_come_out(
    *, checked: bool, separated: bool, tare: str | None
) -> None:
    for seed in range(30):
        rng = random.Random(seed)
        all_of = [
            build(
                but(GROSS, digits=f"{rng.randrange(10**6):6d}", tare=tare, checked=checked),
                separated=separated and tare is not None,
            )
            for _ in range(6)
        ]
        stream = among_garbage(all_of, rng, GARBAGE)
        assert frames_of(toledo.new_framer(checked=checked), stream, rng) == all_of


def test_the_fields_are_in_plain_words() -> None:
    frame = but(GROSS, b=KG | toledo.NET | toledo.NEGATIVE | toledo.MOTION, tare="  1500")
    found = decode(build(but(frame, checked=True)).hex(" ")).fields
    expected = {
        "mode": "net",
        "value": "-14.50",
        "unit": "kg",
        "tare": "15.00",
        "status": "motion",
        "stable": False,
        "motion": True,
        "negative": True,
        "out_of_range": False,
        "power_up": False,
        "decimals": 2,
        "increment": 1,
        "checksum_ok": True,
    }
    assert expected.items() <= found.items()


@pytest.mark.parametrize(
    ("frame", "unit"),
    [
        (GROSS, "kg"),
        (but(GROSS, b=0x20), "lb"),
        (but(GROSS, c=0x21), "g"),
        (but(GROSS, c=0x22), "t"),
    ],
)
def test_units(frame: Frame, unit: str) -> None:
    assert weighing(frame).unit == unit


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (but(GROSS, b=KG | toledo.OUT_OF_RANGE), "out of range, digits '  1450'"),
        (but(GROSS, b=KG | toledo.OUT_OF_RANGE, digits="------"), "out of range, digits '------'"),
        (but(GROSS, b=KG | toledo.POWER_UP), "not zeroed since power-up"),
        (but(GROSS, a=0x28), "fixed zeros"),
        (but(GROSS, a=0x29), "fixed zeros"),
    ],
)
def test_what_cannot_be_trusted_is_unknown_and_never_zero(frame: Frame, why: str) -> None:
    found = weighing(toledo.decode(build(frame)))
    assert found.value is None
    assert why in found.why


def with_parity(raw: bytes, odd: int) -> bytes:
    return bytes(byte | (byte.bit_count() % 2 != odd) << 7 for byte in raw)


@pytest.mark.parametrize("odd", [0, 1])
def test_bit_7_may_be_a_parity_and_then_holds_in_every_byte(odd: int) -> None:
    raw = with_parity(build(but(GROSS, checked=True)), odd)
    assert frames_of(toledo.new_framer(checked=True), raw * 3, random.Random(1)) == [raw] * 3
    assert toledo.decode(raw) == but(GROSS, checked=True)
    for at in range(len(raw)):
        broken = raw[:at] + bytes((raw[at] ^ 0x80,)) + raw[at + 1 :]
        with pytest.raises(FrameError, match="parity"):
            toledo.decode(broken)


def test_one_flipped_bit_of_the_low_seven_is_never_accepted_with_a_check() -> None:
    raw = build(but(GROSS, checked=True))
    for bit in range(8 * len(raw)):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        assert not decode(broken.hex(), frame="toledo_continuous").valid


@pytest.mark.parametrize("digits", ["14 50 ", "      ", "1450.0", "------"])
def test_a_weight_in_range_has_digits(digits: str) -> None:
    raw = build(but(GROSS, digits=digits))
    with pytest.raises(FrameError):
        toledo.decode(raw)


@pytest.mark.parametrize("checked", [True, False])
def test_cut_frames_are_refused_and_several_decode(*, checked: bool) -> None:
    raw = build(but(GROSS, checked=checked))
    for end in range(1, len(raw) - checked):
        assert not decode(raw[:end].hex(), frame="toledo_continuous").valid
    found = decode((raw * 3).hex(), frame="toledo_continuous")
    assert len(found.fields["frames"]) == 3
    assert decode(raw.hex()).format == "toledo_continuous", "found untold, with and without check"
    assert not decode((raw * 3 + raw[:4]).hex(), frame="toledo_continuous").valid
