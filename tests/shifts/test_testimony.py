"""A second witness tells what it saw, and says when it cannot be compared."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import FillerSample, MeterSample, Reading, TagRead, WeightSample
from gatewayd.settings.upkeep import WitnessSettings
from gatewayd.shifts.testimony import (
    FRESH_S,
    TREMBLE_G,
    Why,
    Witnessed,
    Word,
    recalled,
    told,
)
from tests.rigs.bench import QUIET

NOON = datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
TANK = WitnessSettings(device="tank-1", kind="mass_falls")
METER = WitnessSettings(device="meter-1", kind="flow_total")


def _heard(
    values: list[int], witness: WitnessSettings = TANK, step_s: float = 1.0
) -> tuple[Witnessed, datetime]:
    at, heard = NOON, Witnessed(NOON, 0, 0)
    for value in values:
        at += timedelta(seconds=step_s)
        heard = heard.hear(Word(value), at, witness)
    return heard, at


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
    heard, at = _heard(values, witness)
    assert (heard.flowed_g(witness), heard.doubt(at, witness)) == (flowed_g, why)


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
    heard, at = _heard(values)
    seen_whole = comes and when > 0
    assert (heard.doubt(at, TANK) == "delivery") == seen_whole


@pytest.mark.parametrize("over", [False, True])
def test_a_silence_proves_nothing_wherever_it_was(*, over: bool) -> None:
    heard, at = _heard([20_000_000, 19_990_000])
    again = at + timedelta(seconds=TANK.silent_s + over)
    later = heard.hear(Word(19_900_000), again, TANK)
    assert later.doubt(again, TANK) == ("silent" if over else "")
    assert heard.doubt(at + timedelta(seconds=FRESH_S + over), TANK) == ("silent" if over else "")


def test_one_that_was_heard_late_did_not_see_the_beginning() -> None:
    late = NOON + timedelta(seconds=TANK.silent_s + 1)
    assert Witnessed(NOON, 0, 0).hear(Word(1_000), late, TANK).doubt(late, TANK) == "silent"


def test_the_next_shift_begins_with_the_last_fresh_word() -> None:
    heard, at = _heard([20_000_000, 19_990_000])
    after = heard.after(at, at, sequence=7, open_g=300)
    assert (after.first_g, after.last_g, after.sequence, after.open_g) == (
        19_990_000,
        19_990_000,
        7,
        300,
    )
    stale = heard.after(at, at + timedelta(seconds=FRESH_S + 1), sequence=7, open_g=0)
    assert (stale.first_g, stale.heard_at) == (None, None)


def test_a_clock_that_is_set_back_is_no_silence() -> None:
    heard, at = _heard([20_000_000])
    earlier = at - timedelta(days=400)
    assert heard.hear(Word(20_000_000), earlier, TANK).silent_s == heard.silent_s


@given(st.lists(st.integers(-(2**31), 2**40), max_size=20))
def test_what_was_kept_is_recalled(values: list[int]) -> None:
    heard, _ = _heard(values)
    assert recalled(heard.spelled()) == heard


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
        (MeterSample("t", 0, 9, 1), None, 9),
        (MeterSample("t", 0, None, why="error"), None, None),
        (TagRead("t", "AA", 1, None, 0), None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_reading_tells(reading: Reading, weighs_g: int | None, counts_g: int | None) -> None:
    for witness, grams in ((TANK, weighs_g), (METER, counts_g)):
        word = told(reading, witness)
        assert (None if word is None else word.grams) == grams


TONNE_G = 1_000_000
MOST_G = METER.flow_kg_h_max * 1_000 * 10 // 3_600
"""What may have flowed between two words of a meter that is heard in time."""


def _metered(words: list[Word], step_s: float = 1.0) -> tuple[Witnessed, datetime]:
    at, heard = NOON, Witnessed(NOON, 0, 0)
    for word in words:
        at += timedelta(seconds=step_s)
        heard = heard.hear(word, at, METER)
    return heard, at


@pytest.mark.parametrize(
    ("words", "flowed_g", "why"),
    [
        ([Word(5, 1, None), Word(14_505, 1, None)], 14_500, ""),
        ([Word(-500, 1, None), Word(700, 1, None)], 1_200, ""),  # balanced, from below 0
        ([Word(2**32 - 1, 1, None), Word(2**32 + 9, 1, None)], 10, ""),  # no 32 bits in between
        ([Word(99_995_000, 1_000, 10**8), Word(5_000, 1_000, 10**8)], 10_000, ""),  # wraps
        ([Word(9_000, 1, None), Word(9_000 - TREMBLE_G - 1, 1, None)], -TREMBLE_G - 1, ""),
        ([Word(9_000, 1, None), Word(9_000 - TREMBLE_G - 2, 1, None)], -22, "went_back"),
        ([Word(900 * TONNE_G, 1, None), Word(0, 1, None)], -900 * TONNE_G, "went_back"),
        # Reset close to its wrap, it seems to have moved on by the rest: by more than can flow.
        ([Word(900 * TONNE_G, 1, 10**9), Word(0, 1, 10**9)], 100 * TONNE_G, "jumped"),
        ([Word(0, 1, None), Word(MOST_G + 1, 1, None)], MOST_G + 1, ""),
        ([Word(0, 1, None), Word(MOST_G + 3, 1, None)], MOST_G + 3, "jumped"),
        # Reset and set again: the sum is what it was, and yet nobody knows what flowed.
        ([Word(50, 1, None), Word(9 * TONNE_G, 1, None), Word(50, 1, None)], 0, "went_back"),
    ],
)
def test_a_meter_is_followed_over_its_wrap_and_never_over_what_a_person_did(
    words: list[Word], flowed_g: int, why: Why
) -> None:
    heard, at = _metered(words)
    assert (heard.flowed_g(METER), heard.doubt(at, METER)) == (flowed_g, why)


def test_more_may_have_flowed_after_a_longer_silence() -> None:
    words = [Word(0, 1, None), Word(10 * MOST_G, 1, None)]
    for step_s, why in ((99.0, "jumped"), (101.0, "")):
        heard, at = _metered(words, step_s)
        assert heard.doubt(at, METER) == why


@given(
    st.lists(st.integers(0, 50_000), min_size=1, max_size=80),
    st.integers(0, 10**8),
    st.sampled_from([None, 10**7, 10**8, 2**32]),
    st.sampled_from([1, 63, 1_000]),
)
def test_whatever_flows_is_counted_to_the_step_over_every_wrap(
    flows: list[int], first_g: int, wraps_g: int | None, step_g: int
) -> None:
    wraps_g = None if wraps_g is None else wraps_g // step_g * step_g
    total_g, words = first_g, []
    for flow_g in (0, *flows):
        total_g += flow_g
        shown_g = total_g // step_g * step_g
        words.append(Word(shown_g if wraps_g is None else shown_g % wraps_g, step_g, wraps_g))
    heard, at = _metered(words)
    flowed_g = heard.flowed_g(METER)
    assert flowed_g is not None
    assert abs(flowed_g - sum(flows)) < step_g
    assert heard.doubt(at, METER) == ""
    assert heard.step_g == step_g


def test_what_an_earlier_version_kept_of_a_counter_is_not_lost() -> None:
    heard, _ = _heard([4_294_960_000, 2_704], METER)
    old = json.loads(heard.spelled())
    for name in ("counted_g", "jumped_g", "step_g"):
        del old[name]
    again = recalled(json.dumps(old))
    assert again is not None
    assert again.flowed_g(METER) == 10_000
