"""What a rig sees: its gate's last sample, who stands there, which devices are well.

`take` and `device` are plain calls of drivers and supervision; `view` is everything at one moment.
"""

from dataclasses import replace

from drivers.contract import CodeRead, GateSample, Reading, TagRead
from drivers.readings import Unread
from gatewayd.clock import MS, SECOND, Clock
from gatewayd.errors import StoreError
from gatewayd.logs import logger
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.cards import Cards, Shelf
from gatewayd.rigs.held import Held
from gatewayd.rigs.identity import SHOWN_MAX, identify
from gatewayd.rigs.leak import Leak
from gatewayd.rigs.model import NOBODY, STORE_ILL, Identity, View
from gatewayd.rigs.presence import Presence
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.tag_memory import memories_of
from gatewayd.rigs.timings import Timings
from gatewayd.rigs.wishes import Wishes


class Watch:
    """The eyes of one rig."""

    def __init__(
        self,
        bench: Bench,
        archive: Shelf,
        clock: Clock,
        sightings: Sightings | None = None,
        timings: Timings | None = None,
    ) -> None:
        self.sample: GateSample | None = None
        self._rig = bench.rig
        self._region = bench.station.region
        self._bench = bench
        self._archive = archive
        self._sightings = sightings
        self._timings = timings or Timings()
        self._echo = 0
        self._place = bench.rig_id
        self._clock = clock
        self._log = logger("rigs").bind(rig=bench.rig_id)
        self._cards = Cards(archive, clock, bench.station.region)
        self._presence = Presence(bench.rig)
        self._leak = Leak()
        self._identity = NOBODY
        self._news = True
        self._unreadable = False
        self._steady = False
        self._states: dict[str, str] = {}

    def take(self, reading: Reading) -> bool:
        """Take one reading of one of this rig's devices; True when the rig should look."""
        if isinstance(reading, GateSample):
            last = self.sample
            if last is not None and reading.at_ns - last.at_ns > self._rig.stale_after_ms * MS:
                if not _flows_on(last, reading):
                    self._news = True
                    self._presence.doubt(reading.at_ns)
                last = None
            self.sample = reading
            before = self._presence.number
            self._presence.weigh(reading)
            self._leak.feed(reading)
            self._time_permit(reading)
            same = before != 0 and self._presence.number == before
            self._steady = same and last is not None and last.stable and reading.stable
            self._news = self._news or self._presence.number != before
            return True
        if isinstance(reading, Unread):
            self._news = self._presence.heard(reading) or self._news
            return False  # It waits for the end of the time to identify, which is looked at anyway.
        if not isinstance(reading, TagRead | CodeRead):
            return False  # Weights and outputs reach a rig as the samples of its gate.
        if self._cards.mine(reading):
            return False
        seen = self._presence.saw(reading)
        self._news = self._news or seen
        return seen

    def _time_permit(self, sample: GateSample) -> None:
        """How long it took from who stands there to the echo of a permit."""
        last, self._echo = self._echo, sample.permit_echo
        if self._echo and self._echo != last and self._presence.on:
            waited_ns = sample.at_ns - self._presence.told_ns()
            self._timings.of(self._place).scan_to_permit.note(max(0, waited_ns) / SECOND)

    def device(self, name: str, state: str) -> None:
        """A device of this rig changed its state (contract §6)."""
        self._states[name] = state
        if name == self._rig.gate and state != "up":
            self._lose()

    def anew(self) -> "Watch":
        """Eyes that have seen nothing yet, beside which devices are up."""
        self.leave()
        eyes = (self._bench, self._archive, self._clock, self._sightings, self._timings)
        fresh = Watch(*eyes)
        fresh._states = self._states
        fresh._presence.arrivals = self._presence.arrivals  # No number is used twice.
        return fresh

    def look_again(self, *, archive: bool) -> None:
        """The `archive` changed: ask it again who stands here; it may be held by now."""
        self._news = self._news or archive

    def _lose(self) -> None:
        self.sample, self._steady = None, False
        self._presence.lose()
        self._news = True

    def view(self, *, trouble: str, wishes: Wishes) -> View:
        """Everything at this moment. `trouble` = what the rig itself knows to be wrong."""
        now_ns = self._clock.monotonic_ns()
        sample = self.sample
        if sample is not None and now_ns - sample.at_ns > self._rig.stale_after_ms * MS:
            self._lose()
        identity = self._who(now_ns)
        return View(
            now_ns=now_ns,
            wall=self._clock.wall(),
            sample=self.sample,
            presence=self._presence.number,
            identity=identity,
            found=self._presence.found,
            steady=self._steady,
            leaked_g=self._leak.told_g,
            ill=self._ill() or trouble,
            stopping=wishes.stopping,
            locked=wishes.lock is not None,
            recalled=wishes.recalled,
            people=wishes.people.revision,
            acknowledged=wishes.people.acknowledged,
        )

    def _who(self, now_ns: int) -> Identity:
        """The identity, worked out again only when something new was seen; nobody = NOBODY."""
        if self._presence.number == 0:
            self._identity, self._unreadable = NOBODY, False
            self._nobody()
            return NOBODY
        if self._news:
            self._identify()
        lost, elsewhere = self._presence.tag_lost(now_ns), self._elsewhere(self._identity)
        if (lost, elsewhere) != (self._identity.tag_lost, self._identity.elsewhere):
            self._identity = replace(self._identity, tag_lost=lost, elsewhere=elsewhere)
        return self._identity

    def _elsewhere(self, who: Identity) -> str | None:
        """Tell where this cylinder stands, and hear where it is, too."""
        if self._sightings is None or who.status != "one" or who.cylinder is None:
            return None
        self._sightings.stands(self._place, who.cylinder.code)
        return self._sightings.elsewhere(self._place, who.cylinder.code) or ""

    def leave(self) -> None:
        """The rig ends: what stands there is nobody's to watch any more."""
        if self._sightings is not None:
            self._sightings.lost(self._place)

    def _nobody(self) -> None:
        """The scale is empty, or nobody can tell what stands on it."""
        if self._sightings is None:
            return
        if self.sample is None:
            self._sightings.lost(self._place)
        else:
            self._sightings.empty(self._place)

    def _identify(self) -> None:
        try:
            who = identify(self._presence, self._archive, region=self._region)
            texts = tuple(seen.text for seen in self._presence.sightings())
            if who.cylinder is not None and any(map(self._cards.both, texts)):
                who = Identity("many", shown=texts[:SHOWN_MAX])
            told = who.status != "waiting"
            self._identity = replace(who, held=self._held()) if told else who
        except StoreError as exc:
            if not self._unreadable:
                self._log.exception("archive.unreadable", error=str(exc))
            self._identity, self._unreadable = NOBODY, True
        else:
            self._news = self._unreadable = False

    def _held(self) -> tuple[Held, ...]:
        """What the tags hold, where their readers are asked for it."""
        memories = memories_of(self._bench.sources)
        if memories is None:
            return ()
        tags = (seen for seen in self._presence.sightings() if seen.is_tag)
        return memories.held(self._rig, ((t.device, t.text, t.contents) for t in tags))

    def _ill(self) -> str:
        """Which required device is not up, or the archive that cannot be read; empty = well."""
        for item in self._rig.identify:
            if item.require and self._states.get(item.device) != "up":
                return item.device
        return STORE_ILL if self._unreadable else ""


def _flows_on(before: GateSample, now: GateSample) -> bool:
    """Whether the same fill runs on: a gate ends it when its cylinder leaves, so it is the same one."""
    flows = before.filling and now.filling and now.cylinder_on
    return flows and (before.fills, before.permit_echo) == (now.fills, now.permit_echo)
