"""The four invariants of contract §5, checked after every scan of a PLC against the plant's truth.

What is physical and no fault of the daemon has a name here, and nothing else is forgiven.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewayd.clock import MS, SECOND
from tests.histories.ledger import Known, KnownPermit
from tests.histories.life import End, Life

if TYPE_CHECKING:
    from tests.histories.rigs import Rig
    from tests.histories.world import World

SCAN_MS_MAX = 20
"""A PLC acts in its next scan."""
LEFT_MS_MAX = 500
"""So long a PLC may need to see that a cylinder left: its scale swings out."""
LOST_AT_ONCE_MS_MAX = 1_500
"""A reader that says goodbye is known to be lost within this: a poll and a look."""
LOST_IN_SILENCE_MS_MAX = 13_000
"""A reader that falls silent is known to be lost after three polls, each as long as it may take."""
AGREE_G = 20
"""Net and totaliser may differ by this on one fill without an alarm (contract §10)."""
UNSEEN_S = 1.5
"""What flowed so long before the last word of a PLC that lost its memory, nobody can tell."""
_MISMATCH = re.compile(r"permit ([0-9]+): totaliser - net = (-?[0-9]+) g")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One broken promise; `invariant` 0 is a bug that breaks none of the four."""

    at_s: float
    invariant: int
    text: str

    def __str__(self) -> str:
        """As in the story."""
        return f"{self.at_s:8.3f} s  invariant {self.invariant}: {self.text}"


@dataclass(slots=True)
class _Watch:
    """What is remembered of one rig between two scans."""

    open: bool = False
    permit: KnownPermit | None = None
    code: str = ""
    here_ns: int = 0
    began_g: float = 0.0
    renewed_ms: int = 0
    passed: list[tuple[int, float]] = field(default_factory=list)
    forgiven_g: float = 0.0
    openings: int = 0
    filled_g: dict[str, float] = field(default_factory=dict)
    wires_bad_ns: dict[str, int] = field(default_factory=dict)


class Judge:
    """`wrong` is everything that was broken."""

    def __init__(self, world: "World") -> None:
        self.wrong: list[Wrong] = []
        self._world = world
        self._alive_ns = world.ground.now_ns
        self._rigs = {name: _Watch() for name in world.rigs}

    def say(self, invariant: int, text: str) -> None:
        """Something is wrong; told once."""
        if all(text != said.text for said in self.wrong):
            self.wrong.append(Wrong(round(self._world.ground.at_s, 3), invariant, text))
            self._world.ground.note("WRONG", f"invariant {invariant}: {text}")

    # After every scan.

    def scan(self, rig: "Rig") -> None:
        """Look at one rig."""
        watch, now_ns = self._rigs[rig.name], self._world.ground.now_ns
        life = self._world.life
        if life is not None and not life.loop.dead and not life.loop.stalled:
            self._alive_ns = now_ns
        self._watch_wires(rig, watch, now_ns)
        opened = rig.plc.valve_open
        if opened and not watch.open:
            self._begins(rig, watch)
        elif opened:
            self._goes_on(rig, watch)
        elif watch.open:
            grams = rig.plant.passed_g - watch.began_g
            if watch.permit is not None:
                watch.filled_g[watch.permit.id] = grams
            self._world.ground.note(rig.name, f"the valve closes after {round(grams)} g")
        watch.open = opened
        if rig.plc.renewed_ms != watch.renewed_ms:
            watch.renewed_ms = rig.plc.renewed_ms
            self._renewed(rig, watch)

    def _begins(self, rig: "Rig", watch: _Watch) -> None:
        """Invariant 1 where gas begins to flow."""
        world = self._world
        number = rig.plc.retained.held_permit
        permit = world.ledger.latest(rig.name, number)
        there = rig.cylinder
        watch.permit, watch.began_g, watch.here_ns = permit, rig.plant.passed_g, world.ground.now_ns
        watch.code = there.code if there else ""
        watch.openings += 1
        world.ground.note(rig.name, f"the valve opens, permit {number}, {watch.code or 'nobody'}")
        if permit is None:
            self.say(1, f"{rig.name}: gas flows under permit {number}, which was never committed")
            return
        if permit.state != "pending":
            self.say(1, f"{rig.name}: gas flows under permit {number}, which is {permit.state}")
        if permit.decision != "allow":
            self.say(1, f"{rig.name}: gas flows under a verdict of {permit.decision}")
        if there is None or there.code != permit.code:
            self.say(
                1,
                f"{rig.name}: gas flows into {watch.code or 'nobody'}, permitted for {permit.code}",
            )
        elif there.reason is not None:
            self.say(1, f"{rig.name}: gas flows into a cylinder that is {there.reason}")
        limit_g = rig.plc.command[4] << 16 | rig.plc.command[5]
        if limit_g != permit.limit_gross_g:
            self.say(
                1, f"{rig.name}: the PLC trips at {limit_g} g, permitted {permit.limit_gross_g}"
            )

    def _goes_on(self, rig: "Rig", watch: _Watch) -> None:
        """Invariants 1 and 4 while it flows."""
        world, now_ns = self._world, self._world.ground.now_ns
        there = rig.cylinder.code if rig.cylinder else ""
        if there == watch.code:
            watch.here_ns = now_ns
        elif now_ns - watch.here_ns > LEFT_MS_MAX * MS:
            self.say(1, f"{rig.name}: gas flows on after the cylinder left")
        lease_ms = world.settings.rigs[rig.name].permit.lease_ms
        silent_ms = (now_ns - self._alive_ns) // MS
        if silent_ms > lease_ms + SCAN_MS_MAX:
            self.say(4, f"{rig.name}: gas flows {silent_ms} ms after the daemon's last breath")
        known = watch.permit and world.ledger.permits.get(watch.permit.id)
        if known and known.state != "pending":
            self.say(2, f"{rig.name}: permit {known.permit_no} was {known.state} while gas flows")

    def _renewed(self, rig: "Rig", watch: _Watch) -> None:
        """The lease moved: only a daemon that has just seen everything well may do that."""
        if not rig.plc.command[0]:
            return
        now_ns = self._world.ground.now_ns
        for name, since_ns in watch.wires_bad_ns.items():
            pulled = rig.wires[name].pulled
            most_ms = LOST_IN_SILENCE_MS_MAX if pulled else LOST_AT_ONCE_MS_MAX
            late_ms = (now_ns - since_ns) // MS
            if name in self._required(rig) and late_ms > most_ms:
                self.say(
                    4, f"{rig.name}: the lease moves though the {name} is gone for {late_ms} ms"
                )

    def _required(self, rig: "Rig") -> set[str]:
        items = self._world.settings.rigs[rig.name].identify
        kinds = {"gun": "reader", "qr": "scanner"}
        return {kinds[item.device.split("-")[0]] for item in items if item.require}

    def _watch_wires(self, rig: "Rig", watch: _Watch, now_ns: int) -> None:
        for name, wire in rig.wires.items():
            if wire.plugged and not wire.pulled:
                watch.wires_bad_ns.pop(name, None)
            else:
                watch.wires_bad_ns.setdefault(name, now_ns)
        if not watch.passed or now_ns - watch.passed[-1][0] >= SECOND // 10:
            watch.passed.append((now_ns, rig.plant.passed_g))

    # When something ends.

    def plc_dies(self, rig: "Rig", *, keep: bool) -> None:
        """A PLC that forgets takes with it what the daemon had not heard of yet."""
        if keep:
            return
        watch = self._rigs[rig.name]
        before_ns = rig.heard_ns - round(UNSEEN_S * SECOND)
        heard_g = next((g for at_ns, g in reversed(watch.passed) if at_ns <= before_ns), 0.0)
        watch.forgiven_g += rig.plant.passed_g - heard_g

    def ended(self, life: Life, end: End) -> None:
        """A life of the daemon is over."""
        if end == "bug":
            self.say(0, f"the daemon broke: {_innermost(life.error)}")
        if end == "no_store" and not life.disk.struck:
            self.say(3, f"the store does not open: {life.error}")
        for error in life.errors():
            if end != "killed":
                self.say(0, f"nobody handled: {error.get('message')} {error.get('exception')!r}")
        self._take_ledger()

    def _take_ledger(self) -> None:
        for text in self._world.ledger.wrong:
            self.say(3, text)
        for text in self._world.platform.wrong:
            self.say(3, text)

    def at_rest(self) -> None:
        """Everything is healed and quiet: compare every gram and every record."""
        self._take_ledger()
        ledger = self._world.ledger
        fills = [record for record in ledger.records if record.kind == "fill"]
        of_permit: dict[str, list[Known]] = {}
        for record in fills:
            of_permit.setdefault(record.data.get("permit_id") or "", []).append(record)
        for permit in ledger.permits.values():
            count = len(of_permit.get(permit.id, ()))
            if permit.state == "pending":
                self.say(2, f"{permit.rig}: permit {permit.permit_no} never ended")
            if count != 1:
                self.say(2, f"{permit.rig}: permit {permit.permit_no} has {count} records")
        for rig in self._world.rigs.values():
            self._weigh(rig, [record for record in fills if record.rig == rig.name])
        self._delivered()

    def _weigh(self, rig: "Rig", fills: list[Known]) -> None:
        """Invariant 2: what is recorded and what is alarmed make what flowed."""
        watch = self._rigs[rig.name]
        recorded_g = sum(record.data["net_g"] for record in fills)
        alarmed_g = self._alarmed(rig.name, fills)
        truth_g = rig.plant.passed_g
        most_g = AGREE_G * (len(fills) + 1) + watch.forgiven_g
        missing_g = round(truth_g - recorded_g - alarmed_g)
        self._world.ground.note(
            rig.name, f"{truth_g:.0f} g flowed, {recorded_g} g recorded, {alarmed_g} g alarmed"
        )
        if abs(missing_g) > most_g:
            self.say(2, f"{rig.name}: {missing_g} g flowed that nobody recorded or alarmed")

    def _alarmed(self, rig: str, fills: list[Known]) -> int:
        """Grams by which alarms correct records.

        The alarm says by how much scale and totaliser disagree. Which of them was right, the plant
        knows: where it was the scale (a totaliser that lost its memory), there is nothing to correct.
        """
        nets_g = {r.data["permit_no"]: (r.data["permit_id"], r.data["net_g"]) for r in fills}
        found = 0
        for record in self._world.ledger.records:
            match = _MISMATCH.search(str(record.data.get("detail")))
            if record.kind == "alarm" and record.rig == rig and match is not None:
                permit_id, net_g = nets_g[int(match[1])]
                alarmed_g, truth_g = int(match[2]), self._rigs[rig].filled_g.get(permit_id, 0.0)
                found += alarmed_g if abs(net_g + alarmed_g - truth_g) < abs(net_g - truth_g) else 0
        return found

    def _delivered(self) -> None:
        """Invariant 3: the platform has every record, the same."""
        taken = self._world.platform.taken
        for record in self._world.ledger.records:
            if record.sequence not in taken:
                self.say(3, f"record {record.sequence} never reached the platform")
            elif taken[record.sequence] != (record.id, record.body):
                self.say(3, f"record {record.sequence} reached the platform otherwise")

    @property
    def openings(self) -> int:
        """How often a valve opened."""
        return sum(watch.openings for watch in self._rigs.values())


def _innermost(error: BaseException | None) -> str:
    """The first thing that broke, without its wrapping."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
