"""Random walks of a rig through everything its world may do, against the plain truth of the PLC.

The invariants are those of contract §5, checked on what really happened in the naive PLC.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers.readings import Unread
from gatewayd.rigs.model import Identity
from gatewayd.rigs.moves import Lock, Open, Renew
from tests.rigs.world import ILLEGAL, LEGAL, World

GARBLED = Identity(unread=Unread("gun-1", 0, "bad CRC", b"\x05"))
QUIET_TICKS = 900
"""Longer than any wait of the rig: everything open is settled by then."""


class Walk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = self.made()

    def made(self) -> World:
        return World()

    @rule(count=st.integers(1, 40))
    def time_passes(self, count: int) -> None:
        for _ in range(count):
            self.world.tick()

    @rule(ms=st.sampled_from([1_500, 2_100, 9_000]))
    def the_process_stalls(self, ms: int) -> None:
        self.world.tick(ms)

    @rule(who=st.sampled_from([LEGAL, LEGAL, ILLEGAL, Identity(), GARBLED]))
    def a_cylinder_comes(self, who: Identity) -> None:
        self.world.put_on(who)

    @rule(late=st.sampled_from([0, 0, 800]))
    def a_legal_fill_begins(self, late: int) -> None:
        self.world.plc.names_after_ms = late
        self.world.put_on(LEGAL)
        for _ in range(8):
            self.world.tick()
        self.world.press_start()
        self.world.tick()

    @rule()
    def the_plc_loses_power(self) -> None:
        self.world.plc.power_cycle()

    @rule()
    def it_leaves(self) -> None:
        self.world.take_off()

    @rule()
    def somebody_presses_start(self) -> None:
        self.world.press_start()

    @rule()
    def a_second_tag_appears(self) -> None:
        self.world.second_tag()

    @rule()
    def the_tag_is_read_late(self) -> None:
        if self.world.plc.on and self.world.identity.status == "waiting":
            self.world.identity = LEGAL

    @rule()
    def the_gate_is_unplugged(self) -> None:
        self.world.unplug()

    @rule()
    def the_gate_is_plugged(self) -> None:
        self.world.plug()

    @rule(ok=st.booleans())
    def the_store_fails_or_recovers(self, ok: bool) -> None:  # noqa: FBT001 - drawn
        self.world.store_ok = ok

    @rule(sticky=st.booleans())
    def the_plc_forgets_to_take_back_its_echo(self, sticky: bool) -> None:  # noqa: FBT001 - drawn
        self.world.plc.sticky = sticky

    @rule(what=st.sampled_from(["leaves", "swaps", "second tag", "reader", "unplugged", "dies"]))
    def something_happens_while_the_permit_is_committed(self, what: str) -> None:
        world = self.world
        world.during_commit = {
            "leaves": world.take_off,
            "swaps": self.a_cylinder_is_swapped,
            "second tag": world.second_tag,
            "reader": lambda: setattr(world, "ill", "gun-1"),
            "unplugged": world.unplug,
            "dies": lambda: setattr(world, "stopping", True),
        }[what]

    def a_cylinder_is_swapped(self) -> None:
        self.world.take_off()
        self.world.put_on(ILLEGAL)

    @rule(name=st.sampled_from(["", "", "gun-1"]))
    def a_reader_is_lost_or_back(self, name: str) -> None:
        self.world.ill = name

    @rule(on=st.booleans())
    def the_e_stop(self, on: bool) -> None:  # noqa: FBT001 - drawn
        self.world.plc.e_stop = on

    @rule()
    def the_process_dies(self) -> None:
        self.world.crash()

    @invariant()
    def only_a_live_permit_holds_the_gate(self) -> None:
        world = self.world
        writes = [e for e in world.log if isinstance(e, (Open, Renew, Lock))]
        if writes and not isinstance(writes[-1], Lock) and world.state.permit is not None:
            assert world.state.verdict is None or world.state.verdict.allowed

    @invariant()
    def gas_flows_only_under_a_permit_that_was_committed(self) -> None:
        assert set(self.world.plc.truth) <= set(range(1, self.world.next_no + 1))

    @invariant()
    def each_permit_ends_in_one_record(self) -> None:
        assert len(self.world.commits_permits) == len(set(self.world.commits_permits))

    def teardown(self) -> None:
        """Heal everything, wait, and compare every gram with the records."""
        world = self.world
        world.plug()
        world.store_ok, world.ill, world.plc.e_stop = True, "", False
        world.stopping = world.plc.sticky = False
        world.take_off()
        for _ in range(QUIET_TICKS):
            world.tick()
        assert world.pending is None
        assert len(world.commits_permits) == world.next_no
        self.compare(sum(net_g for kind, _, net_g in world.records if kind == "fill"))
        assert world.plc.permit == 0
        assert not world.plc.valve

    def compare(self, recorded_g: int) -> None:
        assert recorded_g == self.world.plc.total_g == sum(self.world.plc.truth.values())


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
