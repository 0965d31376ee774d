"""One device to probe: as configured, with changes, or put together from a driver and settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drivers.contract import Driver
from gatewayd.errors import ConfigError
from gatewayd.settings import sections
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.library import load_profiles
from gatewayd.settings.model import DeviceSettings, Settings
from gatewayd.settings.report import ConfigProblemsError, Report
from gatewayd.settings.shipped import shipped_dir
from protocols.documents import DocumentError, nearest_hint, parse

NAME = "device-1"
"""What an unconfigured device is called."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device ready to be made; `profiles` are the register maps it may name.

    `store` is where the archive of its station is, None for a device of no configuration.
    `neighbours` are the units that its station has on the same wire, by their names.
    """

    settings: DeviceSettings
    profiles: Mapping[str, Any]
    store: Path | None = None
    neighbours: Mapping[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self.settings.name

    @property
    def wire(self) -> str:
        """The physical wire it is on."""
        return self.settings.driver.wire(self.settings.settings)

    @property
    def baud(self) -> int | None:
        """The configured speed of a serial wire."""
        return getattr(getattr(self.settings.settings, "link", None), "baud", None)

    def make(self) -> Driver:
        """The driver, as the daemon makes it."""
        return self.settings.driver.make(self.name, self.settings.settings, self.profiles)


def configured(settings: Settings, name: str, changes: Iterable[str]) -> Device:
    """A device of the configuration, with `key=value` changes; raises ConfigError."""
    device = settings.devices.get(name)
    if device is None:
        known = ", ".join(settings.devices) or "none"
        hint = nearest_hint(name, settings.devices)
        raise ConfigError("; ".join(filter(None, (f"no device {name!r}", f"known: {known}", hint))))
    changes = tuple(changes)
    made = Device(device, settings.profiles)
    if changes:
        raw = device.settings.model_dump(mode="json", by_alias=True)
        made = _made(name, device.driver.name, raw, changes, settings.profiles)
    return replace(made, store=settings.store_path, neighbours=_neighbours(made, settings))


def _neighbours(device: Device, settings: Settings) -> dict[int, str]:
    """Units of other devices on the wire of this one."""
    found = {}
    for other in settings.devices.values():
        unit = getattr(other.settings, "unit", None)
        same = other.driver.wire(other.settings) == device.wire
        if same and unit is not None and other.name != device.name:
            found[unit] = other.name
    return found


def described(driver: str, changes: Iterable[str], directory: Path | None) -> Device:
    """An unconfigured device of a driver with `key=value` settings; raises ConfigError."""
    report = Report()
    profiles = load_profiles(directory or shipped_dir(), report).values
    try:
        return _made(NAME, driver, {}, tuple(changes), profiles)
    except ConfigError as exc:
        if not report.problems:
            raise
        # A map with a slip in it is not there: whoever names it must see the slip.
        raise ConfigError("\n".join((str(exc), *map(str, report.problems)))) from exc


def _made(
    name: str,
    driver: str,
    raw: dict[str, Any],
    changes: tuple[str, ...],
    profiles: Mapping[str, Any],
) -> Device:
    for change in changes:
        _put(raw, change)
    text = json.dumps({"devices": {name: {**raw, "driver": driver}}})
    report = Report()
    (entry,) = sections.entries([parse(text, "--set")], "devices", report)
    device = sections.device(entry, driver_table(), report)
    if device is None:
        raise ConfigProblemsError(report.problems)
    objections = _objections(device, profiles)
    if objections:
        raise ConfigError("\n".join(f"{name}: {each}" for each in objections))
    return Device(device, profiles)


def _objections(device: DeviceSettings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    profile = getattr(device.settings, "profile", None)
    if isinstance(profile, str) and profile not in profiles:
        known, hint = ", ".join(sorted(profiles)), nearest_hint(profile, profiles)
        return ("; ".join(filter(None, (f"no profile {profile!r}", f"known: {known}", hint))),)
    return device.driver.objections(device.settings, profiles)


def _put(raw: dict[str, Any], change: str) -> None:
    """`link.tcp=host:6000` into nested settings; the value is read as YAML, else it is text."""
    key, equals, value = change.partition("=")
    names = key.strip().split(".")
    if not equals or not all(names):
        raise ConfigError(f"--set {change}: expected KEY=VALUE, e.g. link.tcp=192.168.1.30:6000")
    place = raw
    for name in names[:-1]:
        below = place.setdefault(name, {})
        if not isinstance(below, dict):
            raise ConfigError(f"--set {change}: {name} is {below!r}, it has no keys")
        place = below
    place[names[-1]] = _value(value)


def _value(text: str) -> Any:
    try:
        return parse(f"value: {text}\n", "--set").value["value"]
    except DocumentError:
        return text
