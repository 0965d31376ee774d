"""What a soak looks with: each checker sees what it is there for."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest

from gatewayd.clock import MS
from gatewayd.sim.cylinders import SimCylinder, make_fleet
from gatewayd.sim.plant import Plant
from gatewayd.sim.plc import SimPlc
from gatewayd.sim.reader import SimReader
from gatewayd.sim.rig import SimRig
from gatewayd.sim.wires import TcpWire
from tests.e2e.house import LOOP_LATE_MS
from tests.histories.ledger import Known
from tests.soak import faults, kills
from tests.soak.brokers import pubacks
from tests.soak.judge import upstream
from tests.soak.memory import slope
from tests.soak.tally import Tally, table
from tests.soak.truth import RigTruth

FLEET = make_fleet(today=date(2026, 1, 5), legal=4, illegal_each=1)
LEASE_MS = 300


def body(sequence: int, **more: object) -> str:
    return json.dumps({"id": f"id-{sequence}", "sequence": sequence, **more})


def known(sequence: int, rig: str = "rig-1", kind: str = "fill") -> Known:
    return Known(sequence, f"id-{sequence}", rig, kind, "", body(sequence))


def delivered(records: list[Known], *arrived: str, loss_allowed: bool = False) -> Tally:
    tally = Tally("upstream")
    upstream(tally, records, arrived, loss_allowed=loss_allowed)
    return tally


# The platform


def test_what_arrives_whole_and_in_order_is_well_copies_too() -> None:
    tally = delivered([known(1), known(2)], body(1), body(2), body(1), body(2))
    assert tally.wrong == []
    assert tally.counts["copies upstream, same id and body"] == 2
    assert tally.counts["records lost upstream"] == 0


@pytest.mark.parametrize(
    ("arrived", "said"),
    [
        ((body(1),), "1 records never reached the platform"),
        ((body(2), body(1)), "rig-1: record 1 came out of order"),
        ((body(1), body(2), body(2, more=1)), "record 2 came again with another body"),
        ((body(1), body(2, more=1)), "record 2 was delivered otherwise than it is stored"),
        ((body(1), body(2), body(3)), "record 3 was delivered and is not in the store"),
    ],
)
def test_what_is_lost_changed_or_out_of_order_is_said(arrived: tuple[str, ...], said: str) -> None:
    assert delivered([known(1), known(2)], *arrived).wrong == [said]


def test_rigs_have_an_order_each_and_alarms_may_overtake() -> None:
    records = [known(1), known(2, "rig-2"), known(3, kind="alarm")]
    assert delivered(records, body(3), body(2), body(1)).wrong == []


def test_where_a_broker_may_forget_a_loss_is_counted_and_allowed() -> None:
    tally = delivered([known(1), known(2)], body(1), loss_allowed=True)
    assert (tally.wrong, tally.counts["records lost upstream"]) == ([], 1)


# The valve


@dataclass
class Bench:
    """A rig in time that the test moves, under a gateway that is only registers."""

    now_ns: int = 0
    lease: int = 0

    def __post_init__(self) -> None:
        self.wrong: list[str] = []
        self.told: list[str] = []
        plc = SimPlc(Plant(), lambda: self.now_ns, speed=10)
        wire = TcpWire(plc.slave.device_tcp)
        reader = SimReader()
        self.rig = SimRig("rig-1", plc.plant, plc, wire, reader, TcpWire(reader.device))
        self.truth = RigTruth(self.rig, LEASE_MS, self.wrong.append, self.told.append)

    def run(self, ms: int, *, renew: bool = True) -> None:
        for _ in range(ms // 10):
            self.now_ns += 10 * MS
            if renew:
                self.lease = (self.lease + 1) & 0xFFFF
                self.rig.plc.write(1, [self.lease])
            self.rig.plc.advance()

    def fill(self, cylinder: SimCylinder, *, lease_ms: int = LEASE_MS) -> None:
        self.rig.bring(cylinder)
        self.run(3_000)
        self.rig.plc.write(2, [0, 10_000, 1, 0, lease_ms])
        self.rig.plc.write(0, [7])
        self.run(50)
        self.rig.press_start()
        self.run(500)
        assert self.rig.plc.valve_open


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_grams_and_cylinder_of_each_opening_are_kept(bench: Bench) -> None:
    bench.fill(FLEET.legal[0])
    bench.run(2_500, renew=False)
    (gas,) = bench.truth.gas
    assert (gas.permit_no, gas.code) == (7, FLEET.legal[0].code)
    assert gas.grams == pytest.approx(bench.rig.plant.passed_g)
    assert bench.wrong == []
    assert bench.told == ["arrival", "permit", "opens", "closes", "settled"]


def test_gas_into_a_cylinder_that_must_be_refused_is_said(bench: Bench) -> None:
    (cylinder,) = (each for each in FLEET.illegal if each.reason == "OVERDUE")
    bench.fill(cylinder)
    assert bench.wrong == ["rig-1: gas flows into a cylinder that is OVERDUE, permit 7"]


def test_a_lease_that_does_not_close_is_said(bench: Bench) -> None:
    bench.fill(FLEET.legal[0], lease_ms=60_000)
    bench.run(LEASE_MS + 50, renew=False)
    assert bench.wrong[0] == f"rig-1: gas flows {LEASE_MS + 20} ms after the lease moved last"


@pytest.mark.parametrize("act", [RigTruth.dies, lambda _truth: None])
def test_a_permit_that_lives_on_after_a_death_is_said(
    bench: Bench, act: Callable[[RigTruth], None]
) -> None:
    bench.fill(FLEET.legal[0])
    act(bench.truth)
    bench.run(LEASE_MS + LOOP_LATE_MS + 50)
    died = act is RigTruth.dies
    assert any("beyond its lease after a death" in text for text in bench.wrong) == died


@pytest.mark.parametrize("drained", [True, False])
def test_what_was_in_the_wires_at_a_death_is_no_life_after_it(
    bench: Bench, *, drained: bool
) -> None:
    """This process stood still: a renewal that was sent in time is taken late."""
    bench.fill(FLEET.legal[0])
    bench.truth.dies()
    bench.run(LOOP_LATE_MS + 100)
    if drained:
        bench.truth.drained()
    bench.run(LEASE_MS + 50, renew=False)
    assert not bench.rig.plc.valve_open
    assert (bench.wrong == []) == drained


# Small things


def test_the_slope_is_that_of_the_line() -> None:
    assert slope([(0, 5), (1, 7), (2, 9)]) == pytest.approx(2)
    assert slope([(0, 1), (1, 2), (2, 1), (3, 2)]) == pytest.approx(0.2)
    assert slope([(1, 5)]) == 0


def test_pubacks_are_counted_between_other_packets() -> None:
    puback, publish = b"\x40\x02\x00\x01", b"\x30\x81\x01" + b"\x40" * 129
    assert pubacks(puback + publish + puback) == 2
    assert pubacks(publish) == 0
    assert pubacks(b"") == pubacks(b"\x30") == pubacks(puback[:1]) == 0


def test_a_seed_draws_the_same_faults_again() -> None:
    def drawn(seed: int) -> object:
        rng = random.Random(seed)
        return kills.plan(rng, 50, 1_000), faults.plan(rng, 50, (0.5, 2), 1_000)

    assert drawn(4) == drawn(4) != drawn(5)


def test_a_broken_promise_is_shown_and_a_group_that_was_left_out_says_why() -> None:
    bad, left_out = Tally("stop"), Tally("cable", skipped="only root may make network namespaces")
    bad.say("rig-1: gas flows into nobody, permit 7")
    shown = table([bad, left_out], colour=False)
    assert "WRONG  stop: rig-1: gas flows into nobody, permit 7" in shown
    assert "skipped: only root" in shown
    assert shown.endswith("1 broken promises")
    assert table([Tally("stop")], colour=False).endswith("every promise held")


def test_what_ends_a_soak_early_is_a_broken_promise() -> None:
    def end() -> None:
        raise ExceptionGroup("many", [OSError("gone")])

    tally = Tally("disk")
    with tally.surviving():
        end()
    assert tally.wrong == ["it did not come to its end: OSError: gone"]
