"""A station, a broker, somebody who listens, and the daemon as a process that is hurt.

The simulated devices live here, outside the daemon, and go on whatever happens to it; workers
bring cylinders, press start and take them away again, whatever it says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic_ns

from gatewayd.sim.cylinders import YSP118, Fleet, SimCylinder, make_fleet
from gatewayd.sim.station import SimStation, StationSpec
from gatewayd.sim.worker import Habits, Visit, Worker, plan
from gatewayd.store.reads import Reader
from tests.bench.house import fill_archive
from tests.e2e.house import Daemon
from tests.histories.ledger import Ledger
from tests.soak.ear import Ear
from tests.soak.moments import UP_S_MAX, Moments
from tests.soak.tally import Tally
from tests.soak.truth import RigTruth
from tests.support.brokers import Broker, Mosquitto

LOOK_S = 0.002
CYLINDERS = 1_000
HABITS = Habits(patience_s=2.5, reach_s=0.08, start_within_s=3.0, linger_s=0.2, gap_s=0)
"""A quick worker."""
GAP_TICKS, TICK_S = 120, 0.01
"""Nobody changes a cylinder in less than 1.2 s, see `tests/histories/people.py`. In turns of the loop:
when this process stands still for want of a CPU, its PLCs do too, and the daemon must see the gap."""
WIRE_TICKS = 5
"""Turns in which what lies in the wires reaches the PLCs, however long a turn takes."""
REST_S_MAX = GAS_S_MAX = 240.0
"""End waits that would hang; a daemon that ends by itself ends them at once."""
PATIENT_S = 60.0
"""So long a worker waits for an answer of a daemon that nobody hurts."""
QUIET_S = 1.5
PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """What to build.

    `edit` changes the written configuration; `before` starts the daemon, as `nsenter --net=…`;
    `host` is where devices on TCP listen, `broker_url` where the daemon finds the broker.
    """

    seed: int
    rigs: int = 4
    lease_ms: int = 1_000
    speed: float = 30.0
    edit: Callable[["Site"], None] = lambda _site: None
    before: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    broker: Callable[[Path], Broker] = Mosquitto
    broker_url: Callable[["Site"], str] = lambda site: site.broker.url


class Unhurried(Worker):
    """A worker who waits until everybody on the wires can have seen that the scale is empty."""

    async def serve(self, cylinder: SimCylinder) -> Visit:
        """One cylinder, and the gap behind it."""
        visit = await super().serve(cylinder)
        for _ in range(GAP_TICKS):
            await asyncio.sleep(TICK_S)
        return visit


class PlacedDaemon(Daemon):
    """The daemon, started by another program where one is named."""

    def __init__(self, directory: Path, before: Sequence[str]) -> None:
        super().__init__(directory)
        self._before = tuple(before)

    def command(self, *words: str) -> tuple[str, ...]:
        """`gatewayd -c DIR words`, behind what places it."""
        return (*self._before, *super().command(*words))


@dataclass(slots=True)
class Site:
    """Everything around one daemon. Build it with `open_site`.

    `whole`: at rest the ear has every record; not so where a broker may forget.
    """

    directory: Path
    spec: SiteSpec
    tally: Tally
    station: SimStation
    broker: Broker
    daemon: PlacedDaemon
    ear: Ear
    moments: Moments = field(default_factory=Moments)
    truths: dict[str, RigTruth] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    whole: bool = True
    _unasked: dict[str, int] = field(default_factory=dict)
    _began_ns: int = 0

    @property
    def config(self) -> Path:
        """Where the daemon's files are."""
        return self.daemon.directory

    @property
    def store(self) -> Path:
        """The store's file."""
        return self.config / "gatewayd.db"

    @property
    def root(self) -> str:
        """Topics begin with this."""
        return f"gatewayd/v1/{self.station.spec.station_id}"

    # The daemon's life and death.

    async def start(self) -> None:
        """Start the daemon; gates being asked for the first time is a moment."""
        self._unasked = {rig.name: rig.plc.slave.requests for rig in self.station.rigs}
        self._began_ns = monotonic_ns()
        await self.daemon.start()

    async def serving(self) -> None:
        """Return once every gate is spoken to."""
        await self.daemon.until(self.up, UP_S_MAX)

    def up(self) -> bool:
        """Whether this life has spoken to every gate."""
        return not self._unasked

    def started(self) -> bool:
        """Whether this life's start is over, well or not."""
        return self.up() or self.daemon.end is not None

    async def kill(self) -> None:
        """SIGKILL. Whether it still lived then, and where every rig stood, is told."""
        process = self.daemon.process
        assert process is not None
        if process.returncode is not None:
            self.tally.say(f"the daemon ended by itself: {self.daemon.last_words()[-1500:]}")
        else:
            process.kill()
        for truth in self.truths.values():
            self.tally.add(f"killed while: {truth.phase}")
        await self.deaf(*self.truths.values())
        await process.wait()
        self.daemon.process = None

    async def deaf(self, *truths: RigTruth) -> None:
        """Nothing new comes to these rigs from now on; return when nothing is in their wires."""
        for truth in truths:
            truth.dies()
        for _ in range(WIRE_TICKS):
            await asyncio.sleep(TICK_S)
        for truth in truths:
            truth.drained()

    # People.

    def work(self) -> None:
        """Workers go to the rigs."""
        station = self.station
        come = plan(station.fleet, len(station.rigs), self.spec.seed)
        for rig, cylinders in zip(station.rigs, come, strict=True):
            worker = Unhurried(rig, cylinders, HABITS, seed=self.spec.seed)
            station.workers.append(worker)
            station._tasks.append(station._group.create_task(worker.run()))

    async def rest(self) -> None:
        """Once gas has flowed, workers finish, and all that is owed is recorded and delivered."""
        for worker in self.station.workers:
            worker.habits = replace(worker.habits, patience_s=PATIENT_S)
        await self.daemon.until(lambda: any(truth.gas for truth in self.truths.values()), GAS_S_MAX)
        await self.station.finish()
        await self.daemon.until(self._at_rest, REST_S_MAX, instead=self._unrest)
        held = 0.0
        while held < QUIET_S:
            await asyncio.sleep(QUIET_S / 10)
            held = held + QUIET_S / 10 if self._at_rest() else 0.0

    def _at_rest(self) -> bool:
        return not self._unrest()

    def _unrest(self) -> str:
        for rig in self.station.rigs:
            if rig.plc.valve_open or rig.plc.permit_echo:
                return f"{rig.name} is open or permitted"
            if self.ear.states.get(rig.name) != "locked":
                return f"{rig.name} shows {self.ear.states.get(rig.name)}"
        with Reader.open(self.store) as store:
            if pending := store.rigs_with_pending_permits():
                return f"permits are pending: {pending}"
            last, heard = store.last_sequence(), len(set(self.ear.bodies))
            if heard < last and self.whole:
                return f"{heard} of {last} records were heard"
            return "" if store.cursor(PLATFORM) >= last else "the platform has not taken everything"

    # What goes on all the time.

    async def watch(self) -> None:
        """See what comes upstream, what the store writes, and which gates are asked."""
        log, grown, looked_ns = Path(f"{self.store}-wal"), 0, monotonic_ns()
        while True:
            now_ns = monotonic_ns()
            still_ms = (now_ns - looked_ns) / 1e6
            self.tally.at_most("PLCs and readers stood still for want of a CPU (ms)", still_ms)
            looked_ns = now_ns
            for topic in self.ear.take():
                self._heard(topic)
            written = _written_ns(log)
            if written != grown:
                grown = written
                self.moments.tell("commit")
            if self._unasked:
                self._asked()
            await asyncio.sleep(LOOK_S)

    def _heard(self, topic: str) -> None:
        if topic.startswith("records/"):
            self.moments.tell("record")
            return
        name = topic.split("/")[1] if "/" in topic else ""
        if self.ear.states.get(name) == "refused":
            self.moments.tell("refused")
            next(rig for rig in self.station.rigs if rig.name == name).tell_refused()

    def _asked(self) -> None:
        for rig in self.station.rigs:
            before = self._unasked.get(rig.name)
            if before is not None and rig.plc.slave.requests > before:
                del self._unasked[rig.name]
                self.moments.tell("asked")
        if not self._unasked:
            took_ms = (monotonic_ns() - self._began_ns) / 1e6
            self.tally.times("from exec until every gate is asked", [took_ms])


def _written_ns(file: Path) -> int:
    """When a file was written last; 0 when there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _station(spec: SiteSpec) -> SimStation:
    today = datetime.now(UTC).astimezone().date()
    station = SimStation(
        StationSpec(
            today=today,
            rigs=spec.rigs,
            seed=spec.seed,
            lease_ms=spec.lease_ms,
            speed=spec.speed,
            host=spec.host,
            habits=HABITS,
        )
    )
    fleet = make_fleet(today=today, seed=spec.seed, legal=CYLINDERS)
    light = tuple(one for one in fleet.legal if one.entry.model != YSP118.model)
    station.fleet = Fleet(light, fleet.illegal)
    return station


@asynccontextmanager
async def open_site(
    directory: Path, spec: SiteSpec, tally: Tally, config: Path | None = None
) -> AsyncIterator[Site]:
    """Everything but the daemon runs, its archive is imported; `config` may lie on another disk."""
    config = config or directory / "config"
    config.mkdir(exist_ok=True)
    station = _station(spec)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(station)
        broker = spec.broker(directory)
        await asyncio.to_thread(stack.enter_context, broker)
        root = f"gatewayd/v1/{station.spec.station_id}"
        ear = Ear(broker.port, root, directory / "heard")
        await stack.enter_async_context(ear)
        site = Site(directory, spec, tally, station, broker, PlacedDaemon(config, spec.before), ear)
        station.write_config(config, spec.broker_url(site))
        spec.edit(site)
        await fill_archive(config, station.fleet.archive())
        for rig in station.rigs:
            site.truths[rig.name] = RigTruth(rig, spec.lease_ms, tally.say, site.moments.tell)
        stack.push_async_callback(site.daemon.bury)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(site.watch())
            try:
                yield site
            finally:
                watching.cancel()
