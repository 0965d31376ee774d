"""The masses of a fill: whatever is weighed and wanted, the safety limit stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules_engine.masses import Masses, Terms, masses, proven_g

GRAMS = st.integers(1, 200_000)
TERMS = st.builds(
    Terms,
    st.none() | GRAMS,
    tolerance_g=st.integers(1, 10_000),
    weighing_error_g=st.integers(0, 200),
)
EXACT = Terms(None, 200, 0)


def made(
    allowed_net_g: int,
    tare_g: int,
    stamped_g: int | None,
    terms: Terms = EXACT,
    *,
    deduct_residue: bool = True,
) -> Masses:
    return masses(
        allowed_net_g=allowed_net_g,
        tare_g=tare_g,
        stamped_g=stamped_g,
        deduct_residue=deduct_residue,
        terms=terms,
    )


@given(GRAMS, GRAMS, st.none() | GRAMS, TERMS, st.sampled_from(["deducted", "not deducted"]))
def test_no_target_and_no_tolerance_reaches_above_the_safety_limit(
    allowed_net_g: int, tare_g: int, stamped_g: int | None, terms: Terms, residue: str
) -> None:
    deduct_residue = residue == "deducted"
    found = made(allowed_net_g, tare_g, stamped_g, terms, deduct_residue=deduct_residue)
    assert tare_g + found.target_g <= found.limit_gross_g == tare_g + allowed_net_g
    assert found.target_g <= found.safe_net_g <= allowed_net_g
    assert found.over_g <= found.safe_net_g + terms.weighing_error_g
    assert found.under_g < found.target_g <= found.over_g
    if deduct_residue and stamped_g is not None:
        inside_g = max(0, tare_g - stamped_g)
        assert inside_g + found.target_g <= allowed_net_g, "the cylinder holds what it may"
        assert inside_g + found.over_g <= allowed_net_g + terms.weighing_error_g


@given(GRAMS, GRAMS, GRAMS, GRAMS, TERMS)
def test_more_in_the_cylinder_never_means_more_to_fill(
    allowed_net_g: int, tare_g: int, more_g: int, stamped_g: int, terms: Terms
) -> None:
    light, heavy = (made(allowed_net_g, t, stamped_g, terms) for t in (tare_g, tare_g + more_g))
    assert heavy.target_g <= light.target_g
    assert heavy.safe_net_g <= light.safe_net_g


@pytest.mark.parametrize(
    ("nominal_g", "tolerance_g", "allowed_g", "over_g"),
    [
        (14_500, 500, 14_900, 14_900),  # YSP35.5: 14.5 + 0.5 would be 15.0
        (14_500, 300, 14_900, 14_800),
        (49_000, 1_000, 49_500, 49_500),  # YSP118: 49 + 1.0 would be 50.0
        (None, 200, 14_900, 14_900),
    ],
)
def test_the_published_net_contents_stop_at_the_safety_limit(
    nominal_g: int | None, tolerance_g: int, allowed_g: int, over_g: int
) -> None:
    """The trap of cylinders.md §1.4: commercial contents against the allowed mass."""
    found = made(allowed_g, 16_500, 16_500, Terms(nominal_g, tolerance_g, 0))
    assert found.over_g == over_g


@pytest.mark.parametrize(
    ("tare_g", "stamped_g", "deduct", "residual_g", "target_g"),
    [
        (16_500, 16_500, True, 0, 14_900),
        (16_499, 16_500, True, 0, 14_900),
        (16_501, 16_500, True, 1, 14_899),
        (17_500, 16_500, True, 1_000, 13_900),
        (17_500, 16_500, False, 1_000, 14_900),
        (17_500, None, True, None, 14_900),
        (31_400, 16_500, True, 14_900, 0),
        (31_401, 16_500, True, 14_901, -1),
    ],
)
def test_residue_is_what_is_heavier_than_the_stamp(
    tare_g: int, stamped_g: int | None, residual_g: int | None, target_g: int, *, deduct: bool
) -> None:
    found = made(14_900, tare_g, stamped_g, deduct_residue=deduct)
    assert (found.residual_g, found.target_g) == (residual_g, target_g)


@pytest.mark.parametrize(
    ("net_g", "told_g"),
    [(14_899, 14_899), (14_900, 14_900), (14_901, 14_900), (14_950, 14_900), (14_951, 14_951)],
)
def test_rules_hear_of_too_much_only_when_the_scale_proves_it(net_g: int, told_g: int) -> None:
    assert proven_g(net_g, safe_net_g=14_900, weighing_error_g=50) == told_g
