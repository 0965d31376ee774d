"""The lines of YAML that turn a configuration into what a hunt found. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from drivers.links import SerialLink
from gatewayd.commission.hunting import Candidate
from gatewayd.commission.maps import Mapped

SETTING_OF: Mapping[str, str] = {
    "output": "coil",
    "outputs": "register",
    "readback": "readback.input",
    "e_stop": "e_stop.input",
    "start": "start.input",
    "watchdog": "watchdog.register",
    "watchdog_state": "watchdog.running.register",
}
"""Where the settings of an output module say the place of a point."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Lines for the device, and for its map; both empty when all is as it must be."""

    device: tuple[str, ...]
    map: tuple[str, ...]


def changes(device: Mapped, found: Candidate) -> Changes:
    """What to change so that the device is reached and read as found."""
    lines = tuple(_map_lines(device, found)) if device.own_map else ()
    return Changes(tuple(_device_lines(device, found, copied=bool(lines))), lines)


def own_id(device: Mapped) -> str:
    """The id of the site's own copy of a map."""
    return f"{device.profile.id}-{device.name}"[:64].lower()


def _device_lines(device: Mapped, found: Candidate, *, copied: bool) -> Iterator[str]:
    if found.unit != device.unit:
        yield f"unit: {found.unit}"
    if found.link != device.link and isinstance(found.link, SerialLink):
        link = found.link
        yield (
            f"link: {{serial: {json.dumps(link.serial)}, baud: {link.baud}, "
            f"parity: {link.parity}, stop_bits: {link.stop_bits}}}"
        )
    if copied:
        yield f"profile: {own_id(device)}"
    if not device.own_map and found.variant.base != device.profile.base:
        for name, point in found.variant.profile.points.items():
            yield f"{SETTING_OF[name]}: {point.address}"


def _map_lines(device: Mapped, found: Candidate) -> Iterator[str]:
    variant = found.variant
    rebased = variant.base != device.profile.base
    if not (rebased or variant.swapped_words or variant.swapped_bytes):
        return
    yield f"id: {own_id(device)}"
    if rebased:
        yield f"base: {variant.base}"
    if variant.swapped_words:
        yield _order("word_order", variant.word_order)
    if variant.swapped_bytes:
        yield _order("byte_order", variant.byte_order)


def _order(key: str, order: str) -> str:
    return f"{key}: {order}" if order != "mixed" else f"# {key}: the other one, point by point"
