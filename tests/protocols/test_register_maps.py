"""The language of scale and filler maps: what loads, what is refused where, how values are read."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import registers
from protocols.documents import DocumentError
from protocols.register_block import Point
from protocols.register_values import limits_of, read, values_of, whole_of, words_of
from protocols.registers import Profile, RegisterError

TOP = "id: x\ntitle: {zh: 甲, en: a}\nsource: s\n"
MASS = "mass: {unit: kg, decimals: {from: decimals}}\n"
SCALE = "serves: [scale]\nscale: {gross: gross, stable: stable}\n"
POINTS = """points:
  gross: {address: 101, type: uint32, mass: true, negative: minus, doc: d}
  state: {address: 107, type: bits, bits: {minus: 1, moving: 2}, fields: {decimals: {low: 4, high: 6}}, doc: d}
"""
GOOD = f"{TOP}base: 1\n{MASS}{SCALE}{POINTS}".replace("stable: stable", "stable: moving")
ORDERS = ("high_first", "low_first")


def problems(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        registers.load(text, "f.yaml")
    return str(caught.value)


def point(text: str, top: str = "") -> Point:
    """The first point of a map of coils and registers without any role."""
    loaded = registers.load(f"{TOP}serves: [output]\n{top}points:\n  a: {{{text}, doc: d}}\n", "f")
    return loaded.points["a"]


def one(profile: Profile, words: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, registers_ in words.items():
        found |= values_of(profile.points[name], registers_)
    return found


def test_addresses_count_as_the_manual_counts_and_travel_from_0() -> None:
    profile = registers.load(GOOD, "f")
    gross = profile.points["gross"]
    assert (gross.number, gross.address, gross.end) == (101, 100, 102)
    (span,) = profile.plan()
    assert span.request().pdu.hex() == "0300640007"
    reading = read([span], [bytes.fromhex("0000 3039 0000 0000 0000 0000 0032".replace(" ", ""))])
    assert (reading["gross"], reading["minus"], reading["decimals"]) == (12_345, True, 3)
    assert reading.shown("gross") == "gross at holding 101-102 = 0x0000 3039"
    assert reading.shown("minus") == "state.minus at holding 107 = 0x0032"


@pytest.mark.parametrize("table", ["coil", "discrete"])
def test_single_bits_are_read_in_one_request_of_bits(table: str) -> None:
    text = (
        f"{TOP}serves: [output]\npoints:\n"
        f"  a: {{address: 3, type: bit, table: {table}, doc: d}}\n"
        f"  b: {{address: 12, type: bit, table: {table}, inverted: [b], doc: d}}\n"
    )
    (span,) = registers.load(text, "f").plan()
    assert span.request().pdu.hex() == ("01" if table == "coil" else "02") + "0003000a"
    reading = read([span], [bytes([0b0000_0001, 0b0000_0010])])
    assert (reading["a"], reading["b"]) == (True, False)
    assert read([span], [bytes([0, 0])])["b"] is True
    assert reading.shown("b") == f"b at {table} 12 = 1"


def test_bits_that_say_the_opposite_are_turned_round() -> None:
    stable = point("address: 0, type: bits, bits: {stable: 12, net: 11}, inverted: [stable]")
    assert values_of(stable, (0x1000,)) == {"a": 0x1000, "stable": False, "net": False}
    assert values_of(stable, (0x0800,)) == {"a": 0x0800, "stable": True, "net": True}
    assert whole_of(stable, {"stable": True, "net": True}) == 0x0800
    assert whole_of(stable, {}) == 0x1000


def test_bits_and_fields_may_be_numbered_from_the_highest() -> None:
    high = point(
        "address: 0, type: bits, bit_order: high_first, bits: {first: 0, last: 15}, "
        "fields: {code: {low: 4, high: 6}}"
    )
    assert values_of(high, (0x8A00,)) == {"a": 0x8A00, "first": True, "last": False, "code": 5}


def test_a_bit_without_a_name_is_refused_or_ignored_as_the_map_says() -> None:
    with pytest.raises(RegisterError, match=r"a at holding 0 = 0x0004 has bits"):
        values_of(point("address: 0, type: bits, bits: {x: 0}"), (4,))
    assert not values_of(point("address: 0, type: bits, bits: {x: 0}, spare: ignore"), (4,))["x"]


@pytest.mark.parametrize("word_order", ORDERS)
@pytest.mark.parametrize("byte_order", ORDERS)
def test_words_and_bytes_stand_in_any_order(word_order: str, byte_order: str) -> None:
    made = point(
        f"address: 0, type: uint32, word_order: {word_order}, byte_order: {byte_order}",
    )
    expected = {
        ("high_first", "high_first"): (0x1122, 0x3344),
        ("high_first", "low_first"): (0x2211, 0x4433),
        ("low_first", "high_first"): (0x3344, 0x1122),
        ("low_first", "low_first"): (0x4433, 0x2211),
    }[word_order, byte_order]
    assert words_of(made, 0x1122_3344) == expected
    assert values_of(made, expected) == {"a": 0x1122_3344}


@given(
    st.sampled_from(["uint16", "int16", "uint32", "int32"]),
    st.sampled_from(ORDERS),
    st.sampled_from(ORDERS),
    st.data(),
)
def test_whatever_fits_comes_back(kind: str, words: str, bytes_: str, data: st.DataObject) -> None:
    order = f", word_order: {words}" if kind.endswith("32") else ""
    made = point(f"address: 0, type: {kind}, byte_order: {bytes_}{order}")
    allowed = limits_of(made)
    value = data.draw(st.integers(allowed.start, allowed.stop - 1))
    assert values_of(made, words_of(made, value)) == {"a": value}
    for beyond in (allowed.start - 1, allowed.stop):
        with pytest.raises(RegisterError, match="does not fit"):
            words_of(made, beyond)


def test_an_answer_of_another_length_is_refused() -> None:
    profile = registers.load(GOOD, "f")
    for size in (0, 13, 15):
        with pytest.raises(RegisterError, match=r"holding 100: .* bytes instead of 14"):
            read(profile.plan(), [bytes(size)])


WRONG = [
    (
        "stable: moving",
        "stable: movin",
        "7:23: no 'movin' in this map; a bit; did you mean 'moving'?",
    ),
    ("stable: moving", "stable: decimals", "'decimals' is a number; a bit"),
    ("gross: gross", "gross: moving", "'moving' is a bit; a mass"),
    ("from: decimals", "from: gross", "'gross' is a mass; a number"),
    ("negative: minus", "negative: plus", "no 'plus' in this map"),
    ("type: uint32", "type: int32", "gross: negative is for masses without a sign of their own"),
    ("uint32, mass: true, ", "uint32, ", "'gross' is a number; a mass"),
    (MASS, "", "gross: nothing says how masses are scaled"),
    ("type: uint32", "type: float32", "negative is for masses without a sign of their own"),
    ("address: 101", "address: 0", "gross: base 1 has no address 0"),
    ("low: 4, high: 6", "low: 6, high: 4", "decimals ends before it begins"),
    ("low: 4, high: 6", "low: 2, high: 4", "state: decimals overlaps another bit or field"),
    ("minus: 1", "decimals: 1", "second name 'decimals'"),
    (
        "doc: d}\n  state",
        "inverted: [minus], doc: d}\n  state",
        "inverted 'minus' is none of its bits",
    ),
    ("address: 107, ", "address: 107, table: coil, ", "`type: bit` and a table of single bits"),
    ("serves: [scale]", "serves: []", "a map with a scale section serves as scale"),
    ("serves: [scale]", "serves: [scale, filler]", "serves as filler without a filler section"),
    ("serves: [scale]", "serves: [scale, identify]", "identifies without a head section"),
    ("base: 1", "base: 1\nincomplete: no", "an incomplete map serves nothing"),
    ("base: 1", "base: 1\nverified: false", "`verified: false` and `unverified`"),
    ("base: 1", "base: 1\nunverified: [x]", "`verified: false` and `unverified`"),
    ("base: 1", "base: 1\nlimits: {registers_max: 6}", "its sign 'minus' is in another request"),
    ("base: 1", "base: 1\nlimits: {gap_max: 3}", "its sign 'minus' is in another request"),
    (
        "base: 1",
        "base: 1\nlimits: {registers_max: 1}",
        "gross: more than the 1 registers a request",
    ),
    ("base: 1", "base: 1\nlimits: {functions: [4]}", "the device does not answer function 3"),
    (
        "base: 1",
        "base: 1\nlimits: {never_read: [{low: 102, high: 103}]}",
        "gross: lies in 102 to 103, never to be read",
    ),
    ("base: 1", "base: 1\nlimits: {registers_max: 126}", "less than or equal to 125"),
    ("mass: true,", "mass: true, wraps_at: 4294967297,", "unsigned integers that can hold it"),
    ("type: bits,", "type: bits, mass: true,", "state: bits is no mass"),
    ("type: bits,", "type: bits, wraps_at: 100,", "wraps_at is for unsigned integers"),
    (
        "base: 1",
        "base: 1\nunknown_when: [{when: minus, of: [state], says: x}]",
        "'state' is a number; a mass",
    ),
    (
        "base: 1",
        "base: 1\ncommands: {zero: {writes: {gross: 1}, kind: edge, doc: d}}",
        "'gross' is a mass; a writable point",
    ),
    (
        "base: 1",
        "base: 1\ncommands: {zero: {writes: {state: 1}, kind: handshake, doc: d}}",
        "`confirm` and `kind: handshake` go together",
    ),
    ("serves: [scale]", "serves: [scale]\nbits: 1", "unknown key 'bits'"),
    (
        "address: 107, type: bits",
        "address: 107, type: bits, table: input, writable: true",
        "input registers cannot be written",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG)
def test_a_wrong_scale_map_is_refused_with_the_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert expected in problems(GOOD.replace(old, new, 1))


def test_one_address_is_two_registers_only_where_the_map_says_so() -> None:
    both = POINTS + "  target: {address: 101, type: int32, mass: true, writable: true, doc: d}\n"
    text = GOOD.replace(POINTS, both)
    assert "target at 101 stands after state at 107" in problems(text)
    profile = registers.load(text.replace("base: 1", "base: 1\nareas: separate"), "f")
    assert [p.name for p in profile.readable] == ["gross", "state"]


@pytest.mark.parametrize(
    "key",
    [
        "type: float32, mass: true",
        "type: uint16, byte_order: low_first",
        "type: uint16, stored: true, writable: true",
        "type: bits, bits: {x: 0}, spare: ignore",
        "type: bits, bits: {x: 0}, inverted: [x]",
        "type: bits, fields: {x: {low: 0, high: 1}}",
        "type: uint16, mass: true",
    ],
)
def test_a_map_of_one_moment_says_no_more_than_its_driver_reads(key: str) -> None:
    assert "is for maps with a scale, filler or meter section" in problems(
        f"{TOP}points:\n  a: {{address: 1, {key}, doc: d}}\n"
    )
