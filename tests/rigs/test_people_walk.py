"""Random walks of a rig that asks for an operator and a check, against a naive memory of what it did.

Nothing is permitted without both; what flowed or was refused for another reason is not judged again
while it stands there; nobody is waited for longer than the rig's file says.
"""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from drivers.contract import GateSample
from gatewayd.rigs.findings import postcheck_open
from gatewayd.rigs.model import Identity, Phase, View, Withdrawal
from gatewayd.rigs.moves import Effect, Event, Issue, Judge, Judged, Lock, Open, Refuse, Renew
from gatewayd.settings.model import RigSettings
from gatewayd.settings.people import OperatorSettings, PostcheckSettings, PrecheckSettings
from rules_engine.verdict import Finding, Message, Verdict
from tests.rigs.world import ILLEGAL, LEGAL, RIG, World

WAIT_S = 6


def asking(wait_s: int) -> RigSettings:
    """A rig that asks for everything, and waits so long for it."""
    asks = {
        "operator": OperatorSettings(required=True, wait_s=wait_s),
        "precheck": PrecheckSettings(form="f", required=True, wait_s=wait_s),
        "postcheck": PostcheckSettings(form="g", required=True, wait_s=wait_s),
    }
    return RIG.model_copy(update=asks)


def deny(*codes: str) -> tuple[Finding, ...]:
    return tuple(Finding(code, "deny", Message("否", "no"), "b", "r", {}) for code in codes)


class Staffed(World):
    """A world with people: who is here, what was checked, and what the rig did about it."""

    def __init__(self, wait_s: int) -> None:
        self.operator = ""
        self.checked_by_people = False
        self.owes = False
        self.revision = 0
        self.seen = 0
        self.judged_by = ""
        self.settled: set[int] = set()
        self.asked_since: dict[int, int] = {}
        self.refusals: dict[int, list[tuple[str, ...]]] = {}
        self.judged = 0
        self.wait_s = wait_s
        super().__init__()
        self.rig = asking(wait_s)

    def view(self) -> View:
        gone = self.operator != self.judged_by
        recalled = Withdrawal.OPERATOR_CHANGED if gone else None
        seen = super().view()
        return replace(seen, people=self.revision, acknowledged=self.seen, recalled=recalled)

    def people(self, **changes: object) -> None:
        """Somebody did something at the desk."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.revision += 1

    def judge(self, who: Identity, sample: GateSample) -> Judged:
        here = self.state.presence
        assert here not in self.settled, "judged again what flowed, or was seen, or was refused"
        self.judged += 1
        self.judged_by = self.operator
        lacks = [
            *(["NO_OPERATOR"] if not self.operator else []),
            *(["NO_PRECHECK"] if not self.checked_by_people else []),
        ]
        found = deny(*lacks, *([] if who.cylinder == LEGAL.cylinder else ["OVERDUE"]))
        found = (*found, postcheck_open("A0")) if self.owes else found
        if found:
            self.asked_since.setdefault(here, self.now_ms)
            return Judged(Verdict("deny", found, ()), None, sample)
        return super().judge(who, sample)

    def perform(self, effect: Effect) -> Event | None:
        here = self.state.presence
        match effect:
            case Refuse(_, verdict):
                codes = tuple(found.code for found in verdict.findings)
                self.refusals.setdefault(here, []).append(codes)
                if "OVERDUE" in codes:
                    self.settled.add(here)
            case Issue():
                assert self.operator, "a permit without an operator"
                assert self.checked_by_people, "a permit without a check"
                assert not self.owes, "a permit while a check is owed"
            case Open():
                assert self.operator == self.judged_by, "an order for who is gone"
            case Judge() | Renew() | Lock():
                pass
        return super().perform(effect)

    def look(self) -> None:
        super().look()
        if self.plc.valve and self.presence == self.state.presence:
            self.settled.add(self.presence)
        if self.state.phase is Phase.IDENTIFYING and self.state.waiting:
            waited_ms = self.now_ms - self.asked_since[self.state.presence]
            assert waited_ms < self.wait_s * 1_000, "waited longer than the file says"


class PeopleWalk(RuleBasedStateMachine):
    wait_s = WAIT_S

    def __init__(self) -> None:
        super().__init__()
        self.world = Staffed(self.wait_s)

    @rule(count=st.integers(1, 40))
    def time_passes(self, count: int) -> None:
        for _ in range(count):
            self.world.tick()

    @rule()
    def the_process_stalls(self) -> None:
        self.world.tick(9_000)

    @rule(who=st.sampled_from([LEGAL, LEGAL, LEGAL, ILLEGAL]))
    def a_cylinder_comes(self, who: Identity) -> None:
        self.world.put_on(who)

    @rule()
    def it_leaves(self) -> None:
        self.world.take_off()

    @rule(who=st.sampled_from(["", "li", "wang"]))
    def somebody_logs_in_or_out(self, who: str) -> None:
        self.world.people(operator=who)

    @rule(done=st.booleans())
    def the_check_is_answered_or_over(self, done: bool) -> None:  # noqa: FBT001 - drawn
        self.world.people(checked_by_people=done)

    @rule(owes=st.booleans())
    def a_post_fill_check_is_open_or_answered(self, owes: bool) -> None:  # noqa: FBT001 - drawn
        self.world.people(owes=owes)

    @rule()
    def the_refusal_is_acknowledged(self) -> None:
        if self.world.state.phase is Phase.REFUSED:
            self.world.seen = self.world.state.presence
            self.world.look()
            self.world.settled.add(self.world.seen)

    @rule()
    def somebody_presses_start(self) -> None:
        self.world.press_start()
        self.world.tick()

    @rule()
    def a_stray_flow(self) -> None:
        if self.world.plc.on and not self.world.plc.valve:
            self.world.plc.total_g += 500
            self.world.plc.truth[0] = self.world.plc.truth.get(0, 0) + 500
            same = self.world.presence == self.world.state.presence
            if same and self.world.state.phase is Phase.REFUSED:
                self.world.settled.add(self.world.presence)

    @rule()
    def the_gate_is_unplugged_and_back(self) -> None:
        self.world.unplug()
        self.world.tick()
        self.world.plug()

    @invariant()
    def each_permit_ends_in_one_record(self) -> None:
        assert len(self.world.commits_permits) == len(set(self.world.commits_permits))

    @invariant()
    def the_same_refusal_is_recorded_once_a_presence(self) -> None:
        for codes in self.world.refusals.values():
            assert all(one != other for one, other in pairwise(codes))

    def teardown(self) -> None:
        """Whatever happened, with everybody here a legal cylinder is filled in the end."""
        world = self.world
        world.take_off()
        for _ in range(400):
            world.tick()
        assert world.pending is None
        world.people(operator="li", checked_by_people=True, owes=False)
        world.put_on(LEGAL)
        world.until(Phase.PERMITTED)


class PeopleWalkAtOnce(PeopleWalk):
    """The default: nobody is waited for."""

    wait_s = 0


TestWaiting = PeopleWalk.TestCase
TestWaiting.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAtOnce = PeopleWalkAtOnce.TestCase
TestAtOnce.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_without_wait_the_refusal_comes_at_once_and_a_log_in_mends_it() -> None:
    world = Staffed(0)
    world.people(checked_by_people=True)
    world.put_on(LEGAL)
    world.until(Phase.REFUSED, within_ms=1_000)
    assert world.refusals == {1: [("NO_OPERATOR",)]}
    world.people(operator="li")
    world.until(Phase.PERMITTED, within_ms=1_000)
    assert world.judged >= 2


def test_a_cylinder_of_the_weight_that_was_judged_is_permitted_after_one_that_was_cut_off() -> None:
    world = Staffed(WAIT_S)
    world.people(operator="li", checked_by_people=True)
    world.put_on(LEGAL)
    world.until(Phase.PERMITTED)
    world.press_start()
    world.tick(9_000)
    world.take_off()
    world.until(Phase.LOCKED)
    world.put_on(LEGAL)
    world.until(Phase.PERMITTED)


def waits_for(world: Staffed) -> list[str]:
    return list(world.state.waiting)


def test_while_the_rig_waits_nothing_is_recorded_and_an_illegal_cylinder_does_not_wait() -> None:
    world = Staffed(WAIT_S)
    world.put_on(LEGAL)
    world.until(Phase.IDENTIFYING)
    for _ in range(10):
        world.tick()
    assert waits_for(world) == ["operator", "precheck"]
    assert world.refusals == {}
    world.people(operator="li")
    world.tick()
    assert waits_for(world) == ["precheck"]
    world.people(checked_by_people=True)
    world.until(Phase.PERMITTED, within_ms=1_000)
    world.take_off()
    world.until(Phase.LOCKED)
    world.people(operator="")
    world.put_on(ILLEGAL)
    world.until(Phase.REFUSED, within_ms=1_000)


@pytest.mark.parametrize("at_ms", [WAIT_S * 1_000 - 100, WAIT_S * 1_000])
def test_the_wait_ends_when_its_time_is_up(at_ms: int) -> None:
    world = Staffed(WAIT_S)
    world.put_on(LEGAL)
    world.until(Phase.IDENTIFYING)
    since_ms = world.asked_since[1]
    while world.now_ms < since_ms + at_ms:
        world.tick()
    waiting = at_ms < WAIT_S * 1_000
    assert world.state.phase is (Phase.IDENTIFYING if waiting else Phase.REFUSED)


def test_a_permit_nobody_started_is_taken_back_when_its_operator_leaves() -> None:
    world = Staffed(0)
    world.people(operator="li", checked_by_people=True)
    world.put_on(LEGAL)
    world.until(Phase.PERMITTED)
    world.people(operator="")
    world.until(Phase.REFUSED)
    assert [outcome for _, outcome, _ in world.records] == ["not_started", ""]
    world.people(operator="wang")
    world.until(Phase.PERMITTED)


def test_a_fill_that_flows_goes_on_when_its_operator_leaves() -> None:
    world = Staffed(0)
    world.people(operator="li", checked_by_people=True)
    world.put_on(LEGAL)
    world.until(Phase.PERMITTED)
    world.press_start()
    world.until(Phase.FILLING)
    world.people(operator="")
    world.until(Phase.LOCKED)
    assert [outcome for _, outcome, _ in world.records] == ["completed"]
    world.people(operator="wang")
    for _ in range(20):
        world.tick()
    assert world.state.phase is Phase.LOCKED


def test_an_acknowledged_refusal_is_not_mended_any_more() -> None:
    world = Staffed(0)
    world.people(checked_by_people=True)
    world.put_on(LEGAL)
    world.until(Phase.REFUSED)
    world.people(operator="li")
    world.seen = world.state.presence
    for _ in range(20):
        world.tick()
    assert world.state.phase is Phase.LOCKED
    assert world.judged == 1
