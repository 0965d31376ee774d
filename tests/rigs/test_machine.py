"""The state machine of contract §5: the plain stories, one promise each."""

from dataclasses import replace

import pytest

from drivers.readings import Unread
from gatewayd.clock import MS
from gatewayd.rigs.machine import step
from gatewayd.rigs.model import Identity, Phase, Withdrawal
from gatewayd.rigs.moves import Alarm, Baseline, Lock, Open, RefuseFor, Renew, Renewed, Unauthorised
from tests.rigs.world import ILLEGAL, LEGAL, RIG, TARGET_G, World


def permitted() -> World:
    world = World()
    world.tick()
    world.put_on()
    world.until(Phase.PERMITTED)
    return world


def filling() -> World:
    world = permitted()
    world.press_start()
    world.until(Phase.FILLING)
    return world


def test_power_up_locks_the_gate_before_anything_else() -> None:
    world = World()
    world.plc.permit = 77
    world.put_on()
    world.tick()
    assert world.log == [Lock()]
    assert world.plc.permit == 0


def test_a_legal_cylinder_fills_once_and_is_recorded_once() -> None:
    world = filling()
    world.until(Phase.LOCKED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "completed")]
    assert abs(world.records[0][2] - TARGET_G) <= 40
    assert world.plc.permit == 0
    world.tick(60_000)
    assert len(world.records) == 1, "a cylinder that stays on is not judged again"


def test_the_order_reaches_the_gate_only_after_commit_one() -> None:
    world = World()
    world.store_ok = False
    world.tick()
    world.put_on()
    for _ in range(20):
        world.tick()
    assert not any(isinstance(e, Open) for e in world.log)
    assert RefuseFor("STORE_UNAVAILABLE", LEGAL) in world.log


def test_an_illegal_cylinder_is_refused_once_until_it_leaves() -> None:
    world = World()
    world.tick()
    world.put_on(ILLEGAL)
    for _ in range(50):
        world.tick()
    assert world.state.phase is Phase.REFUSED
    assert world.records == [("refusal", "", 0)]
    world.take_off()
    world.until(Phase.LOCKED, within_ms=200)


def test_nobody_identified_in_time_is_refused() -> None:
    world = World()
    world.tick()
    world.put_on(Identity())
    world.until(Phase.IDENTIFYING)
    world.until(Phase.REFUSED)
    assert any(isinstance(e, RefuseFor) and e.code == "NO_TAG" for e in world.log)


def test_what_was_there_and_could_not_be_read_is_refused_as_that() -> None:
    world = World()
    world.tick()
    world.put_on(Identity(unread=Unread("gun-1", 0, "bad CRC", b"\x05")))
    world.until(Phase.REFUSED)
    assert [e.code for e in world.log if isinstance(e, RefuseFor)] == ["UNREADABLE"]


def test_a_permit_not_taken_up_expires_as_not_started() -> None:
    world = permitted()
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "not_started", 0)]
    assert world.plc.permit == 0


def test_the_cylinder_leaving_voids_an_unused_permit() -> None:
    world = permitted()
    world.take_off()
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "not_started", 0)]


def test_a_second_tag_during_a_fill_locks() -> None:
    world = filling()
    world.second_tag()
    world.tick()
    assert not world.plc.in_force(world.now_ms)
    world.until(Phase.REFUSED)
    assert world.records[0][1] == "aborted"


def test_a_second_tag_before_gas_flows_refuses_as_ambiguous() -> None:
    world = permitted()
    world.second_tag()
    world.until(Phase.REFUSED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "not_started"), ("refusal", "")]


@pytest.mark.parametrize("stall_ms", [2_500, 10_000])
def test_a_stall_longer_than_the_lease_ends_the_permit(stall_ms: int) -> None:
    world = permitted()
    renewals = sum(isinstance(e, Renew) for e in world.log)
    world.tick(stall_ms)
    assert sum(isinstance(e, Renew) for e in world.log) == renewals
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "not_started", 0)]


def test_a_stall_during_a_fill_is_recorded_as_interrupted() -> None:
    world = filling()
    world.tick(4_000)
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["interrupted"]
    assert world.records[0][2] == world.plc.total_g


def test_a_gate_lost_during_a_fill_is_settled_when_it_returns() -> None:
    world = filling()
    world.unplug()
    world.tick(3_000)
    assert world.state.phase is Phase.FAULT
    world.plug()
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["interrupted"]
    assert world.records[0][2] == world.plc.total_g


def test_a_crash_during_a_fill_ends_in_one_interrupted_record() -> None:
    world = filling()
    world.crash()
    world.until(Phase.SETTLING)
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["interrupted"]
    assert world.records[0][2] == world.plc.total_g


def test_a_fill_that_ended_while_we_were_dead_is_recorded_as_it_was() -> None:
    world = filling()
    for _ in range(1_500):
        world.now_ms += 10
        world.plc.lease_moved_ms = world.now_ms
        world.plc.scan(world.now_ms, 10)
    world.crash()
    world.until(Phase.SETTLING)
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["completed"]


def test_a_crash_before_the_start_ends_as_not_started_and_is_judged_anew() -> None:
    world = permitted()
    world.crash()
    world.until(Phase.PERMITTED)
    assert world.records == [("fill", "not_started", 0)]
    assert world.next_no == 2


def test_a_device_lost_during_a_fill_closes_the_gate_and_faults() -> None:
    world = filling()
    world.ill = "gun-1"
    world.tick()
    assert world.plc.permit == 0
    for _ in range(30):
        world.tick()
    assert world.state.phase is Phase.FAULT
    assert [o for _, o, _ in world.records] == ["aborted"]


def test_a_store_that_fails_at_commit_two_is_tried_again_and_records_once() -> None:
    world = filling()
    world.store_ok = False
    world.until(Phase.SETTLING)
    for _ in range(50):
        world.tick()
    assert world.pending is not None
    world.store_ok = True
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["completed"]


def test_flow_without_a_permit_is_recorded_and_alarmed() -> None:
    world = World()
    world.tick()
    world.tick()
    world.plc.valve = True
    world.look()
    assert any(isinstance(e, Alarm) for e in world.log)
    world.plc.valve, world.plc.closed_ms = False, world.now_ms
    world.plc.total_g += 500
    for _ in range(20):
        world.tick()
    strays = [e for e in world.log if isinstance(e, Unauthorised)]
    assert [e.net_g for e in strays] == [world.plc.total_g]


def test_a_wrong_echo_is_not_permitted() -> None:
    world = World()
    world.tick()
    world.put_on()
    world.tick()
    world.tick()
    world.plc.permit = 4_711
    for _ in range(20):
        world.tick()
    assert world.records[0] == ("fill", "not_started", 0)


def test_stopping_closes_the_gate_and_records_the_fill() -> None:
    world = filling()
    world.stopping = True
    world.tick()
    assert world.plc.permit == 0
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["aborted"]


def test_a_renewal_that_ended_after_the_lease_closes_the_gate() -> None:
    world = permitted()
    late_ns = world.state.renewed_ns + 2_001 * MS
    state, effects = step(world.state, Renewed(late_ns - MS, late_ns), RIG)
    assert (state.withdrawn, state.phase) == (Withdrawal.STALLED, Phase.SETTLING)
    assert effects == (Lock(),)


def test_a_look_later_than_the_lease_closes_even_if_the_echo_still_stands() -> None:
    world = permitted()
    view = world.view()
    late = replace(view, now_ns=world.state.renewed_ns + 2_001 * MS)
    state, effects = step(world.state, late, RIG)
    assert state.withdrawn is Withdrawal.STALLED
    assert effects == (Lock(),)


def test_another_cylinder_between_two_looks_closes() -> None:
    world = permitted()
    swapped = replace(world.view(), presence=world.presence + 1)
    state, effects = step(world.state, swapped, RIG)
    assert state.withdrawn is Withdrawal.CYLINDER_LEFT
    assert effects == (Lock(),)


def test_a_plc_that_forgot_the_fill_is_booked_by_its_totaliser() -> None:
    world = filling()
    world.tick(1_000)
    world.plc.power_cycle()
    world.tick()
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "interrupted", world.plc.total_g)]


def test_the_record_waits_for_a_plc_that_names_the_fill_late() -> None:
    world = filling()
    world.plc.names_after_ms = 1_500
    world.until(Phase.LOCKED)
    assert [o for _, o, _ in world.records] == ["completed"]


def test_the_first_totaliser_counts_from_the_first_look_also_when_the_gate_is_open() -> None:
    world = World()
    world.tick()
    view = world.view()
    assert view.sample is not None
    leaking = replace(view.sample, valve_open=True, total_g=100)
    state, effects = step(world.state, replace(view, sample=leaking), RIG)
    assert state.total_g == 100
    assert Baseline(100) in effects
