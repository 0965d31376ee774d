"""Serial ports: every name a port has, the USB device behind it, and who holds it open."""

from dataclasses import dataclass
from pathlib import Path

from gatewayd.commission.machine import Machine, entries, number, word
from gatewayd.commission.usb import Usb, usb_device

PORTS_MAX = 64
"""Ports looked at; more is a mistake of the tree, not a station."""
PARENTS_MAX = 8
"""How far above a port its USB device may be in sysfs."""


@dataclass(frozen=True, slots=True)
class User:
    """A program that holds a port open."""

    pid: int
    name: str


@dataclass(frozen=True, slots=True)
class Port:
    """One serial port. `by_id` and `by_path` are udev's lasting names, empty where it has none.

    `file` is the device file all of them lead to.
    """

    tty: str
    file: str
    by_id: str
    by_path: str
    usb: Usb | None
    used_by: tuple[User, ...]

    @property
    def path(self) -> str:
        """The name for a config file: the one that survives a restart and another socket."""
        return self.by_id or self.by_path or self.tty


def serial_ports(machine: Machine) -> tuple[Port, ...]:
    """Every serial port that has hardware behind it; a PC's unused ttyS ports are left out."""
    held = holders(machine)
    found: list[Port] = []
    for entry in entries(machine.sys / "class/tty"):
        if not _is_real(entry) or len(found) >= PORTS_MAX:
            continue
        device = machine.dev / entry.name
        real = _resolved(device)
        by_id = _named(machine.dev / "serial/by-id", real)
        by_path = _named(machine.dev / "serial/by-path", real)
        used_by = held.get(real, ())
        found.append(Port(str(device), real, by_id, by_path, _usb_above(entry), used_by))
    return tuple(found)


def _is_real(entry: Path) -> bool:
    """Virtual consoles have no device, and an 8250 port without a chip has type 0."""
    kind = number(entry / "type")
    return (entry / "device").exists() and kind != 0


def _resolved(path: Path) -> str:
    """Where a name leads, also when nothing is there; a loop of links leads to itself."""
    try:
        return str(path.resolve())
    except (OSError, RuntimeError):
        return str(path)


def _named(directory: Path, real: str) -> str:
    """The udev link to a device file, empty when there is none."""
    return next((str(link) for link in entries(directory) if _resolved(link) == real), "")


def _usb_above(entry: Path) -> Usb | None:
    try:
        place = (entry / "device").resolve(strict=True)
    except OSError:
        return None
    for parent in (place, *list(place.parents)[:PARENTS_MAX]):
        device = usb_device(parent)
        if device is not None:
            return device
    return None


def holders(machine: Machine) -> dict[str, tuple[User, ...]]:
    """Device file -> programs that have it open, as far as we may look."""
    found: dict[str, tuple[User, ...]] = {}
    for process in entries(machine.proc):
        if not process.name.isdecimal():
            continue
        opened = {_resolved(link) for link in entries(process / "fd")}
        for path in opened:
            if path.startswith(("/dev/", str(machine.dev))):
                user = User(int(process.name), word(process / "comm"))
                found[path] = (*found.get(path, ()), user)
    return found


def daemons(machine: Machine) -> tuple[int, ...]:
    """The processes that run `gatewayd run`, which may hold any configured device."""
    found = []
    for process in entries(machine.proc):
        words = word(process / "cmdline").split("\0") if process.name.isdecimal() else []
        names = {Path(each).name for each in words[:3]}
        if "run" in words and names & {"gatewayd", "__main__.py"}:
            found.append(int(process.name))
    return tuple(found)
