"""Builds everything from settings, wired and not started: the composition root's first half.

`app.py` runs what is built here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import Driver, Reading, Trouble
from drivers.plc.budget import Budget
from drivers.plc.wire import Wire
from gatewayd import __version__, wires
from gatewayd.alarms.alarms import OF_THE_STATION, Alarms
from gatewayd.alarms.watchman import Watchman
from gatewayd.board import Board
from gatewayd.clock import Clock
from gatewayd.commission.turned import Turned
from gatewayd.desk.outside import Outside
from gatewayd.ids import new_id
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.clock_facts import ClockTrust
from gatewayd.rigs.composite import Composite, Front
from gatewayd.rigs.evidence import stamp
from gatewayd.rigs.gates import Hands, gate_for
from gatewayd.rigs.history import Ownership, RetiredCodes
from gatewayd.rigs.means import Means
from gatewayd.rigs.overfull import Overfull
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.sources import ArchiveAge, FactSource, RigLocks
from gatewayd.settings.model import Settings
from gatewayd.settings.upstreams import upstream_table
from gatewayd.store.reads import Reads
from gatewayd.store.store import Store
from gatewayd.supervise import DeviceStatus, Supervisor
from gatewayd.timekeeping.keeper import Timekeeper
from gatewayd.timekeeping.watch import ClockWatch
from gatewayd.troubles import Standing
from gatewayd.upstreams.contract import Upstream, UpstreamContext, make_upstream


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs, built and wired, nothing started."""

    settings: Settings
    store: Store
    board: Board
    alarms: Alarms
    watchman: Watchman
    clock_watch: ClockWatch
    context: UpstreamContext
    supervisors: tuple[Supervisor, ...]
    rigs: Mapping[str, Rig]
    outside: Outside
    composites: tuple[Composite, ...]
    upstreams: tuple[Upstream, ...]

    def any_permit(self) -> bool:
        """Whether any rig has a permit that is not settled."""
        return any(rig.state.permit is not None for rig in self.rigs.values())


def suppliers(settings: Settings, reads: Reads, clock: FactSource) -> tuple[FactSource, ...]:
    """Everyone who knows facts for a judgement; rigs and `gatewayd verdict` ask the same."""
    past = (RetiredCodes(reads), Ownership(), Overfull(reads))
    return (ArchiveAge(settings.archive, reads), RigLocks(reads), clock, *past)


def build(settings: Settings, store: Store, clock: Clock) -> House:
    """Wire settings to parts; touches no device and no network."""
    board = Board()
    alarms = watching(settings, store, board, clock)
    boot_id = new_id()
    kinds = upstream_table()
    drivers = {
        name: device.driver.make(name, device.settings, settings.profiles)
        for name, device in settings.devices.items()
    }
    supervisors: dict[str, Supervisor] = {}

    def tell(device: str, trouble: Trouble) -> None:
        supervisors[device].troubles.add(trouble)

    hands = Hands(drivers, settings.devices, store, clock, tell)
    keeper = Timekeeper(clock, settings.clock, store)
    sources = suppliers(settings, store, ClockTrust(keeper))
    rigs, composites = {}, []
    fronts: dict[str, Front] = {}
    means = Means(store, board, alarms, clock, seen_before(settings, store, clock))
    for name, rig in settings.rigs.items():
        packs = tuple(settings.packs[p] for p in rig.rules)
        bench = Bench(name, rig, settings.station, packs, sources)
        gate = gate_for(bench, hands)
        fronts[name] = rigs[name] = Rig(bench, gate, means)
        if isinstance(gate, Composite):
            gate.stand_before(rigs[name])
            composites.append(gate)
            fronts[name] = gate
    context = UpstreamContext(
        store, board, settings.station.id, clock, boot_id, __version__, settings.directory
    )
    for name, driver in drivers.items():
        supervisors[name] = _supervisor(driver, settings, fronts, context)
    return House(
        settings=settings,
        store=store,
        board=board,
        alarms=alarms,
        watchman=Watchman(alarms, store, board, clock),
        clock_watch=ClockWatch(
            keeper,
            store=store,
            board=board,
            clock=clock,
            zone=ZoneInfo(settings.station.timezone),
            alarms=alarms,
        ),
        context=context,
        supervisors=tuple(supervisors.values()),
        rigs=rigs,
        outside=Outside(store, rigs),
        composites=tuple(composites),
        upstreams=tuple(
            make_upstream(kinds.get(up.driver), name, up.settings, context)
            for name, up in settings.upstreams.items()
        ),
    )


def seen_before(settings: Settings, store: Store, clock: Clock) -> Sightings:
    """The places of the station, with what an earlier life saw there. Raises StoreError."""
    station = settings.station
    sightings = Sightings(clock, travel_s=station.travel_s, unseen_s=station.unseen_s)
    sightings.remember(store.sightings(), rigs=settings.rigs)
    return sightings


def watching(settings: Settings, store: Store, board: Board, clock: Clock) -> Alarms:
    """The alarms, with those that an earlier life left standing. Raises StoreError."""
    station = settings.station
    alarms = Alarms(
        station.id, store=store, board=board, clock=clock, zone=ZoneInfo(station.timezone)
    )
    named = (settings.rigs, settings.devices, settings.upstreams, settings.packs)
    alarms.restore({*OF_THE_STATION, *(name for names in named for name in names)})
    return alarms


def _supervisor(
    driver: Driver, settings: Settings, fronts: Mapping[str, Front], context: UpstreamContext
) -> Supervisor:
    """A supervisor whose readings and states reach every rig that names the device."""
    served = tuple(
        fronts[name]
        for name, rig in settings.rigs.items()
        if driver.name in {rig.gate, rig.scale, *(item.device for item in rig.identify)}
    )
    zone = ZoneInfo(settings.station.timezone)
    device = settings.devices[driver.name]
    wire = device.driver.wire(device.settings)

    def emit(reading: Reading) -> None:
        for rig in served:
            rig.take(reading)
        turned.take(reading)

    def on_status(status: DeviceStatus) -> None:
        show_device(context.board, supervisor, zone)
        for rig in served:
            rig.device(status.name, status.state)

    def budget() -> Budget | None:
        return Wire.budget_of(wire)

    supervisor = Supervisor(
        driver, clock=context.clock, emit=emit, on_status=on_status, budget=budget
    )
    turned = Turned(context.store, supervisor.troubles.add)
    return supervisor


def show_device(board: Board, supervisor: Supervisor, zone: ZoneInfo) -> None:
    """Post a device's state, what to put right, and the last bytes that were no frame, raw."""
    status, counters = supervisor.status, supervisor.counters
    picture: dict[str, Any] = {
        "state": status.state,
        "since": stamp(status.since, zone),
        "error": status.error,
        "detail": status.detail,
        "noise": None,
        "troubles": [_trouble(each, zone) for each in supervisor.troubles.standing],
        "wire": wires.picture(supervisor.budget()),
    }
    if counters.noises:
        picture["noise"] = {
            "count": counters.noises,
            "reason": counters.noise_reason,
            "hex": counters.noise_hex,
        }
    board.post(f"devices/{status.name}/status", picture)


def _trouble(standing: Standing, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "kind": standing.trouble.kind,
        "message": {"zh": standing.trouble.zh, "en": standing.trouble.en},
        "since": stamp(standing.since, zone),
        "count": standing.count,
    }


def info(house: House) -> dict[str, Any]:
    """The retained `info` topic: what runs here."""
    settings = house.settings
    return {
        "version": __version__,
        "contract": "v1",
        "boot_id": house.context.boot_id,
        "station": {"id": settings.station.id, "name": settings.station.name},
        "rigs": {
            name: {"medium": rig.medium, "gate": rig.gate, "rules": list(rig.rules)}
            for name, rig in settings.rigs.items()
        },
        "devices": {name: device.driver.name for name, device in settings.devices.items()},
        "packs": [pack.ref.as_json() for pack in settings.packs.values()],
        "schemas": ["gatewayd.fill.v1", "gatewayd.refusal.v1", "gatewayd.alarm.v1"],
        "public_key": None,
    }
