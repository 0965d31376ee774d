"""Fill limits: the archive's figure or capacity x coefficient, whichever is smaller."""

from typing import Any

import pytest

from rules_engine.limits import Limits, fill_limits
from tests.support.rules import cn_lpg, pack_of

LPG = {"cylinder.medium": "LPG"}


@pytest.mark.parametrize(
    ("facts", "net_g"),
    [
        ({}, None),
        ({"cylinder.water_capacity_ml": 35_500}, None),
        ({"cylinder.water_capacity_ml": 35_500, "cylinder.medium": "O2"}, None),
        (LPG, None),
        ({"cylinder.allowed_net_g": 14_500}, 14_500),
        ({**LPG, "cylinder.water_capacity_ml": 35_500}, 14_910),
        ({**LPG, "cylinder.water_capacity_ml": 35_500, "cylinder.allowed_net_g": 14_900}, 14_900),
        ({**LPG, "cylinder.water_capacity_ml": 35_500, "cylinder.allowed_net_g": 15_000}, 14_910),
        ({**LPG, "cylinder.water_capacity_ml": 118_000}, 49_560),
        ({**LPG, "cylinder.water_capacity_ml": 1}, 0),
        ({**LPG, "cylinder.water_capacity_ml": 26_199}, 11_003),
    ],
)
def test_the_smaller_figure_counts_and_grams_are_rounded_down(
    facts: dict[str, Any], net_g: int | None
) -> None:
    assert fill_limits([cn_lpg()], facts) == Limits(net_g, deduct_residue=True)


def test_of_several_packs_the_stricter_counts() -> None:
    head = "parameters: {fill_g_per_l_lpg: {value: 400, unit: g/L, source: s, verified: false}}\n"
    strict = pack_of("!code.known", head=head)
    facts = {**LPG, "cylinder.water_capacity_ml": 10_000}
    assert fill_limits([cn_lpg(), strict], facts) == Limits(4_000, deduct_residue=True)
    assert fill_limits([strict], facts) == Limits(4_000, deduct_residue=False)
    assert fill_limits([], facts) == Limits(None, deduct_residue=False)
