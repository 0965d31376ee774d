"""One device that runs: its driver, who supervises it, and the rigs that hear it."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from drivers.contract import Driver, Reading
from drivers.plc.budget import Budget
from drivers.plc.wire import Wire
from drivers.readings import Unread
from drivers.rfid.contents import area_of
from gatewayd import wires
from gatewayd.board import Board
from gatewayd.bugs import Bugs
from gatewayd.clock import SECOND, Clock
from gatewayd.commission.turned import Turned
from gatewayd.rigs.evidence import stamp
from gatewayd.rigs.front import Front, Hears
from gatewayd.settings.model import Settings
from gatewayd.supervise import DeviceStatus, Supervisor
from gatewayd.troubles import Standing
from gatewayd.upstreams.contract import UpstreamContext

COUNTS_S = 5.0
"""How often it is told how many times the same trouble or noise was met; a new kind is told at once."""


@dataclass(slots=True)
class Audience:
    """Who hears a device: `fronts` are exchanged between two readings when rigs are, `ears` stay.

    `readings`: how many it gave.
    """

    fronts: tuple[Front, ...] = ()
    ears: tuple[Front, ...] = ()
    readings: int = 0


@dataclass(frozen=True, slots=True)
class Device:
    """A driver with its supervisor, not started."""

    driver: Driver
    supervisor: Supervisor
    audience: Audience = field(default_factory=Audience)


def make_driver(settings: Settings, name: str) -> Driver:
    """The driver of a device, new; touches no device. Raises whatever a foreign driver raises."""
    device = settings.devices[name]
    return device.driver.make(name, device.settings, settings.profiles)


def supervised(driver: Driver, settings: Settings, context: UpstreamContext, bugs: Bugs) -> Device:
    """The device of a driver; its readings and states reach whoever is its audience then.

    A bug in taking them is of who took them: it costs neither the device nor another rig of it.
    """
    audience = Audience()
    zone = ZoneInfo(settings.station.timezone)
    device = settings.devices[driver.name]
    wire = device.driver.wire(device.settings)

    memory = area_of(device.settings, settings.layouts)

    def emit(reading: Reading) -> None:
        audience.readings += 1
        hearers: tuple[Hears, ...] = (*audience.fronts, *audience.ears, turned)
        for front in hearers:
            try:
                front.take(reading)
            except Exception as exc:  # noqa: BLE001 - as `Bugs.told`, in the hottest path there is
                bugs.met(front, driver.name, exc)

    def unread(told: Unread) -> None:
        """To the one place that this device serves: what it could not read names no antenna."""
        if len(audience.fronts) == 1:
            front = audience.fronts[0]
            bugs.told(front, driver.name, partial(front.take, told))

    def on_status(status: DeviceStatus) -> None:
        for front in audience.fronts:
            bugs.told(front, driver.name, partial(front.device, status.name, status.state))
        bugs.told(None, driver.name, partial(show_device, context.board, supervisor, zone))

    def budget() -> Budget | None:
        return Wire.budget_of(wire)

    supervisor = Supervisor(
        driver,
        clock=context.clock,
        emit=emit,
        on_status=on_status,
        budget=budget,
        memory=memory,
        lively_s=device.driver.lively_s,
        unread=unread,
    )
    turned = Turned(context.store, supervisor.troubles.add)
    return Device(driver, supervisor, audience)


class DeviceNews:
    """Which devices have something new to show."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wires = wires.WireNews(clock)
        self._shown: dict[str, tuple[object, object, int]] = {}

    def of(self, supervisor: Supervisor) -> bool:
        """Whether to show this one now; asked again and again."""
        name, now_ns = supervisor.status.name, self._clock.monotonic_ns()
        standing, noises = supervisor.troubles.standing, supervisor.counters.noises
        kinds = tuple(each.trouble.kind for each in standing)
        seen = noises > 0, kinds, self._wires.count(supervisor)
        counts = noises, tuple(each.count for each in standing)
        nothing = (False, (), 0), (0, ()), now_ns
        shown, counted, shown_ns = self._shown.get(name, nothing)
        late = now_ns - shown_ns >= COUNTS_S * SECOND
        if seen == shown and (counts == counted or not late):
            return False
        self._shown[name] = seen, counts, now_ns
        return True


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
