"""The world of one history: rigs, people, platform, clock, and one life of the daemon after another."""

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw

from gatewayd.clock import SECOND
from gatewayd.store.clock import vouch
from tests.histories.config import Config, files
from tests.histories.damage import Damage
from tests.histories.ground import Ground
from tests.histories.judge import Judge
from tests.histories.ledger import Ledger
from tests.histories.life import STORE, Life, VirtualClock
from tests.histories.people import Person, Script, run, until
from tests.histories.plan import Plan
from tests.histories.platform import Platform
from tests.histories.rigs import Rig
from tests.histories.settings import station
from tests.histories.wires import Network

QUIET_S = 12.0
"""Longer than any wait of a rig: by then everything open is settled."""
RECORDED_S = 4.0
"""By then a good fill is recorded and has reached the platform."""
GOOD_END_S = 60.0
"""Within this a healed station fills a legal cylinder."""
STOP_S_MAX = 5.0
"""Contract §10."""
LIVES_MAX = 60
IN_FILES = re.compile(r"[^ :\[']*/(?=(?:rigs|devices|rules)/)")
"""Where a configuration was read: another folder each time."""
BROKEN = frozenset({"device.fault", "gate.fault", "part.failed"})
"""What the daemon says of bugs that it contained."""
TOLD = frozenset(
    {"rig.state", "permit.issued", "permit.resolved", "cylinder.refused", "alarm", "device.up"}
    | {"device.down", "gate.failed", "permit.orphaned", "upstream.down", "upstream.up"}
    | {"upstream.refused", "gatewayd.stopping", "device.trouble", "store.damaged"}
    | {"store.quarantined", "config.not_taken_up", "reload.exchanged", "rules.changed"}
)
NOT_TOLD = frozenset({"exc_info", "data", "record", "logger", "retry_s", "detail_", "hint"})


class World:
    """Build, `live`, then read `judge.wrong`."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.seed = plan.seed
        self.ground = Ground()
        self.network: Network = {}
        self.clock = VirtualClock(self.ground)
        self.ledger = Ledger()
        self.platform = Platform(random.Random(f"{plan.seed}/platform"))
        self.config = Config(folder / "config", files(plan.rigs), self._stamp_ns)
        self.damage = Damage()
        self.life: Life | None = None
        self.fleet = station().fleet
        self.transitions: set[tuple[str, str]] = set()
        self.pairs: set[tuple[str, str]] = set()
        self._states: dict[str, str] = {}
        self.finished = False
        self.disk_full = False
        self.lives = 0
        self.misconfigured = 0
        self._folder = folder
        self.image = folder / "0"
        rng = random.Random(f"{plan.seed}/rigs")
        self.rigs = {n: Rig.build(n, self.ground, self.network, rng, plan.speed) for n in plan.rigs}
        self.people = {
            name: Person(
                rig, station().fleet, [v for v in plan.visits if v.rig == name], self.moment
            )
            for name, rig in self.rigs.items()
        }
        self.judge = Judge(self)
        self.image.mkdir()
        (self.image / STORE).write_bytes(station().store)

    def live(self) -> None:
        """The whole history."""
        for rig in self.rigs.values():
            rig.on_scan = self.judge.scan
        for person in self.people.values():
            run(self.ground, person.work())
        self.plan.hooks.begin(self)
        run(self.ground, self._direct())
        while not self.finished:
            self._one_life()

    def _one_life(self) -> None:
        self.lives += 1
        if self.lives - self.misconfigured > LIVES_MAX:
            self.judge.say(0, "the daemon ends again and again")
            self.finished = True
            return
        folder = self.image
        self.image = self._folder / str(self.lives)
        self.life = Life(self, self.lives, folder)
        self.life.disk.full = self.disk_full
        self.ground.note("daemon", f"starts (life {self.lives})")
        end = self.life.run()
        if end == "no_config":
            self.misconfigured += 1  # systemd tries again each second, until the files are mended.
        self.judge.ended(self.life, end)
        self.ground.note(
            "daemon", f"ended: {end}" + (f" ({self.life.error})" if self.life.error else "")
        )
        if end != "killed":
            self.life.disk.copy_to(self.image)
        self.life = None
        if not self.finished:
            again_s = max(1.0, self.plan.restart_s) if end == "no_config" else self.plan.restart_s
            self.ground.run_until(self.ground.now_ns + round(again_s * SECOND))

    def moment(self, name: str, rig: str) -> None:
        """Something happened that faults like to follow."""
        self.plan.hooks.moment(self, name, rig)

    def ring(self) -> None:
        """SIGHUP: the daemon, if there is one, reads its files again."""
        if self.life is not None and self.life.bell is not None and not self.life.loop.dead:
            self.life.loop.call_soon(self.life.bell.ring)

    def _stamp_ns(self) -> int:
        return round(self.clock.wall().timestamp()) * SECOND

    # What a life tells.

    def began(self, life: Life) -> None:
        """Its store is open."""
        self.damage.began(self, life)
        self.ledger.compare(life.path)
        life.found = frozenset(self.ledger.permits)
        for rig in self.rigs.values():
            rig.first_heard_ns = 0
            life.mishaps[rig.name] = rig.mishaps
        self.moment("starts", "")

    def committed(self, life: Life) -> None:
        """A commit was tried."""
        self.moment("commits", "")
        self.ledger.look(life.path)

    def on_disk(self, op: str, name: str) -> None:
        """The disk is about to be written to."""
        self.plan.hooks.on_disk(self, op, name)

    def log(self, method: str, event: dict[str, Any]) -> None:
        """What the daemon logs: the interesting part goes into the story."""
        if self.life is None or self.life.loop.dead:
            return
        name = str(event.pop("event"))
        if name in BROKEN:
            who = event.get("device") or event.get("rig") or event.get("part")
            self.judge.say(0, f"{name}: {who} {event.get('error')}")
        if name == "device.up" and str(event["device"]).startswith("plc-"):
            self.judge.first_heard(self.rigs[str(event["device"]).replace("plc", "rig")])
        if name == "rig.state":
            self._enter(str(event["rig"]), str(event["state"]))
        if name in TOLD or method in {"error", "exception", "critical"}:
            shown = {k: v for k, v in event.items() if k not in NOT_TOLD and v is not None}
            text = ", ".join(f"{key} {value}" for key, value in shown.items())
            told = IN_FILES.sub("FILES/", text.replace(str(self._folder), "DISK"))
            self.ground.note("daemon", f"{name}: {told}")

    def _enter(self, rig: str, state: str) -> None:
        before, self._states[rig] = self._states.get(rig, "locked"), state
        self.transitions.add((before, state))

    # Violence.

    def kill(self, *, power_cut: random.Random | None = None) -> None:
        """The process ends here; its disk stays as it is now."""
        life = self.life
        if life is None or life.loop.dead:
            return
        self.ground.note("fault", "power is cut" if power_cut else "the process is killed")
        life.loop.die()
        life.disk.copy_to(self.image, power_cut=power_cut)

    # The end of the history.

    def _direct(self) -> Script:
        try:
            yield from self._scenes()
        finally:
            self.finished = True  # Also when it breaks: no history goes on without its end.

    def _scenes(self) -> Script:
        yield self.plan.seconds
        self.ground.note("world", "everything is healed")
        self.plan.hooks.heal(self)
        for person in self.people.values():
            person.stopping = True
        yield from until(self.ground, lambda: all(p.done for p in self.people.values()), 60.0)
        for rig in self.rigs.values():
            rig.take_away()
        yield from self.damage.found_at_last(self)
        yield QUIET_S / 2
        self._vouch()
        self.damage.made_good(self)
        yield QUIET_S / 2
        yield from self._good_end()
        yield RECORDED_S
        self.judge.at_rest()
        yield from self._stop()

    def _vouch(self) -> None:
        """A person compared the clock, which is right again, and says so."""
        if self.life is None:
            return
        self.ground.note("world", "somebody vouches for the clock")
        connection = apsw.Connection(str(self.life.path), vfs="unix")
        with connection:
            vouch(connection, self.clock.wall().isoformat(timespec="milliseconds"))
        connection.close()

    def _good_end(self) -> Script:
        """A healed station fills a legal cylinder at every rig."""
        for name, rig in self.rigs.items():
            person, visit = self.people[name], self.plan.last_visit(name)
            filled = person.filled
            end_s = self.ground.time() + GOOD_END_S
            while person.filled == filled and self.ground.time() < end_s:
                yield from person.serve(visit)
                visit = replace(visit, cylinder=visit.cylinder + 1)  # That one may be overfull.
            if person.filled == filled:
                self.judge.say(4, f"{name}: healed, but no legal cylinder was filled any more")
            rig.take_away()

    def _stop(self) -> Script:
        life = self.life
        self.finished = True
        if life is None or life.stop is None:
            self.judge.say(4, "healed, but the daemon does not run")
            return
        asked_s = self.ground.time()
        life.loop.call_soon(life.stop.set)
        while self.life is life and not life.loop.is_closed():
            yield 0.1
            if self.ground.time() - asked_s > STOP_S_MAX:
                self.judge.say(4, f"not stopped within {STOP_S_MAX} s")
                life.loop.die()
                return
