"""The four invariants of contract §5, checked after every scan of a PLC against the plant's truth.

What is physical and no fault of the daemon has a name here, and nothing else is forgiven.
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gatewayd.clock import MS
from tests.histories.config import CLOSED
from tests.histories.ledger import Known, KnownPermit
from tests.histories.life import End, Life
from tests.histories.pairs import impossible
from tests.support.shapes import against_record

if TYPE_CHECKING:
    from tests.histories.rigs import Rig
    from tests.histories.world import World

SCAN_MS_MAX = 20
"""A PLC acts in its next scan."""
LEFT_MS_MAX = 500
"""So long a PLC may need to see that a cylinder left: its scale swings out."""
BLIND_G = 1_000
"""A scale that stands still or is wrong by this shows no PLC that a cylinder left."""
LOST_AT_ONCE_MS_MAX = 1_500
"""A reader that says goodbye is known to be lost within this: a poll and a look."""
LOST_IN_SILENCE_MS_MAX = 13_000
"""A reader that falls silent is known to be lost after three polls, each as long as it may take."""
AGREE_G = 20
"""Net and totaliser may differ by this on one fill without an alarm (contract §10)."""
UNHEARD_MS_MAX = 450
"""Beyond its lease a gate may stay open for a sample that is still fresh (`RENEW_ON_MS_MAX`), one question
in flight that is not answered (`timeout_ms`, 300), a write and a scan."""
KNOWN_AFTER_S = 0.5
"""So long after it answered for the first time the totaliser of a PLC is in the store."""
LOCKED_MS_MAX = 1_000
"""Nothing flows on under a permit of an earlier life so long after the new one reached the PLC."""
_MISMATCH = re.compile(r"totaliser - net = (-?[0-9]+) g")
_WENT_BACK = re.compile(r"([0-9]+) g -> ([0-9]+) g")


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
    openings: int = 0
    unknown_g: float | None = None
    command: int = 0
    forgets: bool = False
    doubtful_ns: int = 0
    wires_bad_ns: dict[str, int] = field(default_factory=dict)


class Judge:
    """`wrong` is everything that was broken."""

    def __init__(self, world: "World") -> None:
        self.wrong: list[Wrong] = []
        self._world = world
        self._alive_ns = world.ground.now_ns
        self._closed_ns: int | None = None
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
        self._rules(life, now_ns)
        self._watch_wires(rig, watch, now_ns)
        if rig.doubtful:
            watch.doubtful_ns = now_ns
        opened = rig.plc.valve_open
        if opened and not watch.open:
            self._begins(rig, watch)
        elif opened:
            self._goes_on(rig, watch)
        elif watch.open:
            grams = rig.plant.passed_g - watch.began_g
            self._world.ground.note(rig.name, f"the valve closes after {round(grams)} g")
        if opened != watch.open:
            self._world.moment("opens" if opened else "closes", rig.name)
        watch.open = opened
        if rig.plc.command[0] != watch.command:
            watch.command = rig.plc.command[0]
            self._world.moment("permit" if watch.command else "locked", rig.name)
        if rig.plc.renewed_ms != watch.renewed_ms:
            watch.renewed_ms = rig.plc.renewed_ms
            self._renewed(rig, watch)

    def _begins(self, rig: "Rig", watch: _Watch) -> None:
        """Invariant 1 where gas begins to flow."""
        world = self._world
        number = rig.plc.retained.held_permit
        permit = world.ledger.latest(rig.name, number)
        there = rig.cylinder or rig.just_left(LEFT_MS_MAX)
        watch.permit, watch.began_g = permit, rig.plant.passed_g
        watch.here_ns = world.ground.now_ns if rig.cylinder else rig.since_ns
        watch.code = there.code if there else ""
        watch.openings += 1
        world.ground.note(rig.name, f"the valve opens, permit {number}, {watch.code or 'nobody'}")
        if permit is None:
            if not world.ledger.blind:
                self.say(
                    1, f"{rig.name}: gas flows under permit {number}, which was never committed"
                )
            return
        self._denied(rig)
        if permit.state != "pending":
            self.say(1, f"{rig.name}: gas flows under permit {number}, which is {permit.state}")
        if permit.decision != "allow":
            self.say(1, f"{rig.name}: gas flows under a verdict of {permit.decision}")
        if there is None or there.code != permit.code:
            self._impostor(rig, watch, permit)
        elif there.code == permit.code and there.reason is not None:
            self.say(1, f"{rig.name}: gas flows into a cylinder that is {there.reason}")
        limit_g = rig.plc.command[4] << 16 | rig.plc.command[5]
        if limit_g != permit.limit_gross_g:
            self.say(
                1, f"{rig.name}: the PLC trips at {limit_g} g, permitted {permit.limit_gross_g}"
            )

    def _impostor(self, rig: "Rig", watch: _Watch, permit: KnownPermit) -> None:
        """Only a foreign tag, beside a cylinder without tag and label, nobody can tell from its own."""
        if not any(rig.passes_for(x.epc) for x in self._world.fleet.legal if x.code == permit.code):
            into = watch.code or "nobody"
            self.say(1, f"{rig.name}: gas flows into {into}, permitted for {permit.code}")

    def _denied(self, rig: "Rig") -> None:
        """A rule that denies everything, once it was taken up, lets nothing begin to flow."""
        if self._closed_ns is None:
            return
        since_ms = (self._world.ground.now_ns - self._closed_ns) // MS
        if since_ms > self._world.config.lease_ms(rig.name) + UNHEARD_MS_MAX:
            self.say(1, f"{rig.name}: gas begins to flow though a rule in force denies everything")

    def _rules(self, life: Life | None, now_ns: int) -> None:
        house = None if life is None or life.loop.dead else life.house
        pack = None if house is None else house.settings.packs.get("cn-lpg")
        if pack is None or pack.version != CLOSED:
            self._closed_ns = None
        elif self._closed_ns is None:
            self._closed_ns = now_ns

    def _goes_on(self, rig: "Rig", watch: _Watch) -> None:
        """Invariants 1 and 4 while it flows."""
        world, now_ns = self._world, self._world.ground.now_ns
        there = rig.cylinder.code if rig.cylinder else ""
        blind = rig.plant.stuck_scale or abs(rig.plant.jump_g) >= BLIND_G
        if there == watch.code or blind:
            watch.here_ns = now_ns
        elif now_ns - watch.here_ns > LEFT_MS_MAX * MS:
            self.say(1, f"{rig.name}: gas flows on after the cylinder left")
        lease_ms = world.config.lease_ms(rig.name)
        silent_ms = (now_ns - self._alive_ns) // MS
        if silent_ms > lease_ms + SCAN_MS_MAX:
            self.say(4, f"{rig.name}: gas flows {silent_ms} ms after the daemon's last breath")
        unheard_ms = (now_ns - rig.wires["plc"].told_ns) // MS
        if unheard_ms > lease_ms + UNHEARD_MS_MAX:
            self.say(4, f"{rig.name}: gas flows {unheard_ms} ms after the PLC was heard last")
        self._of_earlier_life(rig, watch)
        known = watch.permit and world.ledger.permits.get(watch.permit.id)
        if known and known.state != "pending":
            self.say(2, f"{rig.name}: permit {known.permit_no} was {known.state} while gas flows")

    def _of_earlier_life(self, rig: "Rig", watch: _Watch) -> None:
        """Contract §10: after a crash nothing flows without a new verdict, permit and start."""
        life = self._world.life
        if life is None or watch.permit is None or watch.permit.id not in life.found:
            return
        if rig.mishaps != life.mishaps[rig.name]:
            return  # A lock that the wire does not carry: the lease closes.
        since_ns = max(rig.first_heard_ns, life.began_ns, watch.doubtful_ns)
        reached_ms = self._world.ground.now_ns - since_ns
        if rig.first_heard_ns >= life.began_ns and reached_ms > LOCKED_MS_MAX * MS:
            number = watch.permit.permit_no
            self.say(4, f"{rig.name}: gas flows under permit {number} of an earlier life")

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
        kinds = {"gun": "reader", "qr": "scanner"}
        return {kinds[name.split("-")[0]] for name in self._world.config.required(rig.name)}

    def _watch_wires(self, rig: "Rig", watch: _Watch, now_ns: int) -> None:
        for name, wire in rig.wires.items():
            if wire.plugged and not wire.pulled:
                watch.wires_bad_ns.pop(name, None)
            else:
                watch.wires_bad_ns.setdefault(name, now_ns)

    # When something ends.

    def first_heard(self, rig: "Rig") -> None:
        """The PLC answers for the first time ever: what flowed before it, nobody can know."""
        watch = self._rigs[rig.name]
        if watch.unknown_g is None:
            self._known(rig, watch)
            self._world.ground.after(KNOWN_AFTER_S, self._known, rig, watch)

    def _known(self, rig: "Rig", watch: _Watch) -> None:
        """What flowed until now and no record has."""
        fills = (r for r in self._world.ledger.records if (r.kind, r.rig) == ("fill", rig.name))
        watch.unknown_g = max(0.0, rig.plant.passed_g - sum(r.data["net_g"] for r in fills))

    def forgets_rigs(self) -> None:
        """The store lost what it knew of the rigs: it is as if their PLCs were never heard."""
        for watch in self._rigs.values():
            watch.unknown_g = None

    def plc_forgets(self, rig: "Rig") -> None:
        """Its totaliser begins at 0 again."""
        self._rigs[rig.name].forgets = True

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
        for state, event in sorted(self._world.pairs):
            if why := impossible(state, event):
                self.say(0, f"{state} met {event}, though {why}")
        ledger = self._world.ledger
        for text in (each for record in ledger.records for each in against_record(record.body)):
            self.say(3, text)
        fills = [record for record in ledger.records if record.kind == "fill"]
        of_permit: dict[str, list[Known]] = {}
        for record in fills:
            of_permit.setdefault(record.data.get("permit_id") or "", []).append(record)
        for permit in ledger.permits.values():
            if permit.id in ledger.gone and permit.state == "pending":
                continue
            made = of_permit.get(permit.id, [])
            count = len(made)
            if any(record.id != permit.record_id for record in made):
                self.say(3, f"{permit.rig}: permit {permit.permit_no} has a record of another id")
            if permit.state == "pending":
                self.say(2, f"{permit.rig}: permit {permit.permit_no} never ended")
            if count != 1:
                self.say(2, f"{permit.rig}: permit {permit.permit_no} has {count} records")
        for rig in self._world.rigs.values():
            self._weigh(rig, [record for record in fills if record.rig == rig.name])
        self._delivered()
        self._taken_up()

    def _taken_up(self) -> None:
        """What the files say is what runs: rigs, devices and rules."""
        life = self._world.life
        if life is None or life.house is None:
            return
        wanted, runs = self._world.config.take().examined.settings, life.house.settings
        if wanted is None:
            self.say(0, "the files were mended, and are wrong")
            return
        for name in ("rigs", "devices", "packs"):
            if getattr(wanted, name) != getattr(runs, name):
                self.say(0, f"the files were mended, and other {name} run")

    def _weigh(self, rig: "Rig", fills: list[Known]) -> None:
        """Invariant 2: records and alarmed differences make what flowed.

        With a PLC that lost its memory they make what its totaliser shows, or what flowed.
        """
        recorded_g = sum(record.data["net_g"] for record in fills)
        mismatch_g, jumped_g = self._alarmed(rig.name)
        truth_g, shown_g = rig.plant.passed_g, rig.plc.retained.total_g
        most_g = AGREE_G * (len(fills) + 1) + (self._rigs[rig.name].unknown_g or 0)
        self._world.ground.note(
            rig.name,
            f"{truth_g:.0f} g flowed, {recorded_g} g recorded, {mismatch_g} g alarmed, "
            f"the totaliser shows {shown_g} g and jumped by {jumped_g} g",
        )
        differences = [truth_g - recorded_g - mismatch_g]
        if self._rigs[rig.name].forgets:
            differences.append(shown_g - recorded_g - mismatch_g - jumped_g)
            differences.append(truth_g - recorded_g)
        if min(abs(each) for each in differences) > most_g:
            missing_g = round(differences[0])
            self.say(2, f"{rig.name}: {missing_g} g flowed that nobody recorded or alarmed")

    def _alarmed(self, rig: str) -> tuple[int, int]:
        """Grams by which alarms correct records, and by which the totaliser is said to jump."""
        mismatch_g = jumped_g = 0
        for record in self._world.ledger.records:
            if record.kind != "alarm" or record.rig != rig:
                continue
            detail = str(record.data.get("detail"))
            if match := _MISMATCH.search(detail):
                mismatch_g += int(match[1])
            elif match := _WENT_BACK.search(detail):
                jumped_g += int(match[2]) - int(match[1])
        return mismatch_g, jumped_g

    def _delivered(self) -> None:
        """Invariant 3: the platform has every record, the same."""
        taken = self._world.platform.taken
        for record in self._world.ledger.records:
            if record.sequence not in taken:
                if record.sequence in self._world.ledger.lost:
                    continue
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
