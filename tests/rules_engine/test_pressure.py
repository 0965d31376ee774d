"""The settled pressure of compressed gas over its temperature."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.engine import complete, judge
from rules_engine.pressure import (
    GAS_DC_MAX,
    GAS_DC_MIN,
    pressure_limit,
    settled_limit_kpa,
)
from tests.support.rules import LEGAL_FOR, pack_of, shipped

WORKING = st.integers(1, 200_000)
GAS = st.integers(GAS_DC_MIN, GAS_DC_MAX)
WARM = st.integers(200, GAS_DC_MAX)
FULL = {**LEGAL_FOR["cn-industrial"], "checks.gas_temperature_dc": 200}


def limit(gas_dc: int, *, working_kpa: int = 15_000, ppm_per_k: int | None = None) -> int | None:
    return settled_limit_kpa(working_kpa, reference_dc=200, gas_dc=gas_dc, ppm_per_k=ppm_per_k)


@pytest.mark.parametrize(
    ("gas_dc", "kpa"),
    [
        (199, None),
        (200, 15_000),
        (201, 15_005),
        (300, 15_515),  # 15101.325 kPa absolute x 303.15 / 293.15, less one atmosphere
        (400, 16_030),
        (650, 17_318),
        (651, None),
    ],
)
def test_an_ideal_gas_goes_with_its_absolute_temperature(gas_dc: int, kpa: int | None) -> None:
    assert limit(gas_dc) == kpa


@pytest.mark.parametrize(
    ("gas_dc", "kpa"),
    [(-401, None), (-400, 11_103), (0, 13_701), (199, 14_993), (200, 15_000), (300, 15_649)],
)
def test_a_gas_with_its_own_figure_is_known_below_the_reference_too(
    gas_dc: int, kpa: int | None
) -> None:
    assert limit(gas_dc, ppm_per_k=4_300) == kpa


@given(WORKING, WARM, st.integers(3_412, 20_000))
def test_above_the_reference_the_ideal_figure_allows_no_more_than_a_real_gas(
    working_kpa: int, gas_dc: int, ppm_per_k: int
) -> None:
    ideal = limit(gas_dc, working_kpa=working_kpa)
    real = limit(gas_dc, working_kpa=working_kpa, ppm_per_k=ppm_per_k)
    assert ideal is not None
    assert real is not None
    assert ideal <= real


@given(WORKING, GAS, GAS, st.none() | st.integers(2_000, 20_000))
def test_a_warmer_gas_may_never_have_less_pressure(
    working_kpa: int, one_dc: int, other_dc: int, ppm_per_k: int | None
) -> None:
    cold, warm = (
        limit(dc, working_kpa=working_kpa, ppm_per_k=ppm_per_k) for dc in sorted((one_dc, other_dc))
    )
    assert cold is None or warm is None or 0 <= cold <= warm


@pytest.mark.parametrize("working_kpa", [0, -1])
def test_a_cylinder_for_no_pressure_has_no_limit(working_kpa: int) -> None:
    assert limit(200, working_kpa=working_kpa) is None


def thermal(reference_dc: int, *more: str) -> Any:
    parameters = "".join(
        f"  {line}\n"
        for line in (
            f"fill_reference_dc: {{value: {reference_dc}, unit: 0.1 °C, source: s, verified: false}}",
            *more,
        )
    )
    return pack_of("!code.known", head=f"parameters:\n{parameters}")


O2_FIGURE = "fill_ppm_per_k_o2: {value: 4300, unit: ppm/K, source: s, verified: false}"


def test_of_several_packs_the_smallest_counts_and_one_that_cannot_say_leaves_it_open() -> None:
    facts = {**FULL, "checks.gas_temperature_dc": 200, "clock.today": date(2026, 7, 1)}
    ours, cooler = shipped("cn-industrial"), thermal(150)
    assert pressure_limit([ours], facts) == 15_000
    assert pressure_limit([ours, cooler], facts) == 15_000
    assert pressure_limit([cooler], facts) == 15_262
    cold = {**facts, "checks.gas_temperature_dc": 150}
    assert pressure_limit([ours], cold) is None
    assert pressure_limit([cooler], cold) == 15_000
    assert pressure_limit([ours, cooler], cold) is None
    assert pressure_limit([thermal(200, O2_FIGURE)], cold) == 14_675
    assert pressure_limit([shipped("cn-lpg")], facts) is None, "a pack without a reference"


@pytest.mark.parametrize("stage", ["postfill", "dispatch"])
def test_what_a_person_or_a_transmitter_measured_is_judged_after_the_fill(stage: Any) -> None:
    pack = shipped("cn-industrial")
    for kpa, allowed in ((15_000, True), (15_001, False)):
        verdict = judge([pack], {**FULL, "checks.settled_kpa": kpa}, stage)
        assert verdict.allowed == allowed
    cold = {**FULL, "checks.gas_temperature_dc": 199, "checks.settled_kpa": 100}
    (found,) = judge([pack], cold, stage).findings
    assert (found.code, found.values["missing"]) == ("DATA_MISSING", "cylinder.settled_limit_kpa")
    assert judge([pack], FULL, stage).allowed, "nobody measured: the station's own form decides"


def test_the_derived_limit_is_never_believed_when_given() -> None:
    facts = {**FULL, "checks.settled_kpa": 20_000, "cylinder.settled_limit_kpa": 99_999}
    known, _ = complete([shipped("cn-industrial")], facts)
    assert known["cylinder.settled_limit_kpa"] == 15_000
