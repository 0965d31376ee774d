"""A second witness tells what it saw, and says when it cannot be compared."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import FillerSample, Reading, TagRead, WeightSample
from gatewayd.settings.upkeep import WitnessSettings
from gatewayd.shifts.testimony import FRESH_S, Why, Witnessed, recalled, told_g
from tests.rigs.bench import QUIET

NOON = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
TANK = WitnessSettings(device="tank-1", kind="mass_falls")
METER = WitnessSettings(device="meter-1", kind="flow_total")


def _heard(
    values: list[int], witness: WitnessSettings = TANK, step_s: float = 1.0
) -> tuple[Witnessed, datetime]:
    at, told = NOON, Witnessed(NOON, 0, 0)
    for value in values:
        at += timedelta(seconds=step_s)
        told = told.hear(value, at, witness)
    return told, at


@pytest.mark.parametrize(
    ("witness", "values", "flowed_g", "why"),
    [
        (TANK, [20_000_000, 19_990_000, 19_970_000], 30_000, ""),
        (TANK, [20_000_000, 20_099_999, 19_970_000], 30_000, ""),  # sways by less than a delivery
        (TANK, [20_000_000, 19_970_000, 25_000_000], -5_000_000, "delivery"),
        (TANK, [20_000_000, 19_970_000, 20_020_000, 20_070_000], -70_000, "delivery"),  # slowly
        (METER, [4_294_960_000, 2_704], 10_000, ""),  # wraps
        (METER, [10_000, 10_000], 0, ""),
        (METER, [10_000, 500], -9_500, "went_back"),
        (TANK, [], None, "silent"),
    ],
)
def test_what_went_out_of_the_tank_and_whether_that_proves_anything(
    witness: WitnessSettings, values: list[int], flowed_g: int | None, why: Why
) -> None:
    told, at = _heard(values, witness)
    assert (told.flowed_g(witness), told.doubt(at, witness)) == (flowed_g, why)


@given(
    st.lists(st.integers(0, 30_000), min_size=1, max_size=60),
    st.lists(st.integers(-49_000, 49_000), min_size=60, max_size=60),
    st.integers(0, 60),
    st.integers(200_001, 10_000_000),
)
def test_a_delivery_is_seen_through_swaying_and_filling_and_nothing_else_is_one(
    falls: list[int], sways: list[int], when: int, delivered_g: int
) -> None:
    mass_g, values, comes = 50_000_000, [], when < len(falls)
    for number, (fall_g, sway_g) in enumerate(zip(falls, sways, strict=False)):
        mass_g += delivered_g * (number == when) - fall_g
        values.append(mass_g + sway_g)
    told, at = _heard(values)
    seen_whole = comes and when > 0
    assert (told.doubt(at, TANK) == "delivery") == seen_whole


@pytest.mark.parametrize("over", [False, True])
def test_a_silence_proves_nothing_wherever_it_was(*, over: bool) -> None:
    told, at = _heard([20_000_000, 19_990_000])
    again = at + timedelta(seconds=TANK.silent_s + over)
    later = told.hear(19_900_000, again, TANK)
    assert later.doubt(again, TANK) == ("silent" if over else "")
    assert told.doubt(at + timedelta(seconds=FRESH_S + over), TANK) == ("silent" if over else "")


def test_one_that_was_heard_late_did_not_see_the_beginning() -> None:
    late = NOON + timedelta(seconds=TANK.silent_s + 1)
    assert Witnessed(NOON, 0, 0).hear(1_000, late, TANK).doubt(late, TANK) == "silent"


def test_the_next_shift_begins_with_the_last_fresh_word() -> None:
    told, at = _heard([20_000_000, 19_990_000])
    after = told.after(at, at, sequence=7, open_g=300)
    assert (after.first_g, after.last_g, after.sequence, after.open_g) == (
        19_990_000,
        19_990_000,
        7,
        300,
    )
    stale = told.after(at, at + timedelta(seconds=FRESH_S + 1), sequence=7, open_g=0)
    assert (stale.first_g, stale.heard_at) == (None, None)


def test_a_clock_that_is_set_back_is_no_silence() -> None:
    told, at = _heard([20_000_000])
    earlier = at - timedelta(days=400)
    assert told.hear(20_000_000, earlier, TANK).silent_s == told.silent_s


@given(st.lists(st.integers(-(2**31), 2**40), max_size=20))
def test_what_was_kept_is_recalled(values: list[int]) -> None:
    told, _ = _heard(values)
    assert recalled(told.spelled()) == told


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"begun_at": 7}', "null", "\x00"])
def test_what_cannot_be_understood_is_nothing(text: str | None) -> None:
    assert recalled(text) is None


@pytest.mark.parametrize(
    ("reading", "weighs_g", "counts_g"),
    [
        (WeightSample("t", 0, 7, None, stable=True), 7, None),
        (WeightSample("t", 0, None, None, stable=False, why="overload"), None, None),
        (QUIET, QUIET.gross_g, QUIET.total_g),
        (FillerSample("t", 0, 5, None, True, False, False, False, total_g=9), 5, 9),  # noqa: FBT003 - as declared
        (TagRead("t", "AA", 1, None, 0), None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_reading_tells(reading: Reading, weighs_g: int | None, counts_g: int | None) -> None:
    assert told_g(reading, TANK) == weighs_g
    assert told_g(reading, METER) == counts_g
