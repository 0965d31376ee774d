import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.decode import decode
from protocols.framing import FrameError
from protocols.scales.weighing import decimals, text_of
from protocols.scales.yaohua import (
    VARIANTS,
    Variant,
    a12e,
    command,
    continuous,
    decode_weighing,
    envelope,
    new_framer,
)
from tests.protocols.scales.streams import among_garbage, frames_of

GARBAGE = bytes((0x00, 0x0A, 0x7F, 0x80, 0xFF, 0x11))


def sent(value: Decimal, variant: Variant) -> bytes:
    match variant:
        case "command" | "keli":
            return command.build_weighed("A", command.GROSS, value, variant)
        case "continuous_0":
            return continuous.build_0(value)
        case "continuous_1" | "continuous_2":
            return continuous.build_plain(value, variant)
        case "a12e":
            return a12e.build(value)


@st.composite
def values(draw: st.DrawFn, most: int = 99_999) -> Decimal:
    """What fits every variant: at most five digits, up to three of them behind the point."""
    return Decimal(draw(st.integers(-most, most))).scaleb(-draw(st.integers(0, 3)))


@pytest.mark.parametrize("variant", VARIANTS)
@given(value=values())
def test_a_weight_survives_the_wire_with_its_decimals(value: Decimal, variant: Variant) -> None:
    raw = sent(value, variant)
    found = decode_weighing(raw, variant)
    assert found is not None
    assert (found.value, found.decimals) == (value, decimals(value))
    told = decode(raw.hex(), frame="yaohua")
    assert told.valid
    if variant in {"continuous_1", "continuous_2"} and not found.decimals:
        assert told.fields.get(f"value_{variant}", told.fields.get("value")) == text_of(value)
    else:
        assert (told.fields["variant"], told.fields["value"]) == (variant, text_of(value))


@pytest.mark.parametrize("variant", VARIANTS)
def test_frames_among_garbage_all_come_out_however_they_are_cut(variant: Variant) -> None:
    for seed in range(40):
        rng = random.Random(seed)
        frames = [sent(Decimal(rng.randrange(-9999, 99999)).scaleb(-2), variant) for _ in range(8)]
        stream = among_garbage(frames, rng, GARBAGE)
        assert frames_of(new_framer(variant), stream, rng) == frames


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("other", VARIANTS)
@given(value=values())
def test_a_frame_of_another_variant_is_never_a_weight(
    value: Decimal, variant: Variant, other: Variant
) -> None:
    plain = {"continuous_1", "continuous_2"}
    if variant == other or ({variant, other} <= plain and decimals(value) == 0):
        return
    with pytest.raises(FrameError):
        decode_weighing(sent(value, other), variant)


def test_one_and_two_without_a_point_are_told_with_both_values() -> None:
    found = decode(b"=00054320".hex(), frame="yaohua")
    assert found.valid
    assert "value" not in found.fields
    assert found.fields["value_continuous_1"] == "2345000"
    assert found.fields["value_continuous_2"] == "54320"
    assert decode(b"=00000000".hex(), frame="yaohua").fields["value"] == "0"


def test_four_decimals_of_one_and_two_are_refused_for_they_could_be_three_of_the_other() -> None:
    assert decode_weighing(b"=000.3000", "continuous_1") is not None
    with pytest.raises(FrameError, match="not a number in continuous_2"):
        decode_weighing(b"=000.3000", "continuous_2")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (command.build_said("A", "B", "+OL    0"), "'+OL    0'"),
        (command.build_said("A", "B", "-------0"), "instead of a weight"),
        (envelope.seal(b"+------0"), "'------0'"),
        (a12e.build_out("OL"), "overload, sent as OL"),
        (a12e.build_out("LO"), "underload, sent as LO"),
        (b"L023\r\n", "underload, sent as L0"),
    ],
)
def test_what_is_shown_instead_of_a_weight_is_unknown_with_its_text(raw: bytes, why: str) -> None:
    variant: Variant = "command" if raw[1:2] == b"A" else "a12e"
    if raw[1:2] == b"+":
        variant = "continuous_0"
    found = decode_weighing(raw, variant)
    assert found is not None
    assert found.value is None
    assert why in found.why
    told = decode(raw.hex(), frame="yaohua")
    assert told.valid
    assert told.fields["value"] is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"AB+0014509", b"AB+00145", b"AB 0014502", b"AB+001 502", b"ab+0014502"),
        *(b"AB+00.1.50", b"+001450", b"+0014509", b"0014502"),
    ],
)
def test_a_proven_frame_that_holds_no_number_is_refused(body: bytes) -> None:
    found = decode(envelope.seal(body).hex(), frame="yaohua")
    assert not found.valid
    assert found.error


def test_blanks_stand_for_leading_zeros_and_never_between_digits() -> None:
    assert decode(envelope.seal(b"AB+  14502").hex(), frame="yaohua").fields["value"] == "14.50"
    assert decode(b"=  14.500".hex(), frame="yaohua").fields["value"] == "14.500"
    assert not decode(b"=01 4.500".hex(), frame="yaohua").valid


def test_only_the_gross_weight_of_the_address_is_a_weight() -> None:
    value = Decimal("14.50")
    assert decode_weighing(command.build_ask("A", "B"), "command") is None
    for said in (
        command.build_weighed("B", "B", value, "command"),
        command.build_weighed("A", "D", value, "command"),
        command.build_said("A", "E", "12345"),
    ):
        assert decode_weighing(said, "command") is None
    named = decode(command.build_said("A", "E", "12345").hex(), frame="yaohua").fields
    assert (named["meaning"], named["text"]) == ("truck number", "12345")


def test_the_answer_for_tare_and_net_is_named() -> None:
    for letter, meaning in (("C", "tare weight"), ("D", "net weight")):
        raw = command.build_weighed("A", letter, Decimal("-0.5"), "keli")
        found = decode(raw.hex()).fields
        assert (found["meaning"], found["variant"], found["value"]) == (meaning, "keli", "-0.5")


def test_a_wrong_check_says_so() -> None:
    found = decode("024142303403", frame="yaohua")
    assert (found.valid, found.fields) == (False, {"checksum_ok": False})
    assert "wrong checksum" in str(found.error)


def test_limits_end_a_frame_that_does_not_end() -> None:
    framer = new_framer("command")
    framer.feed(b"\x02" + b"A" * 100)
    assert framer.held_bytes < envelope.FRAME_BYTES_MAX
