"""From registers to a weighing: scaled exactly, and unknown with a reason instead of wrong."""

import pytest

from protocols import registers
from protocols.register_values import read
from protocols.register_weights import Site, Weighing, needed, site_gaps, weigh
from protocols.registers import Profile, register_bytes

MAP = """
id: x
title: {zh: 甲, en: a}
source: s
serves: [scale]
base: 1
mass:
  unit: {from: unit, codes: {0: kg, 3: lb}}
  decimals: {from: places}
unknown_when:
  - {when: limit, is: [1, 2, 3], says: beyond its limits}
  - {when: healthy, is: [0], says: not healthy}
  - {when: gross, outside: {low: 0, high: 600000}, of: [gross], says: no gross}
  - {when: net_bad, of: [net], says: no net}
scale: {gross: gross, net: net, stable: stable}
points:
  gross: {address: 1, type: uint32, mass: true, negative: minus, doc: d}
  net: {address: 3, type: int32, mass: true, doc: d}
  state:
    address: 5
    type: bits
    bits: {minus: 0, stable: 4, healthy: 6, net_bad: 7}
    inverted: [stable]
    fields: {limit: {low: 2, high: 3}, places: {low: 8, high: 10}, unit: {low: 12, high: 13}}
    spare: ignore
    doc: d
  other: {address: 200, type: uint16, doc: not needed to weigh}
"""
PROFILE = registers.load(MAP, "f")
HEALTHY = 0x0040


def weighing(
    gross: int = 0,
    net: int = 0,
    state: int = 0x0340,
    profile: Profile = PROFILE,
    site: Site | None = None,
) -> Weighing:
    spans = profile.plan(needed(profile))
    assert [(span.address, span.count) for span in spans] == [(0, 5)]
    words = [gross >> 16, gross & 0xFFFF, net >> 16 & 0xFFFF, net & 0xFFFF, state]
    return weigh(profile, read(spans, [register_bytes(words)]), site or Site())


def test_what_is_not_needed_to_weigh_is_not_read() -> None:
    assert set(needed(PROFILE)) == {
        *("gross", "net", "stable", "unit", "places"),
        *("limit", "healthy", "net_bad", "minus"),
    }


@pytest.mark.parametrize(
    ("gross", "net", "state", "expected"),
    [
        (12_345, -2, 0x0340, (12_345, -2, True)),
        (12_345, 0, 0x0350, (12_345, 0, False)),
        (12_345, 0, 0x0341, (-12_345, 0, True)),
        (123, 0, 0x0240, (1230, 0, True)),
        (100, 100, 0x3140, (4536, 4536, True)),
        (12_345, 7, 0x03C0, (12_345, None, True)),
        (0, 0, 0x0040, (0, 0, True)),
    ],
)
def test_a_weighing_is_scaled_as_the_device_says(
    gross: int, net: int, state: int, expected: tuple[int, int | None, bool]
) -> None:
    found = weighing(gross, net, state)
    assert (found.gross_g, found.net_g, found.stable) == expected
    assert not found.why


@pytest.mark.parametrize(
    ("gross", "state", "why"),
    [
        (1, 0x0344, "beyond its limits: state.limit at holding 5 = 0x0344"),
        (1, 0x0348, "beyond its limits: state.limit at holding 5 = 0x0348"),
        (1, 0x0300, "not healthy: state.healthy at holding 5 = 0x0300"),
        (600_001, 0x0340, "no gross: gross at holding 1-2 = 0x0009 27C1"),
        (1, 0x2340, "unit 2 is not known: state.unit at holding 5 = 0x2340"),
        (1, 0x0740, "decimals 7 not known: state.places at holding 5 = 0x0740"),
    ],
)
def test_what_is_not_known_names_register_and_raw_value(gross: int, state: int, why: str) -> None:
    found = weighing(gross, 0, state)
    assert found == Weighing(None, None, stable=False, scaling=None, why=why)


def test_a_number_beyond_every_scale_is_unknown() -> None:
    wide = registers.load(MAP.replace("of: [gross], says: no gross", "of: [net], says: x"), "f")
    found = weighing(0x7FFF_FFFF, 0, HEALTHY, wide)
    assert found.gross_g is None
    assert found.why == "beyond 100000000 g: gross at holding 1-2 = 0x7FFF FFFF"


def test_a_float_without_a_number_is_unknown() -> None:
    text = MAP.replace("type: uint32, mass: true, negative: minus", "type: float32, mass: true")
    profile = registers.load(
        text.replace("  - {when: gross, outside", "  - {when: net, outside"), "f"
    )
    assert weighing(0x41458937, 0, HEALTHY, profile).gross_g == 12_346
    found = weighing(0x7FC00000, 0, HEALTHY, profile)
    assert (found.gross_g, found.stable) == (None, False)
    assert found.why == "not a number: gross at holding 1-2 = 0x7FC0 0000"


CODED = MAP.replace("{from: places}", "{from: places, codes: {5: 2}}")


def test_decimals_come_by_a_table_of_codes_where_the_map_has_one() -> None:
    profile = registers.load(CODED, "f")
    assert weighing(7, 0, 0x0540, profile).gross_g == 70
    assert "decimals 2 not known" in weighing(7, 0, 0x0240, profile).why


def test_what_must_not_change_is_read_with_every_weighing() -> None:
    profile = registers.load(MAP.replace("mass:\n", "mass:\n  watch: [limit]\n"), "f")
    found = weighing(7, 0, HEALTHY, profile)
    assert found.scaling is not None
    assert found.scaling.watched == (0,)


def test_what_the_registers_do_not_tell_is_told_by_the_site() -> None:
    text = MAP.replace("{from: unit, codes: {0: kg, 3: lb}}", "site")
    profile = registers.load(text.replace("{from: places}", "site"), "f")
    told = Site(unit="kg", decimals=2)
    assert weighing(7, 0, HEALTHY, profile, told).gross_g == 70
    assert site_gaps(profile, told) == ()
    assert [gap.split(";")[0] for gap in site_gaps(profile, Site())] == [
        "the registers do not tell mass_unit",
        "the registers do not tell decimals",
    ]
    assert site_gaps(PROFILE, told) == (
        "mass_unit comes from the map or the device; remove it",
        "decimals comes from the map or the device; remove it",
    )
