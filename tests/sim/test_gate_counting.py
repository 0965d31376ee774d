"""What a gate counts: its totaliser, its nets, and the preact it learns; both programs where it matters."""

from dataclasses import replace

import pytest

from gatewayd.sim.gate_map import GateSettings
from tests.sim.gate_bench import PROGRAMS, SETTINGS, filling, make_bench


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_without_a_meter_the_scale_counts(name: str) -> None:
    bench = make_bench(name, meter=False)
    bench.put_on()
    filling(bench)
    bench.settle()
    assert abs(bench.mass(108) - bench.mass(112)) < 20


def test_counters_wrap_instead_of_stopping() -> None:
    bench = make_bench()
    gate = bench.program.gate  # type: ignore[attr-defined] # make_bench gives the Python program
    gate.retained.total_g = 0xFFFF_FFFF - 1000
    gate.retained.fills = 0xFFFF
    bench.put_on()
    filling(bench)
    bench.settle()
    assert bench.register(110) == 0
    total_g = bench.register(108) << 16 | bench.register(109)
    assert abs(total_g + 1001 - bench.mass(112)) < 20


def test_preact_learns_until_fills_land_where_they_should() -> None:
    settings = GateSettings(settle_ms=60, preact_first_g=250)
    bench = make_bench(settings=settings)
    nets = []
    for number in range(1, 11):
        bench.put_on()
        filling(bench, number, target_g=3000)
        bench.settle()
        nets.append(bench.mass(112))
        bench.plant.take_off()
        bench.run(300)
    assert nets[0] < 2800
    assert 2940 < nets[-1] <= 3000


def test_totaliser_and_nets_agree_within_20_g_a_fill() -> None:
    bench = make_bench(seed=5)
    nets = []
    for number in range(1, 21):
        bench.put_on(residue_g=number * 10, code=str(number))
        filling(bench, number, target_g=1500 + 150 * number)
        bench.settle()
        nets.append(bench.mass(112))
        assert abs(nets[-1] - bench.plant.delivered_g[str(number)]) < 20
        bench.plant.take_off()
        bench.run(300)
    assert abs(sum(nets) - bench.mass(108)) < 20 * len(nets)
    assert abs(bench.mass(108) - bench.plant.passed_g) < 2


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_learned_preact_stays_within_its_limit(name: str) -> None:
    settings = replace(SETTINGS, preact_first_g=900, coarse_before_g=2000)
    bench = make_bench(name, settings=settings)
    nets = []
    for number in (1, 2):
        bench.put_on()
        filling(bench, number, target_g=4000)
        bench.settle()
        nets.append(bench.mass(112))
        bench.plant.take_off()
        bench.run(300)
    assert nets[0] < 3150
    assert nets[1] > 3450, "at most 500 g of preact"
