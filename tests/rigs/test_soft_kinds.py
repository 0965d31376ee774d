"""The plain stories of a rig, told of every kind of gate: what opens it, and all that closes it."""

import pytest

from gatewayd.rigs.model import Phase
from gatewayd.rigs.moves import Open
from tests.rigs.soft_world import FILLERS, LEASE_MS, OVERLOAD, WATCHDOG_MS, Kind, SoftWorld
from tests.rigs.world import ILLEGAL, RIG, TARGET_G, World

KINDS: tuple[Kind, ...] = ("watchdog", "coil", *FILLERS)
ALL = ("lease", *KINDS)
AGREE_G = 50
"""What flows in one poll: a scale sees a gram when it is asked."""


def world_of(kind: str) -> World:
    if kind == "lease":
        return World()
    assert kind in KINDS
    return SoftWorld(kind)


def permitted(kind: str) -> World:
    world = world_of(kind)
    for _ in range(8):
        world.tick()
    world.put_on()
    world.until(Phase.FILLING if kind in FILLERS else Phase.PERMITTED)
    return world


def filling(kind: str) -> World:
    world = permitted(kind)
    world.press_start()
    world.until(Phase.FILLING)
    world.tick(500)
    return world


def soft(kind: str) -> SoftWorld:
    world = filling(kind)
    assert isinstance(world, SoftWorld)
    return world


def booked(world: World) -> None:
    """Every gram that flowed is in a record."""
    recorded_g = sum(net_g for kind, _, net_g in world.records if kind == "fill")
    assert recorded_g == pytest.approx(world.plc.total_g, abs=AGREE_G), world.records


@pytest.mark.parametrize("kind", ALL)
def test_a_legal_cylinder_fills_once_and_is_recorded_once(kind: str) -> None:
    world = filling(kind)
    world.until(Phase.LOCKED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "completed")]
    assert world.records[0][2] == pytest.approx(TARGET_G, abs=140)
    assert not world.plc.valve
    world.tick(60_000)
    assert len(world.records) == 1, "a cylinder that stays on is not judged again"
    booked(world)


@pytest.mark.parametrize("kind", ALL)
def test_an_illegal_cylinder_never_gets_gas(kind: str) -> None:
    world = world_of(kind)
    world.tick()
    world.put_on(ILLEGAL)
    for _ in range(60):
        world.press_start()
        world.tick()
    assert world.state.phase is Phase.REFUSED
    assert not any(isinstance(e, Open) for e in world.log)
    assert world.plc.total_g == 0


@pytest.mark.parametrize("kind", ALL)
def test_the_end_of_the_process_closes_all_but_what_nobody_guards(kind: str) -> None:
    world = filling(kind)
    lost_ms = max(LEASE_MS, WATCHDOG_MS) + 100
    if isinstance(world, SoftWorld):
        world.plc.dead = True
    for _ in range(lost_ms // 10):
        world.now_ms += 10
        world.plc.scan(world.now_ms, 10)
    stays_open = kind in ("coil", *FILLERS)
    assert world.plc.valve is stays_open, "what `check` says of this kind"


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("dead_ms", [50, 1_500, 3_000])
def test_a_crash_in_mid_fill_is_one_interrupted_record_of_all_that_flowed(
    kind: str, dead_ms: int
) -> None:
    world = filling(kind)
    world.tick(1_000)
    if isinstance(world, SoftWorld):
        world.die(dead_ms)
    else:
        world.crash()
    world.until(Phase.SETTLING)
    world.until(Phase.LOCKED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "interrupted")]
    assert not world.plc.valve
    booked(world)


def test_a_filler_that_outlives_the_process_stops_at_its_own_target() -> None:
    world = soft("filler")
    world.plc.dead = True
    for _ in range(3_000):
        world.now_ms += 10
        world.plc.scan(world.now_ms, 10)
    assert not world.plc.valve
    assert world.plc.total_g == pytest.approx(TARGET_G - 130, abs=AGREE_G)


@pytest.mark.parametrize(
    ("kind", "net_g", "outcome"),
    [("filler", TARGET_G, "overfilled"), ("unproven", TARGET_G - 130, "completed")],
)
def test_a_filler_that_holds_a_higher_target_is_stopped_by_weight(
    kind: str, net_g: int, outcome: str
) -> None:
    """At what it was given where that could not be read back, else when it runs past the target."""
    world = world_of(kind)
    assert isinstance(world, SoftWorld)
    world.plc.holds_g = 60_000
    for _ in range(8):
        world.tick()
    world.put_on()
    world.until(Phase.FILLING)
    world.until(Phase.LOCKED)
    assert not world.plc.valve
    assert world.plc.total_g == pytest.approx(net_g, abs=AGREE_G)
    assert [(k, o) for k, o, _ in world.records] == [("fill", outcome)]
    booked(world)


@pytest.mark.parametrize("kind", ALL)
def test_a_lease_that_is_not_renewed_closes(kind: str) -> None:
    world = filling(kind)
    opened_ms = world.now_ms
    while world.plc.valve:
        world.now_ms += 10
        world.plc.scan(world.now_ms, 10)  # The rig's actor hangs; the drivers still poll.
        assert world.now_ms - opened_ms <= LEASE_MS + 100
    world.until(Phase.LOCKED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "interrupted")]
    booked(world)


def _unknown(world: SoftWorld) -> None:
    world.plc.overload = True


def _stale(world: SoftWorld) -> None:
    world.plc.scale_silent = True


def _no_scale(world: SoftWorld) -> None:
    world.plc.gate.lose_scale()
    world.plc.scale_silent = True


def _leaves(world: SoftWorld) -> None:
    world.take_off()


def _e_stop(world: SoftWorld) -> None:
    world.plc.e_stop = True


def _falls(world: SoftWorld) -> None:
    world.plc.power_cycle()


FAULTS = {
    "unknown weight": (_unknown, 100, OVERLOAD),
    "stale weight": (_stale, 1_100, ""),
    "scale lost": (_no_scale, 100, ""),
    "cylinder leaves": (_leaves, 100, ""),
    "e-stop": (_e_stop, 100, "e-stop"),
    "power": (_falls, 100, "by itself"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_in_mid_fill_closes_and_says_why(kind: Kind, fault: str) -> None:
    begin, within_ms, said = FAULTS[fault]
    world = soft(kind)
    begin(world)
    for _ in range(within_ms // 50 + 1):
        world.tick(50)
    assert not world.plc.valve
    assert said in world.plc.closings[-1] if said else world.plc.closings
    flowed_g = world.plc.total_g
    world.press_start()
    world.tick(3_000)
    assert world.plc.total_g == flowed_g, "no start without a new permit"
    world.plc.overload = world.plc.scale_silent = world.plc.e_stop = False
    for _ in range(300):
        world.tick()
    assert world.records[0][0] == "fill"
    assert world.records[0][1] in ("aborted", "interrupted")
    booked(world)


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_that_falls_silent_in_mid_fill_is_a_lost_gate(kind: Kind) -> None:
    world = soft(kind)
    world.plc.module_silent = True
    for _ in range(25):
        world.tick()
    assert world.state.phase is Phase.FAULT
    assert world.plc.gate.wants_open is None
    assert world.plc.valve is (kind != "watchdog"), "its watchdog is all that can close it now"
    world.plc.module_silent = False
    world.tick(100)
    assert not world.plc.valve


def test_a_watchdog_that_is_no_longer_proven_closes() -> None:
    world = soft("watchdog")
    world.plc.unguarded = True
    world.tick()
    assert not world.plc.valve
    assert "watchdog is not proven" in world.plc.closings[-1]


def test_without_a_proven_watchdog_nothing_opens() -> None:
    world = SoftWorld("watchdog")
    world.plc.unguarded = True
    for _ in range(8):
        world.tick()
    world.put_on()
    for _ in range(50):
        world.press_start()
        world.tick()
    assert world.plc.total_g == 0
    assert world.records[0][:2] == ("fill", "not_started")


def test_a_scale_that_stands_still_does_not_fill_for_ever() -> None:
    world = soft("watchdog")
    world.plc.scale_stuck = True
    for _ in range(105):
        world.tick()
    assert not world.plc.valve
    assert "no rise for 10 s" in world.plc.closings[-1]


@pytest.mark.parametrize("kind", ["watchdog", "coil"])
def test_a_module_that_does_not_open_is_no_start(kind: Kind) -> None:
    world = permitted(kind)
    assert isinstance(world, SoftWorld)
    world.plc.deaf = True
    world.press_start()
    for _ in range(25):
        world.tick()
    assert "does not open" in world.plc.closings[-1]
    world.until(Phase.LOCKED)
    assert world.plc.total_g == 0


def test_a_button_held_down_before_the_permit_is_no_start() -> None:
    world = SoftWorld("watchdog")
    for _ in range(8):
        world.tick()
    world.put_on()
    for _ in range(60):
        world.plc.pressed_ms = world.now_ms + 200
        world.tick()
    assert world.state.phase is Phase.PERMITTED
    assert world.plc.total_g == 0


def test_gas_that_nobody_let_flow_is_found_by_the_scale() -> None:
    world = SoftWorld("watchdog")
    for _ in range(8):
        world.tick()
    world.put_on(ILLEGAL)
    for _ in range(20):
        world.tick()
    world.plc.leak_g_per_10_ms = 1
    for _ in range(50):
        world.tick()
    world.plc.leak_g_per_10_ms = 0
    for _ in range(60):
        world.tick()
    assert ("refusal", "", 0) in world.records
    assert [o for _, o, _ in world.records] == ["", "unauthorised"]
    booked(world)


def _at_the_gun() -> SoftWorld:
    """`start: permit`: the output is on, a person has yet to open the gun."""
    world = SoftWorld("watchdog", "permit")
    for _ in range(8):
        world.tick()
    world.put_on()
    world.until(Phase.PERMITTED)
    world.tick(200)
    assert world.plc.valve
    return world


def test_a_gun_opened_by_hand_fills_and_is_recorded() -> None:
    world = _at_the_gun()
    world.tick()
    assert world.state.phase is Phase.PERMITTED, "nothing flows yet"
    world.press_start()
    world.until(Phase.FILLING)
    world.until(Phase.LOCKED)
    assert [(k, o) for k, o, _ in world.records] == [("fill", "completed")]
    booked(world)


def test_a_gun_that_nobody_opens_is_a_permit_that_was_not_started() -> None:
    world = _at_the_gun()
    world.take_off()
    world.until(Phase.LOCKED)
    assert world.records == [("fill", "not_started", 0)]
    assert not world.plc.valve


def test_a_gun_that_nobody_opens_in_time_is_closed() -> None:
    world = _at_the_gun()
    for _ in range(RIG.permit.start_within_s * 10 + 30):
        world.tick()
    assert not world.plc.valve
    assert world.records == [("fill", "not_started", 0)]
