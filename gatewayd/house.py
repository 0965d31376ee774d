"""Builds everything from settings, wired and not started: the composition root's first half.

`app.py` runs what is built here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from gatewayd import __version__
from gatewayd.alarms.alarms import OF_THE_STATION, Alarms
from gatewayd.alarms.watchman import Watchman
from gatewayd.board import Board
from gatewayd.bugs import Bugs
from gatewayd.clock import MS, Clock
from gatewayd.commands.clerk import Clerk
from gatewayd.commands.office import Office
from gatewayd.commands.shelf import Shelf
from gatewayd.desk.desk import Desk
from gatewayd.desk.outside import Outside
from gatewayd.desk.reception import Reception
from gatewayd.ids import new_id
from gatewayd.parts import Parts
from gatewayd.points.point import Point
from gatewayd.points.scan import desks
from gatewayd.published import everything as published
from gatewayd.rigs.assess import Bench
from gatewayd.rigs.clock_facts import ClockTrust
from gatewayd.rigs.composite import Composite
from gatewayd.rigs.history import History, Ownership, RetiredCodes
from gatewayd.rigs.means import Means
from gatewayd.rigs.model import Withdrawal
from gatewayd.rigs.overfull import Overfull
from gatewayd.rigs.people import People
from gatewayd.rigs.rig import Rig
from gatewayd.rigs.sightings import Sightings
from gatewayd.rigs.sources import ArchiveAge, FactSource, RigLocks
from gatewayd.rigs.tag_memory import TagMemories
from gatewayd.rigs.vouched import Vouchers
from gatewayd.settings.layouts import layout_of
from gatewayd.settings.model import Settings
from gatewayd.shifts.witnesses import Flowing, Witnesses
from gatewayd.store.reads import Reads
from gatewayd.store.store import Store
from gatewayd.supervise import Supervisor
from gatewayd.timekeeping import ntp
from gatewayd.timekeeping.keeper import Timekeeper
from gatewayd.timekeeping.watch import ClockWatch
from gatewayd.upstreams.contract import UpstreamContext
from gatewayd.vouchers.asker import Asker


@dataclass(frozen=True, slots=True)
class House:
    """Everything that runs, built and wired, nothing started.

    `parts` may be exchanged while it runs; what is read through the house is what is there now.
    """

    parts: Parts
    store: Store
    board: Board
    alarms: Alarms
    watchman: Watchman
    clock_watch: ClockWatch
    context: UpstreamContext
    outside: Outside
    desk: Desk
    clerk: Clerk
    reception: Reception
    asker: Asker
    witnesses: Witnesses

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.parts.settings

    @property
    def bugs(self) -> Bugs:
        """Who contains what breaks."""
        return self.parts.bugs

    @property
    def rigs(self) -> Mapping[str, Rig]:
        """The rigs by name; the same mapping for good."""
        return self.parts.rigs

    @property
    def composites(self) -> tuple[Composite, ...]:
        """The gates that are made of several devices."""
        return tuple(self.parts.composites.values())

    @property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """Those of all devices."""
        return tuple(device.supervisor for device in self.parts.devices.values())

    def moved(self) -> dict[str, int]:
        """When each part last moved, in monotonic ns; a rig that ended or fell need not.

        A store moves that commits, or that waits for room or for somebody else's lock.
        """
        now_ns = self.context.clock.monotonic_ns()
        idle_ms = max(self.store.stuck_ms(), self.store.broken_ms())
        moved = {"store": now_ns - idle_ms * MS, "alarms": self.alarms.looked_ns}
        rigs = {name: rig for name, rig in self.rigs.items() if not (rig.ended or rig.fallen)}
        moved |= {f"rig {name}": rig.looked_ns for name, rig in rigs.items()}
        gates = {name: gate for name, gate in self.parts.composites.items() if name in rigs}
        moved |= {f"gate of {name}": gate.looked_ns for name, gate in gates.items()}
        return moved | {f"device {s.status.name}": s.moved_ns for s in self.supervisors}

    def resting(self) -> dict[str, int]:
        """The totalisers of the rigs where nothing is open and nothing flows, in grams."""
        states = ((name, rig.state) for name, rig in self.rigs.items())
        return {
            name: state.total_g
            for name, state in states
            if state.permit is None
            and state.stray is None
            and state.gate_known
            and state.total_g is not None
        }

    def any_permit(self) -> bool:
        """Whether any rig has a permit that is not settled."""
        return any(rig.state.permit is not None for rig in self.rigs.values())


def suppliers(
    settings: Settings,
    reads: Reads,
    clock: FactSource,
    now: Callable[[], Settings] | None = None,
) -> tuple[FactSource, ...]:
    """Everyone who knows facts for a judgement; rigs and `gatewayd verdict` ask the same.

    `now` tells the settings in force where they change, None = they do not.
    """
    watched = any(point.crosses for point in settings.points.values())
    past = (RetiredCodes(reads), Ownership(), History(reads, watched), Overfull(reads))
    in_force = now or (lambda: settings)
    tags = TagMemories(lambda device: layout_of(in_force(), device))
    return (ArchiveAge(settings.archive, reads), RigLocks(reads), People(reads), clock, tags, *past)


def build(
    settings: Settings, store: Store, clock: Clock, *, ask_ntp: ntp.Ask = ntp.synchronised
) -> House:
    """Wire settings to parts; touches no device and no network. `ask_ntp`: who keeps `clock`."""
    board = Board()
    alarms = watching(settings, store, board, clock)
    keeper = Timekeeper(clock, settings.clock, store, ask_ntp=ask_ntp)
    vouchers = Vouchers()
    sources = (*suppliers(settings, store, ClockTrust(keeper), lambda: parts.settings), vouchers)
    sightings = seen_before(settings, store, clock)
    means = Means(store, board, alarms, clock, sightings)

    def bench_of(settings: Settings, name: str) -> Bench:
        rig = settings.rigs[name]
        packs = tuple(settings.packs[pack] for pack in rig.rules)
        return Bench(name, rig, settings.station, packs, sources)

    context = UpstreamContext(
        store, board, settings.station.id, clock, new_id(), __version__, settings.directory
    )
    points = (
        Point(desk, store=store, board=board, clock=clock, sightings=sightings)
        for desk in desks(settings, sources)
    )
    parts = Parts(settings, means, context, bench_of, points)
    desk = Desk(parts, store, clock)
    reception = Reception(desk, store, clock)
    witnesses = seen_by_others(settings, means, parts)
    parts.ears = (reception, witnesses)
    clerk = Clerk(Office(parts, desk, keeper, context, Shelf(settings.store_path), alarms))
    context.door.open(clerk.take)
    parts.build()
    return House(
        parts=parts,
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
        outside=Outside(store, parts.rigs),
        desk=desk,
        clerk=clerk,
        reception=reception,
        witnesses=witnesses,
        asker=Asker(vouchers, parts.rigs, lambda: parts.settings.upstreams, context),
    )


def seen_by_others(settings: Settings, means: Means, parts: Parts) -> Witnesses:
    """The tank scales and flow meters that know what a shift took."""
    station = settings.station
    return Witnesses(
        settings.shifts,
        station.id,
        ZoneInfo(station.timezone),
        store=means.store,
        board=means.board,
        alarms=means.alarms,
        clock=means.clock,
        flowing=partial(flowing, parts.rigs),
        tell=parts.tell,
    )


def flowing(rigs: Mapping[str, Rig]) -> Flowing:
    """What fills that run have let flow, by rig; not known after a crash, or while a gate is lost."""
    found: dict[str, tuple[str | None, int | None]] = {}
    for name, rig in rigs.items():
        state = rig.state
        known = state.gate_known and state.withdrawn is not Withdrawal.RESTART
        grams = state.seen_net_g if state.flowed else 0
        permit = None if state.permit is None else state.permit.id
        found[name] = (permit, grams if known else None)
    return found


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


def info(house: House) -> dict[str, Any]:
    """The retained `info` topic: what runs here, and what is loosened on this day."""
    settings = house.settings
    zone = ZoneInfo(settings.station.timezone)
    today = house.context.clock.wall().astimezone(zone).date()
    return {
        "version": __version__,
        "contract": "v1",
        "boot_id": house.context.boot_id,
        "station": {"id": settings.station.id, "name": settings.station.name},
        "rigs": {
            name: {"medium": rig.medium, "gate": rig.gate, "rules": list(rig.rules)}
            for name, rig in settings.rigs.items()
        },
        "points": {name: {"kind": point.kind} for name, point in settings.points.items()},
        "devices": {name: device.driver.name for name, device in settings.devices.items()},
        "packs": [pack.ref_on(today).as_json() for pack in settings.packs.values()],
        "schemas": list(published.ids()),
        "public_key": None,
    }
