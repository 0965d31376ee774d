"""The gate program where no meter is fitted: what the scale cannot tell is no gas."""

from dataclasses import replace

import pytest

from gatewayd.sim.gate_map import End, Status
from tests.sim.gate_bench import PROGRAMS, make_bench


@pytest.mark.parametrize("moved_g", [-600, -9_000])
@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_cylinder_lifted_as_soon_as_it_starts_took_nothing(name: str, moved_g: int) -> None:
    """Its net weight falls below zero, which is no mass of gas."""
    bench = make_bench(name, meter=False)
    bench.put_on()
    before_g = bench.mass(108)
    bench.permit(7)
    bench.wiring = replace(bench.wiring, start_button=True)
    bench.run_until(lambda: Status.FILLING in bench.status)
    bench.plant.jump_g = moved_g
    bench.scan()
    assert bench.register(111) == End.CYLINDER_LEFT
    bench.run(500)
    assert (bench.register(114), bench.mass(112)) == (7, bench.mass(108) - before_g)
    assert 0 <= bench.mass(112) < 20
