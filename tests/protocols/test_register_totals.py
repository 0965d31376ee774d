"""A totaliser of any width becomes grams with the step it counts in, or is unknown with a reason."""

import math
from collections.abc import Mapping
from fractions import Fraction
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import registers
from protocols.documents import DocumentError
from protocols.masses import (
    GRAMS,
    TOTAL_G_MAX,
    MassError,
    Unit,
    float_total,
    total_grams,
    total_pattern,
)
from protocols.register_totals import Total, needed, total
from protocols.register_values import read, words_of
from protocols.register_weights import Site
from protocols.registers import Profile, register_bytes

HEAD = """
id: mine
title: {zh: 甲, en: a}
source: made for a test
serves: [meter]
mass: {unit: kg, decimals: DECIMALS}
meter: {total: total}
points:
"""


def meter(points: str, decimals: int = 0, **changed: str) -> Profile:
    text = HEAD.replace("DECIMALS", str(decimals)) + points
    for old, new in changed.items():
        text = text.replace(f"{old}: {{total: total}}", f"{old}: {new}")
    return registers.load(text, "mine.yaml")


def shows(profile: Profile, numbers: Mapping[str, int], site: Site | None = None) -> Total:
    """What stands in the registers, read as the driver reads it."""
    cells = {}
    for name, number in numbers.items():
        point = profile.points[name]
        for at, word in enumerate(words_of(point, number)):
            cells[point.address + at] = word
    spans = profile.plan(needed(profile))
    answers = [
        register_bytes([cells.get(span.address + at, 0) for at in range(span.count)])
        for span in spans
    ]
    return total(profile, read(spans, answers), site or Site())


def bits(number: float, size: int) -> int:
    return int.from_bytes(pack({32: ">f", 64: ">d"}[size], number), "big")


@pytest.mark.parametrize(
    ("kg", "size", "total_g", "step_g"),
    [
        (0.0, 32, 0, 1),
        (1_000.0, 32, 1_000_000, 1),
        (8_192.0, 32, 8_192_000, 1),
        (1_000_000.0, 32, 1_000_000_000, 63),  # 62.5 g
        (9_999_999.0, 32, 9_999_999_000, 1_000),
        (20_000_000.0, 32, 20_000_000_000, 2_000),
        (20_000_000.0, 64, 20_000_000_000, 1),
        (-12.25, 32, -12_250, 1),
        (1e-40, 32, 0, 1),  # denormal
    ],
)
def test_a_float_says_how_coarse_it_has_become(
    kg: float, size: int, total_g: int, step_g: int
) -> None:
    assert float_total(bits(kg, size), size, "kg") == (total_g, step_g)


@given(st.integers(0, 10**11), st.sampled_from(["g", "kg", "t", "lb"]), st.sampled_from([32, 64]))
def test_the_step_of_a_float_is_what_lies_before_the_next_one(
    total_g: int, unit: Unit, size: int
) -> None:
    pattern = total_pattern(total_g, size, unit)
    shown_g, step_g = float_total(pattern, size, unit)
    next_g, _ = float_total(pattern + 1, size, unit)
    assert 0 <= next_g - shown_g <= step_g
    assert abs(shown_g - total_g) <= step_g


@pytest.mark.parametrize("size", [32, 64])
def test_what_is_no_number_is_no_total(size: int) -> None:
    largest = {32: 0x7F7F_FFFF, 64: 0x7FEF_FFFF_FFFF_FFFF}[size]
    for pattern, why in (
        (bits(math.nan, size), "not a number"),
        (bits(math.inf, size), "infinite"),
        (bits(-math.inf, size), "infinite"),
        (largest, "beyond"),
    ):
        with pytest.raises(MassError, match=why):
            float_total(pattern, size, "t")


@given(st.integers(-TOTAL_G_MAX, TOTAL_G_MAX), st.integers(0, 6))
def test_an_integer_is_right_to_half_a_gram(raw: int, decimals: int) -> None:
    exact = Fraction(raw, 10**decimals) * GRAMS["lb"]
    if abs(exact) > TOTAL_G_MAX:
        with pytest.raises(MassError):
            total_grams(raw, "lb", decimals)
        return
    total_g, step_g = total_grams(raw, "lb", decimals)
    assert abs(total_g - exact) <= Fraction(1, 2)
    assert step_g == max(1, math.ceil(GRAMS["lb"] / 10**decimals))


def test_the_largest_total_still_counts_and_the_next_does_not() -> None:
    assert total_grams(TOTAL_G_MAX, "g", 0) == (TOTAL_G_MAX, 1)
    with pytest.raises(MassError):
        total_grams(TOTAL_G_MAX + 1, "g", 0)


@pytest.mark.parametrize("kind", ["uint64", "int64", "float64"])
@pytest.mark.parametrize("word_order", ["high_first", "low_first"])
@pytest.mark.parametrize("byte_order", ["high_first", "low_first"])
def test_four_words_stand_in_any_order(kind: str, word_order: str, byte_order: str) -> None:
    """Bytes 0..7, the highest first: the words turned round, the bytes in each turned round."""
    orders = f"word_order: {word_order}, byte_order: {byte_order}"
    profile = meter(f"  total: {{address: 7, type: {kind}, mass: true, {orders}, doc: d}}\n")
    point = profile.points["total"]
    words = [0x0001, 0x0203, 0x0405, 0x0607]
    if byte_order == "low_first":
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    if word_order == "low_first":
        words.reverse()
    assert words_of(point, 0x0001_0203_0405_0607) == tuple(words)
    (span,) = profile.plan()
    assert (span.address, span.count) == (7, 4)
    assert read([span], [register_bytes(words)])["total"] == 0x0001_0203_0405_0607


def test_a_negative_total_of_64_bits_is_negative() -> None:
    profile = meter("  total: {address: 0, type: int64, mass: true, doc: d}\n", decimals=3)
    assert shows(profile, {"total": -(1 << 40)}).total_g == -(1 << 40)


@pytest.mark.parametrize(
    ("kind", "wraps_at", "decimals", "wraps_g"),
    [
        ("uint32", 1 << 32, 1, 429_496_729_600),
        ("uint32", 100_000_000, 0, 100_000_000_000),
        ("uint64", 1 << 64, 3, 1 << 64),
        ("float32", 10_000_000, 0, 10_000_000_000),
        ("float64", 1_000_000, 6, 1_000_000_000),  # decimals are those of integers
    ],
)
def test_where_it_wraps_is_told_in_grams(
    kind: str, wraps_at: int, decimals: int, wraps_g: int
) -> None:
    point = f"  total: {{address: 0, type: {kind}, mass: true, wraps_at: {wraps_at}, doc: d}}\n"
    assert shows(meter(point, decimals), {"total": 0}).wraps_g == wraps_g


def test_an_overflow_is_added_and_what_it_makes_is_as_fine_as_the_first() -> None:
    points = (
        "  total: {address: 0, type: float32, mass: true, doc: d}\n"
        "  carry: {address: 2, type: float32, mass: true, doc: d}\n"
    )
    profile = meter(points, meter="{total: total, overflow: carry}")
    found = shows(profile, {"total": bits(1.5, 32), "carry": bits(2e7, 32)})
    assert (found.total_g, found.step_g) == (20_000_001_500, 1)
    unknown = shows(profile, {"total": bits(1.5, 32), "carry": bits(math.nan, 32)})
    assert unknown.why == "not a number: carry at holding 2-3 = 0x7FC0 0000"


def test_a_sign_that_stands_elsewhere_counts() -> None:
    points = (
        "  total: {address: 0, type: uint32, mass: true, negative: minus, doc: d}\n"
        "  state: {address: 2, type: bits, bits: {minus: 4}, doc: d}\n"
    )
    assert shows(meter(points), {"total": 7, "state": 1 << 4}).total_g == -7_000


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("meter: {total: total}", "", "float64 is for the totaliser of a meter"),
        ("{total: total}", "{total: other}", "no 'other' in this map"),
        ("{total: total}", "{total: state}", "'state' is a number; a mass"),
        ("serves: [meter]", "serves: []", "a map with a meter section serves as meter"),
        (
            "meter: {total: total}",
            "scale: {gross: total, stable: ok}\nmeter: {total: total}",
            "a meter weighs nothing",
        ),
        ("{total: total}", "{total: total, overflow: far}", "overflow is in another request"),
        ("type: float64, mass: true", "type: float64", "float64 is for masses"),
        ("total: {address: 0", "total: {address: 65533", "float64 does not fit at 65533"),
        ("type: float32, mass", "type: float32, wraps_at: 9, mass", "wraps_at is for unsigned"),
        ("{total: total}", "{}", "meter: key 'total' is missing"),
    ],
)
def test_a_wrong_meter_map_is_refused_with_the_place(old: str, new: str, expected: str) -> None:
    text = HEAD.replace("DECIMALS", "0") + (
        "  total: {address: 0, type: float64, mass: true, doc: d}\n"
        "  state: {address: 4, type: bits, bits: {ok: 0}, doc: d}\n"
        "  far: {address: 400, type: float32, mass: true, doc: d}\n"
    )
    assert old in text
    with pytest.raises(DocumentError) as caught:
        registers.load(text.replace(old, new), "mine.yaml")
    told = " | ".join(str(problem) for problem in caught.value.problems)
    assert expected in told
    assert "mine.yaml:" in told


def test_who_serves_as_a_meter_says_where_it_counts() -> None:
    text = HEAD.replace("meter: {total: total}", "incomplete: not known")
    points = "  total: {address: 0, type: uint32, mass: true, doc: d}\n"
    with pytest.raises(DocumentError, match="serves as meter without a meter section"):
        registers.load(text.replace("DECIMALS", "0") + points, "mine.yaml")
