"""A naive rig world for tests of the machine: a PLC in 40 lines, a store that may fail, a clock.

It shares no line with the daemon or with the simulated station: it is the plain reading of
contract §4 and §5, and keeps the truth (grams that flowed, under which permit).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from drivers.contract import GateOrder, GateSample
from gatewayd.clock import MS
from gatewayd.rigs.machine import resume, step
from gatewayd.rigs.model import NOBODY, Identity, Phase, State, View
from gatewayd.rigs.moves import (
    Alarm,
    Baseline,
    Effect,
    Event,
    GateFailed,
    Issue,
    Issued,
    Judge,
    Judged,
    Lock,
    NotIssued,
    NotResolved,
    Open,
    Opened,
    Refuse,
    RefuseFor,
    Renew,
    Renewed,
    Resolve,
    Resolved,
    Unauthorised,
)
from gatewayd.settings.model import RigSettings
from gatewayd.store.model import Cylinder, Permit
from rules_engine.verdict import Finding, Message, Verdict
from tests.rigs.bench import planned

RIG = RigSettings.model_validate_json(
    '{"medium": "LPG", "identify": [{"device": "gun-1"}], "scale": "s", "gate": "s",'
    '"rules": ["cn-lpg"], "permit": {"start_within_s": 30, "lease_ms": 2000}}'
)
START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
ALLOW = Verdict("allow", (), ())
DENY = Verdict("deny", (Finding("OVERDUE", "deny", Message("超期", "overdue"), "b", "r", {}),), ())
LEGAL = Identity("one", Cylinder("A1"), uid="AA")
ILLEGAL = Identity("one", Cylinder("B2"), uid="BB")
TARE_G, TARGET_G, LIMIT_G = 16_500, 14_900, 31_400
FLOW_G_PER_MS = 2


@dataclass
class Plc:
    """The reference gate, naively."""

    permit: int = 0
    lease: int = 0
    lease_ms: int = 0
    lease_moved_ms: int = -10_000
    target_g: int = 0
    on: bool = False
    fresh: bool = False
    valve: bool = False
    net_g: int = 0
    total_g: int = 0
    fills: int = 0
    filling_no: int = 0
    end_reason: int = 0
    last_net_g: int = 0
    last_permit: int = 0
    closed_ms: int = -10_000
    e_stop: bool = False
    names_after_ms: int = 0
    unnamed: int = 0
    sticky: bool = False
    echoed: int = 0
    truth: dict[int, int] = field(default_factory=dict)

    def in_force(self, now_ms: int) -> bool:
        """Whether everything that permits holds."""
        alive = self.lease_ms > 0 and now_ms - self.lease_moved_ms <= self.lease_ms
        fresh = self.permit not in (0, self.last_permit, self.unnamed)
        return fresh and alive and self.on and not self.e_stop

    def scan(self, now_ms: int, passed_ms: int) -> None:
        self.name(now_ms)
        if self.valve:
            self.net_g += passed_ms * FLOW_G_PER_MS
            self.total_g += passed_ms * FLOW_G_PER_MS
            self.truth[self.filling_no] = self.truth.get(self.filling_no, 0) + (
                passed_ms * FLOW_G_PER_MS
            )
            if not self.in_force(now_ms) or self.permit != self.filling_no:
                alive = now_ms - self.lease_moved_ms <= self.lease_ms
                self.end(9 if not self.on else 6 if self.e_stop else 3 if alive else 4, now_ms)
            elif self.net_g >= self.target_g:
                self.end(1, now_ms)

    def end(self, reason: int, now_ms: int) -> None:
        if self.valve:
            self.valve, self.end_reason, self.closed_ms = False, reason, now_ms
            self.unnamed = self.filling_no

    def name(self, now_ms: int) -> None:
        """Some PLCs name the finished fill only when its weight is final."""
        if self.unnamed and not self.valve and now_ms - self.closed_ms >= self.names_after_ms:
            self.last_net_g, self.last_permit, self.unnamed = self.net_g, self.unnamed, 0

    def power_cycle(self) -> None:
        """Power lost and back: the totaliser is kept, the memory of permits is not."""
        self.valve = False
        self.permit = self.lease_ms = self.last_permit = self.last_net_g = self.unnamed = 0
        self.net_g = self.end_reason = 0

    def open(self, order: GateOrder, now_ms: int) -> None:
        self.target_g, self.lease_ms = order.target_g, order.lease_ms
        self.lease, self.lease_moved_ms = self.lease + 1, now_ms
        self.permit = order.permit_no

    def renew(self, now_ms: int) -> None:
        self.lease_moved_ms = now_ms

    def lock(self, _now_ms: int) -> None:
        self.permit = 0

    def press_start(self, now_ms: int) -> None:
        if self.in_force(now_ms) and not self.valve:
            self.valve, self.net_g, self.filling_no = True, 0, self.permit
            self.fresh = False
            self.fills += 1

    def echo(self, now_ms: int) -> int:
        """The permit in force; a sticky one forgets to take it back."""
        if self.in_force(now_ms):
            self.echoed = self.permit
            return self.permit
        return self.echoed if self.sticky else 0

    def sample(self, now_ms: int) -> GateSample | None:
        """What the rig sees; a PLC always says something."""
        return self.report(now_ms)

    def gross_g(self) -> int:
        """What stands there; `net_g` is of the cylinder before until gas flows into this one."""
        if not self.on:
            return 0
        return TARE_G if self.fresh else TARE_G + self.net_g

    def report(self, now_ms: int) -> GateSample:
        return GateSample(
            device="s",
            at_ns=now_ms * MS,
            ready=not self.e_stop,
            cylinder_on=self.on,
            permitted=self.in_force(now_ms),
            filling=self.valve,
            fine_flow=False,
            stable=not self.valve and now_ms - self.closed_ms > 500,
            done=self.end_reason == 1,
            aborted=self.end_reason > 1,
            over_limit=False,
            e_stop=self.e_stop,
            lease_lost=False,
            scale_fault=False,
            valve_open=self.valve,
            permit_echo=self.echo(now_ms),
            gross_g=self.gross_g(),
            net_g=self.net_g,
            tare_g=TARE_G,
            total_g=self.total_g,
            fills=self.fills,
            end_reason=self.end_reason,
            last_net_g=self.last_net_g,
            last_permit=self.last_permit,
            heartbeat=now_ms % 65_536,
        )


class World:
    """One rig, its PLC and its store; `tick` moves time, flags break things."""

    def __init__(self, plc: Plc | None = None) -> None:
        self.rig = RIG
        self.machine = step  # Whoever tests may listen in.
        self.now_ms = 1_000
        self.plc = plc or Plc()
        self.state: State = resume(self.now_ms * MS, permit=None, total_g=None, last_filled=None)
        self.linked = True
        self.store_ok = True
        self.ill = ""
        self.stopping = False
        self.presence = 0
        self.arrivals = 0
        self.found = False
        self.identity = NOBODY
        self.pending: Permit | None = None
        self.next_no = 0
        self.records: list[tuple[str, str, int]] = []
        self.log: list[Effect] = []
        self.commits_permits: list[str] = []
        self.during_commit: Callable[[], object] | None = None
        self.checked = self.view()

    def view(self) -> View:
        sample = self.plc.sample(self.now_ms) if self.linked else None
        return View(
            now_ns=self.now_ms * MS,
            wall=START + timedelta(milliseconds=self.now_ms),
            sample=sample,
            presence=self.presence if self.linked else 0,
            identity=self.identity,
            found=self.found,
            steady=sample is not None and sample.stable,
            ill=self.ill,
            stopping=self.stopping,
        )

    def tick(self, ms: int = 100) -> None:
        """Let time pass; the PLC scans every 10 ms, the daemon looks once."""
        for _ in range(ms // 10):
            self.now_ms += 10
            self.plc.scan(self.now_ms, 10)
        self.look()

    def look(self) -> None:
        events: list[Event] = [self.view()]
        while events:
            self.state, effects = self.machine(self.state, events.pop(0), self.rig)
            for effect in effects:
                self.log.append(effect)
                answer = self.perform(effect)
                if answer is not None:
                    events.append(answer)

    def until(self, phase: Phase, *, within_ms: int = 40_000) -> None:
        """Tick until the rig is in that phase."""
        for _ in range(within_ms // 100):
            if self.state.phase is phase:
                return
            self.tick()
        raise AssertionError((phase, self.state))

    def perform(self, effect: Effect) -> Event | None:
        match effect:
            case Judge(who, sample):
                return self.judge(who, sample)
            case Issue():
                return self.issue(effect)
            case Open() | Renew() | Lock():
                return self.touch(effect)
            case Resolve(permit, ending):
                return self.resolve(permit, ending.outcome, ending.net_g, ending.total_after_g)
            case Unauthorised(_, net_g, _, _):
                self.records.append(("fill", "unauthorised", net_g))
            case Refuse() | RefuseFor():
                self.records.append(("refusal", "", 0))
            case Alarm() | Baseline():
                pass
        return None

    def judge(self, who: Identity, sample: GateSample) -> Judged:
        if who.cylinder is None or who.cylinder.code != "A1":
            return Judged(DENY, None, sample)
        plan = planned(TARE_G, 0, TARGET_G, LIMIT_G) if sample.stable else None
        return Judged(ALLOW, plan, sample)

    def issue(self, effect: Issue) -> Event:
        if not self.store_ok:
            return NotIssued("disk full")
        assert self.pending is None, "a second pending permit on one rig"
        assert effect.verdict.allowed
        self.next_no += 1
        now = START + timedelta(milliseconds=self.now_ms)
        self.pending = Permit(
            id=f"p{self.next_no}",
            record_id=f"r{self.next_no}",
            rig_id="rig-1",
            permit_no=self.next_no,
            cylinder_code="A1",
            target_g=effect.plan.target_g,
            limit_gross_g=effect.plan.limit_gross_g,
            tare_g=effect.plan.tare_g,
            lease_ms=RIG.permit.lease_ms,
            total_before_g=effect.sample.total_g,
            fills_before=effect.sample.fills,
            issued_at=now,
            expires_at=now + timedelta(seconds=RIG.permit.start_within_s),
            judged={},
        )
        during, self.during_commit = self.during_commit, None
        if during is not None:
            during()
        self.checked = self.view()
        return Issued(self.pending, self.checked)

    def touch(self, effect: Open | Renew | Lock) -> Event | None:
        at_ns = self.now_ms * MS
        if not self.linked:
            return GateFailed("unplugged", at_ns)
        match effect:
            case Open(order):
                live = self.state.permit
                assert live is not None, "an order without a permit"
                assert live is self.pending, "an order before commit 1"
                seen = self.checked
                assert seen.identity.cylinder == LEGAL.cylinder, "an order for another cylinder"
                assert seen.presence == self.state.presence, "an order for another presence"
                assert not seen.ill, seen
                assert not seen.stopping, seen
                self.plc.open(order, self.now_ms)
                return Opened(at_ns, at_ns)
            case Renew():
                assert self.state.permit is not None
                assert self.state.withdrawn is None
                self.plc.renew(self.now_ms)
                return Renewed(at_ns, at_ns)
            case Lock():
                self.plc.lock(self.now_ms)
                return None

    def resolve(self, permit: Permit, outcome: str, net_g: int, total_g: int) -> Event:
        if not self.store_ok:
            return NotResolved("disk full")
        assert permit is self.pending, "resolved twice, or never issued"
        self.pending = None
        self.commits_permits.append(permit.id)
        self.records.append(("fill", outcome, net_g))
        return Resolved(total_g, permit.cylinder_code, net_g > 0 and outcome != "not_started")

    # --- what the world does ---

    def put_on(self, who: Identity = LEGAL) -> None:
        if not self.plc.on:
            self.plc.on = self.plc.fresh = True  # Of another net weight than it still shows.
            self.arrivals += 1
            self.presence, self.identity, self.found = self.arrivals, who, False

    def take_off(self) -> None:
        self.plc.on = False
        self.presence, self.identity = 0, NOBODY

    def press_start(self) -> None:
        self.plc.press_start(self.now_ms)

    def unplug(self) -> None:
        self.linked = False

    def plug(self) -> None:
        if not self.linked:
            self.linked = True
            if self.plc.on:
                self.arrivals += 1
                self.presence, self.found = self.arrivals, True

    def crash(self) -> None:
        """The process dies and starts again: only store and PLC remember."""
        filled = next(
            (self.last_code for kind, _, net_g in reversed(self.records) if net_g and kind), None
        )
        recorded_g = sum(net_g for kind, _, net_g in self.records if kind == "fill")
        self.state = resume(
            self.now_ms * MS, permit=self.pending, total_g=recorded_g, last_filled=filled
        )
        self.stopping, self.ill = False, ""
        if self.plc.on:
            self.arrivals += 1
            self.presence, self.found = self.arrivals, True

    last_code = "A1"

    def second_tag(self) -> None:
        if self.plc.on:
            self.identity = replace(self.identity, status="many", cylinder=None, shown=("X", "Y"))
