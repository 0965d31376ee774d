"""What a soft gate makes of a weight that cannot be that of the cylinder it was permitted for."""

import pytest

from drivers.contract import EndReason, GateOrder, OutputSample, WeightSample
from gatewayd.clock import MS
from gatewayd.rigs.soft_model import (
    HUNG_ON_G_MAX,
    LEFT_BELOW_G,
    UNSEEN_G_MAX,
    Memory,
    SoftSettings,
    of_output,
)
from gatewayd.rigs.softgate import SoftGate

TARE_G = 17_000
ORDER = GateOrder(permit_no=7, target_g=14_000, limit_gross_g=TARE_G + 15_000, lease_ms=60_000)


class Bench:
    """A scale and a module that speak every 100 ms."""

    def __init__(self, *, accepted: bool = False) -> None:
        settings = SoftSettings(
            "io-1", "input", fresh_ms=1_000, cylinder_on_g=2_000, accepted=accepted
        )
        self.gate = SoftGate(settings, Memory())
        self.now_ms = 1_000
        self.speak(TARE_G)

    def speak(self, gross_g: int, *, on: bool = False, start: bool = False) -> None:
        self.now_ms += 100
        at_ns = self.now_ms * MS
        self.gate.weigh(WeightSample("scale-1", at_ns, gross_g, None, stable=True))
        self.gate.hear(of_output(OutputSample("io-1", at_ns, on=on, guarded=True, start=start)))
        self.gate.look(at_ns)

    def permitted(self) -> None:
        assert self.gate.order(ORDER, self.now_ms * MS) == ""

    def filling(self) -> None:
        self.permitted()
        self.speak(TARE_G, start=True)
        self.speak(TARE_G, on=True)
        assert self.gate.wants_open == ORDER


@pytest.mark.parametrize("more_g", [-LEFT_BELOW_G, HUNG_ON_G_MAX])
def test_a_gun_that_is_hung_on_keeps_no_cylinder_from_its_start(more_g: int) -> None:
    bench = Bench()
    bench.permitted()
    bench.speak(TARE_G + more_g, start=True)
    assert bench.gate.wants_open == ORDER


@pytest.mark.parametrize("more_g", [-LEFT_BELOW_G - 1, HUNG_ON_G_MAX + 1])
def test_a_start_is_for_the_cylinder_that_was_permitted(more_g: int) -> None:
    bench = Bench()
    bench.permitted()
    bench.speak(TARE_G + more_g, start=True)
    assert bench.gate.wants_open is None
    assert not bench.gate.holding
    assert "when it was permitted" in bench.gate.why


@pytest.mark.parametrize("accepted", [False, True])
def test_more_at_once_than_gas_can_be_is_another_cylinder(*, accepted: bool) -> None:
    bench = Bench(accepted=accepted)
    bench.filling()
    bench.speak(TARE_G + 2_000, on=True)
    bench.speak(TARE_G + 2_000 + UNSEEN_G_MAX, on=True)
    assert bench.gate.wants_open == ORDER
    total_g = bench.gate.memory.total_g
    for _ in range(12):
        bench.speak(TARE_G + 2_000 + 2 * UNSEEN_G_MAX + 1)
    sample = bench.gate.sample(bench.now_ms * MS)
    assert sample is not None
    assert sample.end_reason == EndReason.CYLINDER_LEFT
    assert (sample.last_permit, sample.last_net_g) == (7, 2_000 + UNSEEN_G_MAX)
    assert bench.gate.memory.total_g == total_g, "another cylinder is no gas"


def test_another_cylinder_that_came_while_the_scale_was_lost_is_no_gas() -> None:
    bench = Bench()
    bench.speak(TARE_G)
    bench.gate.lose_scale()
    bench.now_ms += 30_000
    for _ in range(30):
        bench.speak(TARE_G + 3_000)
    assert bench.gate.memory.total_g == 0


def test_news_that_comes_late_takes_nothing_back() -> None:
    bench = Bench()
    bench.filling()
    late_ns, now_ns = (bench.now_ms - 50) * MS, bench.now_ms * MS
    overload = WeightSample("scale-1", now_ns, None, None, stable=False, why="overload")
    bench.gate.weigh(overload)
    bench.gate.weigh(WeightSample("scale-1", late_ns, TARE_G, None, stable=True))
    bench.gate.look(now_ns)
    assert bench.gate.wants_open is None
    stop = OutputSample("io-1", now_ns, on=True, guarded=True, e_stop=True)
    bench.gate.hear(of_output(stop))
    bench.gate.hear(of_output(OutputSample("io-1", late_ns, on=False, guarded=True)))
    bench.gate.weigh(WeightSample("scale-1", now_ns, TARE_G, None, stable=True))
    sample = bench.gate.sample(now_ns)
    assert sample is not None
    assert sample.e_stop
    assert sample.valve_open
