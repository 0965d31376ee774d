"""What becomes of a weighing: exact grams, or unknown with device and raw value; never zero."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Context, DriverError, Reading, Trouble, WeightSample
from drivers.links import TcpLink
from drivers.scale.weights import CHANGED_S_MAX, UNITS, ScaleSettings, Weights
from protocols.masses import Unit
from protocols.scales.weighing import Weighing

SECOND_NS = 1_000_000_000


@dataclass
class Desk:
    """A clock that is moved, and what was said."""

    now_ns: int = 0
    readings: list[Reading] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def weights(self, unit: Unit | None = "kg", **settings: Any) -> Weights:
        context = Context(
            self.readings.append,
            up=lambda _: None,
            noise=lambda _reason, _raw: None,
            monotonic_ns=lambda: self.now_ns,
            trouble=self.troubles.append,
        )
        told = ScaleSettings(link=TcpLink(tcp="127.0.0.1:1"), **settings)
        return Weights(context, "scale-1", told, unit or "")

    @property
    def last(self) -> WeightSample:
        found = self.readings[-1]
        assert isinstance(found, WeightSample)
        return found


def shown(text: str, **more: Any) -> Weighing:
    return Weighing(Decimal(text), **more)


@given(st.integers(-150_000, 150_000))
def test_grams_of_a_display_are_exact(weight_g: int) -> None:
    for unit, places in (("kg", 3), ("g", 0), ("t", 6)):
        desk = Desk()
        desk.weights(UNITS[unit]).take([Weighing(Decimal(weight_g).scaleb(-places))])
        assert desk.last.gross_g == weight_g


def test_what_is_finer_than_a_gram_is_rounded_half_to_even() -> None:
    found = []
    for text in ("0.0005", "0.0015", "-0.0005", "14.5006"):
        desk = Desk()
        desk.weights().take([shown(text)])
        found.append(desk.last.gross_g)
    assert found == [0, 2, 0, 14_501]


@pytest.mark.parametrize(
    ("weighing", "unit", "why"),
    [
        (Weighing(None, why="overload, sent as OL"), "kg", "scale-1: overload, sent as OL"),
        (shown("14.50", unit="oz"), None, "scale-1: shows 14.50 oz: a unit"),
        (shown("14.50", unit="kg", mode="net"), None, "shows 14.50 kg net and does not tell"),
        (shown("150001"), "g", "shows 150001 g, beyond capacity_g: 150000"),
        (shown("-151.0"), "kg", "shows -151.0 kg, beyond capacity_g"),
        (shown("999999"), "t", "shows 999999 t: beyond 100000000 g"),
    ],
)
def test_doubt_is_unknown_with_device_and_raw_value(
    weighing: Weighing, unit: Unit | None, why: str
) -> None:
    desk = Desk()
    desk.weights(unit).take([weighing])
    assert (desk.last.gross_g, desk.last.net_g, desk.last.stable) == (None, None, False)
    assert why in desk.last.why
    assert desk.last.why.startswith("scale-1: ")


def test_net_with_its_tare_is_gross_and_net() -> None:
    desk = Desk()
    desk.weights(None).take([shown("1.50", mode="net", unit="kg", tare=Decimal("15.00"))])
    assert (desk.last.gross_g, desk.last.net_g) == (16_500, 1_500)
    desk.weights(None).take([shown("1.50", mode="gross", unit="kg", stable=True)])
    assert (desk.last.gross_g, desk.last.net_g, desk.last.stable) == (1_500, None, True)


def test_of_many_weighings_the_newest_is_passed_on_alone() -> None:
    desk = Desk()
    desk.weights().take([shown(f"{n}.00") for n in range(100)])
    assert [desk.last.gross_g, len(desk.readings)] == [99_000, 1]
    desk.weights().take([])
    assert len(desk.readings) == 1


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (shown("14.500", unit="kg"), "decimals changed while running, 2 to 3, now shows 14.500 kg"),
        (shown("1450.00", unit="g"), "unit changed while running, kg to g, now shows 1450.00 g"),
    ],
)
def test_a_display_that_changes_is_unknown_and_taken_up_anew_when_it_stays(
    other: Weighing, what: str
) -> None:
    desk = Desk()
    weights = desk.weights(None)
    weights.take([shown("14.50", unit="kg")])
    weights.take([other])
    assert desk.last.why == f"scale-1: {what}"
    weights.take([shown("14.60", unit="kg")])
    assert desk.last.gross_g == 14_600
    weights.take([other])
    desk.now_ns = int(CHANGED_S_MAX * SECOND_NS)
    weights.take([other])
    assert desk.last.why
    desk.now_ns += 1
    with pytest.raises(DriverError, match="changed while running") as caught:
        weights.take([other])
    assert caught.value.trouble is not None
    assert caught.value.trouble.kind == "display_changed"


def test_stability_is_computed_where_no_frame_tells_it() -> None:
    desk = Desk()
    weights = desk.weights(stable_s=1.0, stable_within_g=20)
    for tenth in range(11):
        desk.now_ns = tenth * SECOND_NS // 10
        weights.take([shown("14.50" if tenth % 2 else "14.52")])
        assert desk.last.stable == (tenth == 10)
    weights.take([shown("14.53")])
    assert not desk.last.stable
    weights.take([Weighing(None, why="overload")])
    weights.take([shown("14.52")])
    assert not desk.last.stable, "what was unknown starts the window anew"


def test_a_motion_bit_the_wrong_way_round_is_unknown_and_told() -> None:
    desk = Desk()
    weights = desk.weights(None)
    for step in range(7):
        desk.now_ns = step * SECOND_NS // 10
        weights.take([shown(f"{step}.00", unit="kg", stable=True)])
    assert desk.last.gross_g is None
    assert "motion inverted" in desk.last.why
    assert [trouble.kind for trouble in desk.troubles][-1] == "motion_inverted"
