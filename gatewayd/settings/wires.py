"""One wire, one protocol; ports that change their name, and drivers that could hang unseen."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gatewayd.settings.model import DeviceSettings
from gatewayd.settings.report import Report
from gatewayd.settings.sections import Entry

_UNSTABLE_PORT = re.compile(r"/dev/tty(USB|ACM)[0-9]+")


@dataclass(frozen=True, slots=True)
class Device:
    """One declared device; `settings` None when they are wrong."""

    entry: Entry
    settings: DeviceSettings | None


def check_wires(devices: Mapping[str, Device], report: Report) -> None:
    """Refuse wires that are shared wrongly; warn of ports and of drivers that may betray one day."""
    _shared(devices, report)
    _ports(devices, report)
    _unwatched(devices, report)


def _shared(devices: Mapping[str, Device], report: Report) -> None:
    """One wire, one protocol, one speed, and every unit on it once."""
    wires: dict[str, list[tuple[Device, DeviceSettings]]] = {}
    for device in devices.values():
        if device.settings is None:
            continue
        wire = _physical(device.settings.driver.wire(device.settings.settings))
        for other, settings in wires.setdefault(wire, []):
            clash = _clash(device.settings, settings)
            if clash:
                what, hint = clash
                report.problem(
                    device.entry.mark("link"),
                    f"{device.entry.name}: {what} {wire}",
                    f"shared with {other.entry.name!r} at {other.entry.mark('link')}",
                    hint,
                )
                break
        wires[wire].append((device, device.settings))


def _physical(wire: str) -> str:
    """The port itself where a by-id name and a /dev/ttyUSBn lead to the same one."""
    kind, _, path = wire.partition(":")
    if kind != "serial" or "\0" in path:
        return wire
    return f"serial:{os.path.realpath(path)}"


def _speak_alike(one: DeviceSettings, other: DeviceSettings) -> bool:
    """Whether both are of one driver, or of drivers that take turns on one kind of wire."""
    protocol = one.driver.wire_protocol
    return one.driver.name == other.driver.name or (
        bool(protocol) and protocol == other.driver.wire_protocol
    )


def _clash(one: DeviceSettings, other: DeviceSettings) -> tuple[str, str] | None:
    """What is wrong with two devices on one wire, and the hint; None when they may share it."""
    if not _speak_alike(one, other):
        what = f"second protocol ({one.driver.name} beside {other.driver.name}) on wire"
        return what, "one wire speaks one protocol; correct the link of one of the two"
    if not (one.driver.shares_wire and other.driver.shares_wire):
        return f"second {one.driver.name} on wire", "this protocol is alone on its wire"
    if getattr(one.settings, "link", None) != getattr(other.settings, "link", None):
        return "other line settings on wire", "give both devices the same link"
    for key in ("unit", "address"):
        number = getattr(one.settings, key, None)
        if number is not None and number == getattr(other.settings, key, None):
            return _one_unit(one, other, key, number)
    return None


def _one_unit(
    one: DeviceSettings, other: DeviceSettings, key: str, number: object
) -> tuple[str, str] | None:
    """Two devices with one number: wrong, unless they are two parts of one device."""
    together = one.driver.together if one.driver.name == other.driver.name else None
    if together is None:
        return f"{key} {number} twice on wire", f"every device on a wire has its own {key}"
    against = together(one.settings, other.settings)
    return None if against is None else (f"{against[0]} {key} {number} of wire", against[1])


def _ports(devices: Mapping[str, Device], report: Report) -> None:
    for name, device in devices.items():
        link = device.entry.raw.get("link")
        port = link.get("serial") if isinstance(link, dict) else None
        if isinstance(port, str) and _UNSTABLE_PORT.fullmatch(port):
            report.warn(
                device.entry.mark("link", "serial"),
                f"{name}: {port} may be another device after a restart",
                "a name that stays",
                "use the entry of /dev/serial/by-id or /dev/serial/by-path that leads to it",
            )


def _unwatched(devices: Mapping[str, Device], report: Report) -> None:
    """A driver of somebody else that does not say how often it at least turns."""
    for name, device in devices.items():
        if device.settings is not None and not device.settings.driver.lively_s:
            what = f"{name}: nobody notices when its driver {device.settings.driver.name} hangs"
            hint = "install a version of the driver whose DriverType says lively_s"
            report.warn(device.entry.mark("driver"), what, "", hint)
