"""What the installed drivers declare of finding their devices, gathered once."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from drivers.contract import DriverType, Hello, Strict
from drivers.troubles import DRIVER_OF
from gatewayd.settings.drivers import driver_table
from gatewayd.settings.examples import settings_of, yaml_line
from gatewayd.settings.table import PluginError
from protocols.decode import FORMATS
from protocols.diagnose import start_bytes

ANY_PRODUCT = 0
"""In `usb_ids` in place of a product: every product of that vendor."""
TEXT_BAUDS = (9_600, 115_200)
"""Speeds at which text scanners leave the factory."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Drivers by name, in the order of their names; those that cannot be imported are left out."""

    drivers: Mapping[str, DriverType] = field(default_factory=dict)

    def hellos(self) -> tuple[tuple[Hello, tuple[str, ...]], ...]:
        """Every harmless question once, with the drivers that ask it.

        Protocols without a start byte come first: what another one asks is to their devices the
        beginning of a long frame, until they notice the silence. Then by proof, then by speed.
        """
        found: dict[Hello, list[str]] = {}
        for name, driver in self.drivers.items():
            for hello in driver.hellos:
                found.setdefault(hello, []).append(name)
        ordered = sorted(found, key=_order)
        return tuple((hello, tuple(found[hello])) for hello in ordered)

    def bauds(self) -> tuple[int, ...]:
        """The speeds worth listening at, fastest first."""
        asked = {hello.baud for hello, _ in self.hellos()}
        return tuple(sorted(asked | set(TEXT_BAUDS), reverse=True))

    def speakers(self, format_: str, link: Mapping[str, Any]) -> tuple[str, ...]:
        """The drivers of a format on such a wire, the one that is usually meant first."""
        drivers = self.drivers.items()
        speak = [n for n, each in drivers if format_ in each.formats and self.takes(n, link)]
        usual = DRIVER_OF.get(format_, "")
        return tuple(sorted(speak, key=lambda name: (name != usual, name)))

    def of_usb(self, vendor: int, product: int) -> tuple[str, ...]:
        """The drivers that claim a USB device by its ids; product 0 stands for all of a vendor."""
        ids = {(vendor, product), (vendor, ANY_PRODUCT)}
        return tuple(name for name, driver in self.drivers.items() if ids & set(driver.usb_ids))

    def tcp_ports(self) -> tuple[int, ...]:
        """The usual TCP ports of all devices."""
        return tuple(sorted({port for d in self.drivers.values() for port in d.tcp_ports}))

    def of_port(self, port: int) -> tuple[str, ...]:
        """The drivers whose devices usually listen there."""
        return tuple(name for name, driver in self.drivers.items() if port in driver.tcp_ports)

    def line(self, name: str, driver: str, found: Iterable[Mapping[str, Any]]) -> str:
        """A ready line for devices/*.yaml with the first settings that the driver takes; else empty.

        Settings that must be said and cannot be found are those of the driver's example.
        """
        model = self.drivers[driver].settings
        needed = {key for key, each in model.model_fields.items() if each.is_required()}
        example = settings_of(self.drivers[driver])
        for each in found:
            rest = {key: value for key, value in example.items() if key in needed - {"link"}}
            settings = {**each, **rest}
            if _validates(model, settings):
                return yaml_line(name, driver, settings)
        return ""

    def takes(self, driver: str, link: Mapping[str, Any]) -> bool:
        """Whether devices of that driver can be on such a wire."""
        return bool(self.line("device-1", driver, [{"link": dict(link)}]))


def _order(hello: Hello) -> tuple[bool, int, int, str, bytes]:
    row = FORMATS.get(hello.format)
    starts = row is not None and row.framer is not None and bool(start_bytes(hello.format))
    proof = row.proof_bits if row is not None else 0
    return starts, -proof, -hello.baud, hello.format, hello.question


def _validates(model: type[Strict], settings: Mapping[str, Any]) -> bool:
    try:
        model.model_validate_json(json.dumps(settings))
    except ValueError:
        return False
    return True


@cache
def knowledge() -> Knowledge:
    """What is installed here."""
    table = driver_table()
    found = {}
    for name in table.names:
        try:
            found[name] = table.get(name)
        except PluginError:
            continue  # `gatewayd drivers` says why.
    return Knowledge(found)
