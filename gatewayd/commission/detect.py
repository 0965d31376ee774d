"""`gatewayd detect`: look at everything that is plugged in, and at hosts that were named.

Ports that another program holds, and ports of configured devices, are neither opened nor written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from drivers.contract import DriverError
from drivers.links import SerialLink
from gatewayd.commission import hosts
from gatewayd.commission.finds import HostFind, Note, SerialFind, UsbFind
from gatewayd.commission.knowledge import Knowledge
from gatewayd.commission.listen import ANSWER_S, LISTEN_S, Guess, Heard, Tell, ask, listen
from gatewayd.commission.machine import Machine
from gatewayd.commission.ports import Port, serial_ports
from gatewayd.commission.usb import Usb, UsbKind, usb_devices
from gatewayd.settings.model import Settings

CLASS_DRIVERS: Mapping[UsbKind, str] = {
    "hid_pos": "barcode.hid_pos",
    "keyboard": "barcode.keyboard",
    "pcsc": "rfid.pcsc",
}
"""What a USB device is by its class -> the driver for such devices."""
KEYBOARD = Note(
    "keyboard",
    zh="可能是普通键盘，切勿配置：被占用后将不能再打字。若确为扫码枪，请改用串口或 HID POS 模式，"
    "或核对 VID:PID 后手工配置 barcode.keyboard",
    en="perhaps a keyboard for people: never configure one, it would type no more. If it is a scanner, "
    "set it to a serial or HID POS mode, or check its VID:PID and write barcode.keyboard by hand",
)
"""A scanner in keyboard mode looks like a keyboard; only its maker's number tells them apart."""
TEXT_SCANNER = "barcode.serial"
NOUNS: Mapping[str, str] = {
    "rfid": "reader",
    "barcode": "scanner",
    "plc": "plc",
    "scale": "scale",
}


@dataclass(frozen=True, slots=True)
class Search:
    """What to look at. `configured` maps a wire (`serial:...`, `tcp:...`) to its devices.

    `listen_s` is how long a wire is listened to, at each speed; `answer_s` how long an answer to a
    question may take.
    """

    machine: Machine
    known: Knowledge
    configured: Mapping[str, tuple[str, ...]]
    ask: bool = False
    listen_s: float = LISTEN_S
    answer_s: float = ANSWER_S


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found."""

    serial: tuple[SerialFind, ...]
    usb: tuple[UsbFind, ...]
    hosts: tuple[HostFind, ...]
    asked: bool

    def as_json(self) -> dict[str, Any]:
        """The object of `detect --json`."""
        return {
            "serial": [find.as_json() for find in self.serial],
            "usb": [find.as_json() for find in self.usb],
            "hosts": [find.as_json() for find in self.hosts],
            "asked": self.asked,
        }


def wires(settings: Settings | None) -> dict[str, tuple[str, ...]]:
    """Wire -> configured devices on it; serial ports by the file they really are."""
    found: dict[str, tuple[str, ...]] = {}
    for name, device in (settings.devices if settings else {}).items():
        wire = device.driver.wire(device.settings)
        kind, _, path = wire.partition(":")
        if kind == "serial":
            wire = f"serial:{Path(path).resolve()}"
        found[wire] = (*found.get(wire, ()), name)
    return found


async def detect(search: Search, named: Iterable[str], tell: Tell) -> Found:
    """Look at one serial port after the other, then at USB, then at the hosts."""
    name = _Names(search).next
    serial = tuple([_lined(await _serial(p, search, tell), search, name) for p in _ports(search)])
    usb = tuple(_usb(each, search, name) for each in usb_devices(search.machine))
    listening = hosts.Listening(
        search.known, search.configured, tell, search.listen_s, search.answer_s
    )
    found = [await hosts.look(host, listening) for host in named]
    reached = tuple(_host_lined(find, search, name) for finds in found for find in finds)
    return Found(serial, usb, reached, asked=search.ask)


def _ports(search: Search) -> tuple[Port, ...]:
    return serial_ports(search.machine)


class _Names:
    """Names for found devices that no configured device has: reader-1, scanner-1, plc-1."""

    def __init__(self, search: Search) -> None:
        self._taken = {name for names in search.configured.values() for name in names}

    def next(self, driver: str) -> str:
        """The next free name for a device of that driver."""
        noun = NOUNS.get(driver.partition(".")[0], "device")
        number = next(n for n in count(1) if f"{noun}-{n}" not in self._taken)
        self._taken.add(f"{noun}-{number}")
        return f"{noun}-{number}"


def _lined(find: SerialFind, search: Search, name: Callable[[str], str]) -> SerialFind:
    """With a ready line, where the driver is known."""
    if find.guess is None:
        return find
    link = {"serial": find.port.path} | ({"baud": find.guess.baud} if find.guess.baud else {})
    driver = find.guess.drivers[0]
    return replace(find, line=search.known.line(name(driver), driver, [{"link": link}]))


def _host_lined(find: HostFind, search: Search, name: Callable[[str], str]) -> HostFind:
    """With a ready line, where one driver is known; several on one port number prove nothing."""
    if find.guess is None or (find.guess.how == "tcp_port" and len(find.guess.drivers) > 1):
        return find
    driver = find.guess.drivers[0]
    settings = [{"link": {"tcp": find.address}}]
    return replace(find, line=search.known.line(name(driver), driver, settings))


async def _serial(port: Port, search: Search, tell: Tell) -> SerialFind:
    """One port: by who listens to it, what it says, what it answers, what its USB ids say."""
    owners = search.configured.get(f"serial:{port.file}", ())
    nothing = SerialFind(port, owners, None, b"", None, None, "")
    if owners:
        return replace(nothing, note=_configured(owners))
    if port.used_by:
        return replace(nothing, note=_used(port))
    try:
        heard, guess = await _identify(port, search, lambda what: tell(f"{port.path}: {what}"))
    except DriverError as exc:
        return replace(nothing, note=_not_opened(exc))
    return replace(nothing, guess=guess, heard=heard.raw, baud=heard.baud)


def _not_opened(exc: DriverError) -> Note:
    zh, en = (exc.trouble.zh, exc.trouble.en) if exc.trouble else (str(exc), str(exc))
    return Note("not_opened", f"无法打开：{zh}", f"not opened: {en}")


def _configured(owners: tuple[str, ...]) -> Note:
    names = ", ".join(owners)
    return Note(
        "configured",
        zh=f"已配置为 {names}，未打开；请用 gatewayd probe {owners[0]}",
        en=f"configured as {names}, left alone; use gatewayd probe {owners[0]}",
    )


def _used(port: Port) -> Note:
    users = ", ".join(f"{user.name} ({user.pid})" for user in port.used_by)
    return Note(
        "used",
        zh=f"正被其他程序使用：{users}，未打开",
        en=f"held by another program: {users}; left alone",
    )


async def _identify(port: Port, search: Search, tell: Tell) -> tuple[Heard, Guess | None]:
    bauds = search.known.bauds()
    heard = await listen(port.path, bauds, tell, listen_s=search.listen_s)
    for format_ in heard.formats:
        if names := search.known.speakers(format_, {"serial": port.path}):
            return heard, Guess(names, format_, "heard", heard.baud)
    guess = None
    if search.ask:
        link, hellos = SerialLink(serial=port.path), search.known.hellos()
        guess = await ask(link, hellos, tell, answer_s=search.answer_s)
    return heard, guess or _by_usb(port, search.known)


def _by_usb(port: Port, known: Knowledge) -> Guess | None:
    """A USB device that claims to be somebody; a scanner vendor's serial port is a scanner."""
    if port.usb is None or port.usb.bridge:
        return None
    claims = known.of_usb(port.usb.vendor, port.usb.product_id)
    names = tuple(name for name in claims if known.takes(name, {"serial": port.path}))
    if not names and any(name.startswith("barcode.") for name in claims):
        names = tuple(name for name in (TEXT_SCANNER,) if name in known.drivers)
    return Guess(names, "", "usb_id") if names else None


def _usb(usb: Usb, search: Search, name: Callable[[str], str]) -> UsbFind:
    """A device that is no serial port: by its class, else by its ids."""
    known = search.known
    claims = known.of_usb(usb.vendor, usb.product_id) if usb.kind not in {"serial", "other"} else ()
    of_class = CLASS_DRIVERS.get(usb.kind, "")
    if usb.kind == "keyboard" and of_class not in claims:
        return UsbFind(usb, None, "", KEYBOARD)
    if of_class in known.drivers:
        guess = Guess((of_class,), "", "usb_class")
    elif claims and usb.kind != "hid":
        guess = Guess(claims, "", "usb_id")
    else:
        return UsbFind(usb, None, "")
    driver = guess.drivers[0]
    return UsbFind(usb, guess, known.line(name(driver), driver, _usb_settings(usb)))


def _usb_settings(usb: Usb) -> Iterator[dict[str, Any]]:
    """How a USB device may be named, the most exact first; a card reader's only one needs none."""
    if usb.serial:
        yield {"link": {"usb": usb.id, "serial": usb.serial}}
    yield {"link": {"usb": usb.id}}
    yield {}
