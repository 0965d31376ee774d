"""The daemon: what `house.py` built, run in one TaskGroup and stopped in order.

Stopping: gates close and open fills are recorded first, then upstreams drain, then links and the
store close. What does not fit into the time is in the store and is settled at the next start.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from gatewayd import __version__, notify
from gatewayd.alarms.damage import remedy
from gatewayd.clock import Clock
from gatewayd.devices import DeviceNews, show_device
from gatewayd.errors import StoreError
from gatewayd.hardware_watchdog import HardwareWatchdog
from gatewayd.house import House, build, info
from gatewayd.logs import logger
from gatewayd.metrics.look import Monitor
from gatewayd.reload.keeper import Bell, Keeper
from gatewayd.reload.reading import Taken, take
from gatewayd.reload.reloader import Reloader
from gatewayd.settings.model import Settings
from gatewayd.shifts.ledger import Ledger
from gatewayd.status_line import at_work, hangs
from gatewayd.store import pulse, upkeep
from gatewayd.store.hand import Hand
from gatewayd.store.rebirth import Remedy
from gatewayd.store.store import Store
from gatewayd.upstreams.contract import presence
from gatewayd.vitals import Vitals
from gatewayd.web import page
from protocols.diagnose import warm_up

TICK_S = 0.25
"""How often every rig looks at the time even when no device speaks."""

TICK_TURNS = 8
"""The groups that rigs look in, one after the other."""

GATES_CLOSE_WITHIN_S = 3.0
UPSTREAMS_DRAIN_WITHIN_S = 1.0
"""Together under the 5 s that contract §10 allows between SIGTERM and the end."""


async def serve(
    house: House, stop: asyncio.Event, bell: Bell, taken: Taken, read: Callable[[], Taken]
) -> None:
    """Run the house until `stop`, then close gates, record, drain and leave.

    It was built from `taken`; when the bell rings, `read` says what the files say now.

    A bug in a side part, or in one rig, ends that part alone (`bugs.py`, `rigs/ward.py`). What ends
    everything with an exception, so that gates close by lease: a broken store or writer, and whatever
    lets rigs look, hears of locks, proves the store or tells the watchdogs.
    """
    log = logger("app")
    house.board.post("info", info(house))
    _name_orphans(house)
    house.outside.look()
    dog = _hardware(house)
    vitals = Vitals(house.context.clock, house.moved, hardware=dog, say=partial(_line, house))
    try:
        async with asyncio.TaskGroup() as group:
            keeper = Keeper(group, house.parts, bell)
            keeper.start_all()
            others = [
                group.create_task(house.bugs.contain(name, work))
                for name, work in _side_parts(house).items()
            ]
            others.append(group.create_task(pulse.run(house.store, house.any_permit)))
            others.append(group.create_task(house.store.broke()))
            others.append(group.create_task(_tick(house, vitals)))
            points = [
                group.create_task(house.bugs.contain(name, point.run))
                for name, point in house.parts.points.items()
            ]
            log.info(
                "gatewayd.started",
                version=__version__,
                rigs=len(house.rigs),
                devices=len(house.parts.devices),
            )
            notify.tell("READY=1")
            others.append(group.create_task(_settle_in(house.settings)))
            reloader = Reloader(house, keeper, bell, taken, read)
            house.clerk.office.plan = reloader.plan
            reloading = group.create_task(house.bugs.contain("reload", reloader.run))
            await stop.wait()
            notify.tell("STOPPING=1")
            log.info("gatewayd.stopping")
            house.board.post("status", presence(house.context, "stopping"))
            reloading.cancel()
            await asyncio.wait([reloading])
            for point in house.parts.points.values():
                point.stop()
            await _close(house, keeper.rigs)
            keeper.cancel()
            for task in (*others, *points):
                task.cancel()
    finally:
        await house.store.close()
    if dog is not None:
        dog.close()
    log.info("gatewayd.stopped")


def _side_parts(house: House) -> dict[str, Callable[[], Awaitable[None]]]:
    """What is beside the fills: each may fail by itself, and is begun again."""
    look = partial(house.bugs.told, None, "watchman", house.watchman.look)
    return {
        "alarms": partial(house.alarms.run, look),
        "clock": house.clock_watch.run,
        "reception": house.reception.run,
        "vouchers": house.asker.run,
        "commands": house.clerk.run,
        "shifts": _ledger(house).run,
        "witnesses": house.witnesses.run,
        "page": partial(_page, house),
        "upkeep": partial(_upkeep, house),
        "devices shown": partial(_show_devices, house),
    }


async def _page(house: House) -> None:
    """The station's page, where one is configured; it ends with the daemon, and ends nothing."""
    if house.settings.web is None:
        return
    monitor, clock = Monitor(house.parts, house.alarms), house.context.clock
    means = page.Means(
        house.desk, house.alarms, house.store, house.board, clock, scrape=monitor.scrape
    )
    async with asyncio.TaskGroup() as group:
        counting = group.create_task(monitor.run())
        await page.run(house.settings.web, house.settings.directory, means)
        counting.cancel()


async def _upkeep(house: House) -> None:
    """Records that are old enough go, once every platform that is configured now has them."""
    days = house.settings.store.keep_days
    keeping = upkeep.Keeping(days, lambda: tuple(house.settings.upstreams))
    await upkeep.run(house.store, keeping, house.context.clock.wall)


def _ledger(house: House) -> Ledger:
    """The shifts of the station, closed when they end."""
    station, clock = house.settings.station, house.context.clock
    return Ledger(
        house.settings.shifts,
        station.id,
        ZoneInfo(station.timezone),
        store=house.store,
        board=house.board,
        alarms=house.alarms,
        clock=clock,
        resting=house.resting,
    )


def _hardware(house: House) -> HardwareWatchdog | None:
    """The computer's own watchdog, armed; None when none is wanted or it is none: an alarm."""
    wanted = house.settings.watchdog
    if wanted.device is None:
        house.alarms.clear("watchdog_off", "gateway")
        return None
    try:
        dog = HardwareWatchdog.open(wanted.device, wanted.timeout_s)
    except OSError as exc:
        house.alarms.raise_("watchdog_off", "gateway", detail=f"{wanted.device}: {exc}")
        return None
    house.alarms.clear("watchdog_off", "gateway")
    return dog


async def _settle_in(settings: Settings) -> None:
    """Load what the first trouble needs, then let the collector forget everything made so far.

    What was made for good is looked at again by every full collection: 40 to 70 ms in which no
    lease is renewed and no tag reaches its rig, measured at 5,000 tag reports a second.
    """
    if any("identify" in device.driver.capabilities for device in settings.devices.values()):
        await asyncio.to_thread(warm_up)
    gc.freeze()


def _name_orphans(house: House) -> None:
    """A pending permit of a rig that was renamed or removed can only be settled at that rig."""
    for rig in house.store.rigs_with_pending_permits():
        if rig not in house.rigs:
            hint = "name the rig in rigs/ as before, let it settle, then remove it"
            logger("app").error("permit.orphaned", rig=rig, hint=hint)
            house.alarms.raise_("permit_orphaned", rig)


def _line(house: House, dead: Sequence[str]) -> str:
    """What `systemctl status` shows."""
    language = house.settings.log.language
    if dead:
        return hangs(dead, language)
    states = [rig.state.phase.value for rig in house.rigs.values()]
    return at_work(states, [alarm.kind for alarm in house.alarms.standing], language)


async def _tick(house: House, vitals: Vitals) -> None:
    """Let every rig look at the time, hear what others wrote, and tell the watchdogs.

    Rigs take turns: when all look at once, what a PLC just sent waits for the last of them.
    """
    while True:
        rigs = tuple(house.rigs.values())
        for turn in range(TICK_TURNS):
            await asyncio.sleep(TICK_S / TICK_TURNS)
            house.outside.look()
            for rig in rigs[turn::TICK_TURNS]:
                rig.tick()
        vitals.tell()


async def _show_devices(house: House) -> None:
    """Show noise, troubles and wires of devices when they change."""
    zone = ZoneInfo(house.settings.station.timezone)
    news = DeviceNews(house.context.clock)
    while True:
        await asyncio.sleep(TICK_S)
        for supervisor in tuple(house.supervisors):
            supervisor.troubles.sweep()
            if news.of(supervisor):
                show_device(house.board, supervisor, zone)


async def _close(house: House, rigs: Collection[asyncio.Task[None]]) -> None:
    """Gates first, then what upstreams still can take; what is left is in the store."""
    for rig in house.rigs.values():
        rig.stop()
    if rigs:
        _, open_rigs = await asyncio.wait(rigs, timeout=GATES_CLOSE_WITHIN_S)
        if open_rigs:
            logger("app").warning("gatewayd.left_for_next_start", rigs=len(open_rigs))
    await house.alarms.flush()
    try:
        async with asyncio.timeout(UPSTREAMS_DRAIN_WITHIN_S):
            for upstream in house.parts.upstreams.values():
                await upstream.drained()
    except (TimeoutError, StoreError):
        logger("app").info("gatewayd.backlog_kept")


def _remedy(settings: Settings) -> Remedy | None:
    """What is done about a damaged store; None: nothing starts upon it."""
    if settings.store.on_corrupt == "stop":
        return None
    return remedy(settings.station.id, tuple(settings.rigs))


def open_store(settings: Settings, clock: Clock, *, hand: Hand | None = None) -> Store:
    """Open the store that these settings name, damaged or not; `hand` as in `Store.open`.

    Raises StoreError when it cannot be opened.
    """
    return Store.open(
        settings.store_path,
        station_id=settings.station.id,
        zone=ZoneInfo(settings.station.timezone),
        clock=clock,
        quota_mb=settings.store.quota_mb,
        hand=hand,
        remedy=_remedy(settings),
        ballast_mb=settings.store.ballast_mb,
    )


async def run(taken: Taken, clock: Clock) -> None:
    """The daemon: open the store, build, serve until SIGTERM or SIGINT; SIGHUP reads files again.

    Raises ConfigProblemsError when `taken` is wrong, StoreError when the store cannot be opened; no
    gate was touched then.
    """
    settings, bell = taken.settings(), Bell()
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    hangup = stop.set if os.isatty(0) else bell.ring
    for number, heed in (
        (signal.SIGTERM, stop.set),
        (signal.SIGINT, stop.set),
        (signal.SIGHUP, hangup),
    ):
        loop.add_signal_handler(number, heed)
    house = build(settings, open_store(settings, clock), clock)
    await serve(house, stop, bell, taken, partial(take, settings.directory))
