"""Contract §4, sentence by sentence, for the simulated program and for the shipped ST alike."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gatewayd.sim.gate_map import End, Status
from gatewayd.sim.plant import Load
from tests.sim.gate_bench import PROGRAMS, SETTINGS, Bench, filling, make_bench

LEASE_MS = 600


@pytest.fixture(params=sorted(PROGRAMS))
def bench(request: pytest.FixtureRequest) -> Bench:
    bench = make_bench(request.param)
    bench.put_on()
    return bench


def test_power_up_is_locked_and_start_alone_opens_nothing(bench: Bench) -> None:
    bench.start()
    assert bench.register(101) == 0
    assert bench.open_ms == 0
    assert bench.register(110) == 0


def test_a_permit_waits_for_the_operator_and_may_not_be_taken_up(bench: Bench) -> None:
    bench.permit(7)
    bench.run(3000)
    assert bench.register(101) == 7
    assert Status.PERMITTED in bench.status
    assert bench.open_ms == 0


def _no_number(bench: Bench) -> None:
    bench.command[0] = 0


def _no_lease_time(bench: Bench) -> None:
    bench.command[6] = 0


def _silent_lease(bench: Bench) -> None:
    bench.renewing = False
    bench.run(LEASE_MS)


def _no_cylinder(bench: Bench) -> None:
    bench.plant.take_off()
    bench.run(300)


def _e_stop(bench: Bench) -> None:
    bench.wiring = replace(bench.wiring, e_stop_ok=False)


def _broken_scale(bench: Bench) -> None:
    bench.wiring = replace(bench.wiring, scale_ok=False)


BREAKS = (_no_number, _no_lease_time, _silent_lease, _no_cylinder, _e_stop, _broken_scale)


@pytest.mark.parametrize("break_it", BREAKS)
def test_the_echo_falls_with_anything_that_permits_and_the_number_is_dead(
    bench: Bench, break_it: Callable[[Bench], None]
) -> None:
    bench.permit(7)
    before = replace(bench.wiring)
    break_it(bench)
    bench.run(30)
    assert bench.register(101) == 0
    assert Status.PERMITTED not in bench.status

    bench.wiring = before
    if bench.plant.load is None:
        bench.put_on()
    bench.permit(7)
    bench.start()
    assert bench.register(101) == 0
    assert bench.open_ms == 0
    bench.permit(8)
    assert bench.register(101) == 8


def test_a_permit_that_finds_nobody_is_not_for_who_comes_next(bench: Bench) -> None:
    """A gateway that was slow, or died with this write: its cylinder has been changed meanwhile."""
    load = bench.plant.take_off()
    bench.run(1_000)
    bench.permit(7)
    bench.run(200)
    assert load is not None
    bench.plant.put_on(load)
    bench.run(3_000)
    bench.start()
    bench.run(200)
    assert bench.register(101) == 0
    assert bench.open_ms == 0
    bench.permit(8)
    assert bench.register(101) == 8


@pytest.mark.parametrize(
    ("target_g", "limit_g"), [(0, 60_000), (5000, 0), (2_000_001, 60_000), (5000, 4_000_000_000)]
)
def test_an_order_no_scale_can_fill_is_not_permitted(
    bench: Bench, target_g: int, limit_g: int
) -> None:
    bench.permit(7, target_g=target_g, limit_g=limit_g)
    assert bench.register(101) == 0


def test_a_lease_that_never_moved_since_power_up_permits_nothing(bench: Bench) -> None:
    bench.command = [7, 0, 0, 5000, 0, 60_000, LEASE_MS]
    bench.run(100)
    assert bench.register(101) == 0


def test_a_stuck_start_button_starts_nothing(bench: Bench) -> None:
    bench.wiring = replace(bench.wiring, start_button=True)
    bench.run(100)
    bench.permit(7)
    bench.run(500)
    assert bench.open_ms == 0


def test_a_start_waits_for_a_stable_weight(bench: Bench) -> None:
    bench.permit(7)
    bench.plant.jump_g = 500
    bench.start()
    assert bench.open_ms == 0


def test_target_closes_and_the_tail_is_final_when_stable(bench: Bench) -> None:
    filling(bench)
    bench.run_until(lambda: not bench.out.valve_main)
    assert Status.DONE in bench.status
    assert Status.STABLE not in bench.status
    assert bench.register(111) == End.TARGET
    assert bench.register(101) == 0
    early_g = bench.mass(104)
    bench.settle()
    net_g = bench.mass(104)
    assert net_g > early_g, "gas in flight arrived after the valve closed"
    assert 4900 < net_g <= 5000
    assert bench.mass(112) == net_g
    assert bench.register(114) == 7
    bench.plant.take_off()
    bench.run(2000)
    assert bench.mass(104) == net_g
    assert bench.mass(112) == net_g


def test_coarse_flow_gives_way_to_fine_before_the_target(bench: Bench) -> None:
    filling(bench)
    assert Status.FINE_FLOW not in bench.status
    bench.run_until(lambda: Status.FINE_FLOW in bench.status)
    assert 5000 - bench.mass(104) > 300
    assert not bench.out.valve_coarse
    assert bench.out.valve_main


def test_a_silent_lease_closes_within_lease_ms(bench: Bench) -> None:
    filling(bench)
    bench.renewing = False
    bench.renew()
    bench.scan()
    moved_at_ms = bench.at_ms - 10
    bench.run_until(lambda: not bench.out.valve_main)
    assert LEASE_MS - 100 <= bench.closed_at_ms - moved_at_ms <= LEASE_MS
    assert bench.register(111) == End.LEASE_LOST
    assert bench.status & (Status.ABORTED | Status.LEASE_LOST) == Status.ABORTED | Status.LEASE_LOST


def _withdraw(bench: Bench) -> None:
    bench.command[0] = 0


def _change(bench: Bench) -> None:
    bench.command[0] = 9


def _stop(bench: Bench) -> None:
    bench.wiring = replace(bench.wiring, stop_ok=False)


ENDS: tuple[tuple[Callable[[Bench], None], End], ...] = (
    (_withdraw, End.PERMIT_WITHDRAWN),
    (_change, End.PERMIT_WITHDRAWN),
    (_stop, End.OPERATOR_STOP),
    (_e_stop, End.E_STOP),
    (_broken_scale, End.SCALE_FAULT),
)


@pytest.mark.parametrize(("end_it", "reason"), ENDS)
def test_every_way_to_end_closes_in_the_next_scan_and_says_why(
    bench: Bench, end_it: Callable[[Bench], None], reason: End
) -> None:
    filling(bench)
    end_it(bench)
    bench.scan()
    assert not bench.out.valve_main
    assert bench.register(111) == reason
    assert Status.ABORTED in bench.status
    assert Status.DONE not in bench.status
    bench.wiring = replace(bench.wiring, stop_ok=True, e_stop_ok=True, scale_ok=True)
    bench.settle()
    assert abs(bench.mass(112) - bench.plant.delivered_g["A"]) < 20
    assert bench.register(114) == 7


def test_the_limit_trips_whatever_the_target_says(bench: Bench) -> None:
    filling(bench, target_g=9000, limit_g=18_500)
    bench.run_until(lambda: not bench.out.valve_main)
    assert bench.register(111) == End.OVER_LIMIT
    assert Status.OVER_LIMIT in bench.status


def test_a_later_write_cannot_raise_target_or_limit(bench: Bench) -> None:
    filling(bench, target_g=3000, limit_g=60_000)
    bench.command[2:6] = [1, 0, 1, 0]
    bench.settle()
    assert bench.mass(104) <= 3000


def test_a_cylinder_that_leaves_ends_the_fill_with_what_flowed(bench: Bench) -> None:
    filling(bench)
    bench.plant.take_off()
    bench.run_until(lambda: not bench.out.valve_main, 500)
    assert bench.register(111) == End.CYLINDER_LEFT
    bench.settle()
    assert abs(bench.mass(112) - bench.plant.passed_g) <= 1


def test_a_weight_that_falls_while_filling_closes(bench: Bench) -> None:
    """A hand under the cylinder must not fool the scale into overfilling."""
    filling(bench)
    bench.plant.jump_g = -900
    bench.scan()
    assert not bench.out.valve_main
    assert bench.register(111) == End.CYLINDER_LEFT
    bench.settle()
    assert abs(bench.mass(112) - bench.plant.passed_g) <= 1


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_fill_that_takes_too_long_is_stopped(name: str) -> None:
    bench = make_bench(name, settings=replace(SETTINGS, fill_ms_max=300))
    bench.put_on()
    filling(bench)
    bench.run(300)
    assert bench.register(111) == End.TIMEOUT


def test_nothing_starts_while_the_stop_button_is_pressed(bench: Bench) -> None:
    bench.permit(7)
    bench.wiring = replace(bench.wiring, stop_ok=False)
    bench.start()
    assert bench.open_ms == 0


@pytest.mark.parametrize("moved_g", [-3000, None])
def test_a_cylinder_touched_while_it_settles_keeps_what_flowed(
    bench: Bench, moved_g: int | None
) -> None:
    """Lifted (the weight falls), or swapped for another one: the scale no longer tells."""
    filling(bench)
    bench.run_until(lambda: not bench.out.valve_main)
    if moved_g is None:
        bench.plant.take_off()
        bench.run_until(lambda: Status.CYLINDER_ON not in bench.status)
        bench.plant.put_on(Load("B", 20_000))
    else:
        bench.plant.jump_g = moved_g
    bench.run(500)
    assert abs(bench.mass(112) - bench.plant.passed_g) <= 1


def test_a_finished_number_never_opens_again_and_the_next_one_does(bench: Bench) -> None:
    filling(bench)
    bench.settle()
    bench.command[0] = 0
    bench.run(50)
    opened_ms = bench.open_ms
    bench.permit(7)
    bench.start()
    assert bench.register(101) == 0
    assert bench.open_ms == opened_ms
    filling(bench, 8)


def test_a_finished_number_stays_finished_when_a_later_one_broke(bench: Bench) -> None:
    filling(bench)
    bench.settle()
    bench.permit(8)
    bench.command[0] = 0
    bench.run(30)
    opened_ms = bench.open_ms
    for number in (7, 8):
        bench.permit(number)
        bench.start()
        assert bench.register(101) == 0
    assert bench.open_ms == opened_ms


def test_registers_that_survived_a_power_loss_permit_nothing(bench: Bench) -> None:
    bench.power_cycle()
    bench.command = [9, 55, 0, 5000, 0, 60_000, 60_000]
    bench.start()
    bench.run(500)
    assert bench.register(101) == 0
    assert bench.open_ms == 0


def test_a_finished_number_stays_finished_over_power_loss(bench: Bench) -> None:
    filling(bench)
    bench.settle()
    total_g = bench.mass(108)
    bench.power_cycle()
    bench.run(300)
    assert (bench.register(114), bench.mass(108), bench.register(110)) == (7, total_g, 1)
    opened_ms = bench.open_ms
    bench.permit(7)
    bench.start()
    assert bench.open_ms == opened_ms


def test_power_loss_during_a_fill_ends_it_with_every_gram(bench: Bench) -> None:
    filling(bench)
    bench.power_cycle()
    bench.scan()
    assert not bench.out.valve_main
    assert bench.register(111) == End.LEASE_LOST
    bench.settle()
    assert bench.register(114) == 7
    assert abs(bench.mass(112) - bench.plant.delivered_g["A"]) < 20
    assert abs(bench.mass(108) - bench.plant.passed_g) < 2


def test_a_permit_in_force_does_not_survive_power_loss(bench: Bench) -> None:
    bench.permit(7)
    bench.power_cycle()
    bench.run(300)
    bench.permit(7)
    assert bench.register(101) == 0


def test_flow_without_a_permit_is_counted_and_seen(bench: Bench) -> None:
    bench.plant.stuck_open = True
    bench.run(500)
    assert Status.VALVE_OPEN in bench.status
    assert Status.FILLING not in bench.status
    assert bench.mass(108) > 100
    assert bench.register(110) == 0


def test_the_heartbeat_moves_every_scan_and_wraps(bench: Bench) -> None:
    seen = set()
    for _ in range(66_000):
        bench.scan(0)
        seen.add(bench.register(115))
        if len(seen) > 300:
            break
    assert len(seen) > 300
