"""A machine whose clock is moved, kept and set by the test; the store beneath it is a real one."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gatewayd.clock import SECOND
from gatewayd.ids import new_id
from gatewayd.settings.model import ClockSettings
from gatewayd.store.model import RecordDraft
from gatewayd.store.store import Store
from gatewayd.timekeeping.keeper import Timekeeper
from tests.support.stores import STATION, ZONE

BUILT = date(2026, 7, 1)
NOON = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)


class Machine:
    """Its clock: runs by `pass_`, is set by `set_by`; `ntp` is what the kernel says."""

    def __init__(self, wall: datetime = NOON, *, ntp: bool | None = False) -> None:
        self._wall = wall
        self._ran_ns = 7 * SECOND
        self.ntp = ntp

    def wall(self) -> datetime:
        return self._wall

    def monotonic_ns(self) -> int:
        return self._ran_ns

    def pass_(self, seconds: float) -> None:
        self._wall += timedelta(seconds=seconds)
        self._ran_ns += round(seconds * SECOND)

    def set_by(self, seconds: float) -> None:
        self._wall += timedelta(seconds=seconds)

    def set_to(self, wall: datetime) -> None:
        self._wall = wall


@dataclass
class Site:
    """A store and whoever watches the clock over it."""

    machine: Machine
    store: Store
    keeper: Timekeeper

    async def look(self) -> str:
        """One look, kept as the daemon keeps it; the word of the doubt, or the quality."""
        self.keeper.refresh()
        found = self.keeper.look()
        mark = self.keeper.unkept(found)
        if mark is not None:
            await self.store.keep_clock(mark)
            self.keeper.kept(mark)
        return found.quality if found.doubt is None else found.doubt.kind

    async def record(self) -> None:
        """A record of now."""
        draft = RecordDraft(new_id(), "alarm", "rig-1", self.machine.wall(), {"text": "x"})
        await self.store.append(draft)

    def restart(self, settings: ClockSettings | None = None) -> None:
        """Another daemon over the same store."""
        self.keeper = keeper(self.machine, self.store, settings)


def keeper(machine: Machine, store: Store, settings: ClockSettings | None = None) -> Timekeeper:
    return Timekeeper(
        machine,
        settings or ClockSettings(),
        store,
        ask_ntp=lambda: machine.ntp,
        built_on=BUILT,
    )


def site(folder: Path, machine: Machine | None = None) -> Site:
    """A new station."""
    machine = machine or Machine()
    store = Store.open(folder / "gatewayd.db", station_id=STATION, zone=ZONE, clock=machine)
    return Site(machine, store, keeper(machine, store))
