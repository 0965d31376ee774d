"""A PLC that lost its memory, or lies about its weight: what is recorded and what closes the gate.

A totaliser is never reset (contract §4), but a power cut may prove otherwise.
"""

from dataclasses import replace

import pytest

from gatewayd.rigs.model import Phase, Withdrawal
from gatewayd.rigs.moves import Lock, Resolve
from tests.rigs.test_machine import filling
from tests.rigs.world import ILLEGAL, LIMIT_G, RIG, TARE_G, World


def _forget(world: World) -> int:
    """A power cut without retentive memory; the gas stays in the cylinder, grams returned."""
    flowed_g = world.plc.net_g
    world.plc.power_cycle()
    world.plc.total_g = world.plc.fills = 0
    world.plc.net_g = flowed_g
    return flowed_g


def _mismatch_g(world: World) -> int:
    (resolve,) = [effect for effect in world.log if isinstance(effect, Resolve)]
    return resolve.ending.mismatch_g


def test_the_first_fill_of_a_plc_that_forgot_it_is_booked_by_the_scale() -> None:
    world = filling()
    world.tick(1_000)
    flowed_g = _forget(world)
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "interrupted", flowed_g)]
    assert _mismatch_g(world) == -flowed_g


def test_after_a_crash_of_both_the_scale_is_the_last_witness() -> None:
    world = filling()
    world.plc.total_g += 9_000
    world.pending = replace(world.pending, total_before_g=9_000) if world.pending else None
    world.tick(1_000)
    flowed_g = _forget(world)
    world.crash()
    world.until(Phase.SETTLING)
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "interrupted", flowed_g)]


def test_the_weight_of_another_cylinder_is_no_witness() -> None:
    world = filling()
    world.tick(1_000)
    seen_g = world.state.seen_net_g
    _forget(world)
    world.identity = ILLEGAL
    world.presence = world.arrivals = world.arrivals + 1
    world.until(Phase.REFUSED)
    assert world.records[0] == ("fill", "interrupted", seen_g)
    assert seen_g > 0


@pytest.mark.parametrize("beyond_g", [0, 1])
def test_the_totaliser_closes_a_fill_whose_scale_stands_still(beyond_g: int) -> None:
    world = filling()
    allowed_g = LIMIT_G - TARE_G + RIG.tolerance_g
    world.plc.target_g = 10**6
    world.plc.net_g, world.plc.total_g = 10, allowed_g - 200 + beyond_g
    world.tick()
    closed = world.state.withdrawn is Withdrawal.OVER_LIMIT
    assert closed == bool(beyond_g)
    assert isinstance(world.log[-1], Lock) == closed
