"""A PLC that does not do as contract §4 says: the rig closes, tells people, and goes on."""

from dataclasses import replace

import pytest

from gatewayd.clock import MS
from gatewayd.rigs.machine import step
from gatewayd.rigs.model import STORE_ILL, Identity, Phase, Withdrawal
from gatewayd.rigs.moves import Alarm, Baseline, Effect, Lock, Open, Resolve, Unauthorised
from gatewayd.rigs.permitted import CLOSE_WITHIN_MS
from gatewayd.rigs.steps import RELOCK_MS
from gatewayd.rigs.vacant import STRAY_QUIET_MS
from tests.rigs.test_machine import filling, permitted
from tests.rigs.world import ILLEGAL, RIG, World


def looked(world: World, ms: int = 100, **sample: int | bool) -> tuple[Effect, ...]:
    """One look at a sample that lies."""
    world.now_ms += ms
    view = world.view()
    assert view.sample is not None
    lying = replace(view.sample, **sample)  # type: ignore[arg-type]
    world.state, effects = step(world.state, replace(view, sample=lying), RIG)
    return effects


def locked() -> World:
    world = World()
    for _ in range(4):
        world.tick()
    assert world.state.phase is Phase.LOCKED
    return world


def test_an_echo_that_stays_after_the_end_does_not_keep_the_record_back() -> None:
    world = filling()
    world.stopping = True
    world.tick()
    world.plc.valve = False
    echo = {"permit_echo": 1, "stable": True, "last_permit": 1, "last_net_g": 400, "end_reason": 3}
    effects: list[Effect] = []
    for _ in range(60):
        got = looked(world, **echo)
        effects += got
        if any(isinstance(effect, Resolve) for effect in got):
            break
    locks = [effect for effect in effects if isinstance(effect, Lock)]
    assert len(locks) >= CLOSE_WITHIN_MS // 200 - 2, "it was told to close again and again"
    (resolve,) = [effect for effect in effects if isinstance(effect, Resolve)]
    assert resolve.ending.net_g == 400
    assert world.state.withdrawn is Withdrawal.STOPPING


def test_a_valve_that_stays_open_is_an_alarm_once_and_no_record() -> None:
    world = filling()
    world.stopping = True
    world.tick()
    effects = [e for _ in range(100) for e in looked(world, valve_open=True)]
    alarms = [effect for effect in effects if isinstance(effect, Alarm)]
    assert [alarm.code for alarm in alarms] == ["gate_not_closed"]
    assert not any(isinstance(effect, Resolve) for effect in effects)
    assert (world.state.phase, world.state.fault) == (Phase.FAULT, "gate_not_closed")


def test_an_echo_that_does_not_match_is_a_fault_until_it_is_settled() -> None:
    world = permitted()
    world.plc.permit = 4_711
    world.tick()
    assert world.state.withdrawn is Withdrawal.NO_ECHO
    assert (world.state.phase, world.state.fault) == (Phase.FAULT, "no_echo")
    world.until(Phase.LOCKED)


@pytest.mark.parametrize("shows", ["permit_echo", "valve_open", "filling"])
def test_a_gate_that_somebody_else_opened_is_locked_again_and_again_and_told_once(
    shows: str,
) -> None:
    world = locked()
    effects = [e for _ in range(20) for e in looked(world, ms=RELOCK_MS, **{shows: True})]
    assert effects.count(Lock()) == 20
    assert [e.code for e in effects if isinstance(e, Alarm)] == ["open_without_permit"]
    assert (world.state.phase, world.state.fault) == (Phase.FAULT, "open_without_permit")
    assert not any(isinstance(effect, Open) for effect in effects)


def test_a_plc_that_names_our_number_by_chance_opens_nothing() -> None:
    world = locked()
    world.put_on()
    world.plc.last_permit = 1
    for _ in range(20):
        world.tick()
    assert not any(isinstance(effect, Open) for effect in world.log)
    assert world.plc.permit == 0


def test_a_stray_flow_is_booked_when_it_ended_and_once() -> None:
    world = locked()
    effects: list[Effect] = []
    for n in range(1, 11):
        effects += looked(world, total_g=n * 30)
    assert not any(isinstance(effect, Unauthorised) for effect in effects)
    assert world.state.fault == "stray_flow"
    for _ in range(2 * STRAY_QUIET_MS // 100):
        effects += looked(world, total_g=300)
    (stray,) = [effect for effect in effects if isinstance(effect, Unauthorised)]
    assert (stray.net_g, stray.total_before_g) == (300, 0)


def test_a_stray_flow_that_never_ends_is_booked_in_parts() -> None:
    world = locked()
    effects: list[Effect] = []
    for n in range(1, 401):
        effects += looked(world, total_g=n * 30)
    strays = [effect for effect in effects if isinstance(effect, Unauthorised)]
    assert len(strays) == 2
    assert strays[1].total_before_g == strays[0].net_g


def test_a_stray_flow_waits_for_a_store_that_can_commit() -> None:
    world = locked()
    world.ill = STORE_ILL
    effects = [e for _ in range(300) for e in looked(world, total_g=500)]
    assert not any(isinstance(effect, Unauthorised) for effect in effects)
    world.ill = ""
    (stray,) = looked(world, total_g=500)
    assert isinstance(stray, Unauthorised)


def test_the_stray_flow_names_who_stood_there() -> None:
    world = permitted()
    world.until(Phase.LOCKED)
    who = world.identity
    looked(world, total_g=500)
    world.take_off()
    effects = [e for _ in range(20) for e in looked(world, total_g=500)]
    (stray,) = [effect for effect in effects if isinstance(effect, Unauthorised)]
    assert stray.identity == who


@pytest.mark.parametrize(("back_g", "told"), [(1, False), (20, False), (21, True), (999, True)])
def test_a_totaliser_that_jitters_is_no_alarm_and_one_that_went_back_is(
    back_g: int, *, told: bool
) -> None:
    world = locked()
    world.state = replace(world.state, total_g=1_000)
    effects = [e for _ in range(20) for e in looked(world, total_g=1_000 - back_g)]
    assert [isinstance(e, Baseline) for e in effects] == ([True] if told else [])


def test_what_settles_waits_from_the_return_of_the_gate_not_from_its_loss() -> None:
    world = filling()
    world.plc.names_after_ms = 62_000
    world.unplug()
    world.tick()
    world.tick(60_000)
    world.plug()
    world.tick()
    back_ms = world.now_ms
    world.until(Phase.LOCKED)
    assert world.now_ms - back_ms >= 3_000, "the PLC was given the time to name the fill"
    assert [outcome for _, outcome, _ in world.records] == ["interrupted"]


def test_a_store_that_fails_during_a_fill_is_named_as_the_reason() -> None:
    world = filling()
    world.ill = STORE_ILL
    world.tick()
    assert world.state.withdrawn is Withdrawal.STORE_LOST
    assert world.plc.permit == 0


def test_a_link_that_flaps_every_second_leaves_one_record_a_permit() -> None:
    world = permitted()
    for _ in range(20):
        world.unplug()
        world.tick(500)
        world.plug()
        world.tick(500)
    world.take_off()
    for _ in range(400):
        world.tick()
    assert world.pending is None
    assert len(world.commits_permits) == world.next_no
    assert {outcome for _, outcome, _ in world.records} == {"not_started"}
    assert world.plc.total_g == 0
    assert world.state.renewed_ns < world.now_ms * MS


@pytest.mark.parametrize("who", [ILLEGAL, Identity()], ids=["overdue", "no tag"])
def test_a_refused_cylinder_is_not_recorded_again_when_the_link_flaps(who: Identity) -> None:
    world = locked()
    world.put_on(who)
    world.until(Phase.REFUSED)
    for _ in range(5):
        world.unplug()
        world.tick(500)
        world.plug()
        world.until(Phase.REFUSED)
    assert world.records == [("refusal", "", 0)]
    world.take_off()
    world.until(Phase.LOCKED)
    world.put_on(who)
    world.until(Phase.REFUSED)
    assert len(world.records) == 2, "it came again, and is refused again"


def test_an_archive_that_names_another_under_the_same_tag_ends_the_permit() -> None:
    world = permitted()
    world.identity = ILLEGAL
    world.tick()
    assert world.state.withdrawn is Withdrawal.SECOND_TAG
    assert world.plc.permit == 0
