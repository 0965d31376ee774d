"""The random walk of a rig, over gates of several devices and their own ways to fail.

Truth is what flowed in the naive devices. A scale sees a gram when it is asked, so records agree
within a poll of flow an opening, and what flowed while nothing could see it.
"""

from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.rigs.soft_world import FLOW_G_PER_10_MS, POLL_MS, Kind, SoftWorld
from tests.rigs.test_machine_walk import Walk
from tests.rigs.world import World

A_POLL_G = 2 * FLOW_G_PER_10_MS * POLL_MS // 10
FAULTS = ("overload", "scale_silent", "module_silent", "scale_stuck", "unguarded", "deaf")
STEPS = settings(max_examples=25, stateful_step_count=40, deadline=None)


class SoftWalk(Walk):
    kind: Kind = "watchdog"
    world: SoftWorld

    start: Literal["input", "permit"] = "input"

    def made(self) -> World:
        return SoftWorld(self.kind, self.start)

    @rule(fault=st.sampled_from(FAULTS), on=st.booleans())
    def a_device_fails_or_recovers(self, fault: str, on: bool) -> None:  # noqa: FBT001 - drawn
        setattr(self.world.plc, fault, on)
        self.world.tick(POLL_MS)

    @rule(ms=st.sampled_from([200, 1_500, 5_000]))
    def the_process_is_gone_for_a_while(self, ms: int) -> None:
        self.world.die(ms)

    @invariant()
    def an_open_valve_is_held_by_a_permit_in_force_or_cannot_be_reached(self) -> None:
        plc = self.world.plc
        if plc.valve and not plc.module_silent:
            assert plc.gate.wants_open is not None

    @invariant()
    def a_number_that_is_over_holds_nothing(self) -> None:
        gate, view = self.world.plc.gate, self.world.view()
        if view.sample is not None and view.sample.permit_echo:
            assert gate.wants_open is None or gate.wants_open.permit_no == view.sample.permit_echo
            assert view.sample.last_permit != view.sample.permit_echo

    def teardown(self) -> None:
        for fault in FAULTS:
            setattr(self.world.plc, fault, False)
        super().teardown()

    def compare(self, recorded_g: int) -> None:
        plc = self.world.plc
        unsure_g = plc.unseen_g + A_POLL_G * (self.world.next_no + 1)
        assert abs(recorded_g - plc.total_g) <= unsure_g, (recorded_g, plc.total_g, plc.unseen_g)


class CoilWalk(SoftWalk):
    kind: Kind = "coil"


class FillerWalk(SoftWalk):
    kind: Kind = "filler"


class UnprovenWalk(SoftWalk):
    kind: Kind = "unproven"


class GunWalk(SoftWalk):
    start: Literal["input", "permit"] = "permit"


TestGun = GunWalk.TestCase
TestGun.settings = STEPS
TestWatchdog = SoftWalk.TestCase
TestWatchdog.settings = STEPS
TestCoil = CoilWalk.TestCase
TestCoil.settings = STEPS
TestFiller = FillerWalk.TestCase
TestFiller.settings = STEPS
TestUnproven = UnprovenWalk.TestCase
TestUnproven.settings = STEPS
