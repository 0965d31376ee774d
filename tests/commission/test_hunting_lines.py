"""A hunt tries speed, parity and stop bits, each named: what is really set on the port.

A pty has no parity of its own: the kernel takes PARENB back, and keeps PARODD, CSTOPB and the speed.
So those are read back from the port, and even parity from what the serial layer was handed.
"""

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import serialx

from drivers.links import SerialLink
from gatewayd.commission import variants
from gatewayd.commission.changes import changes
from gatewayd.commission.hunting import Found, Hunt
from tests.commission.test_hunting import SIEMENS, MapPlc, mapped, only_read, siemens
from tests.support.patient_loop import PatientLoop
from tests.support.plcs import Asked, RtuBus, Step, honest

Parity = Literal["none", "even", "odd"]
SPEEDS = {termios.B9600: 9_600, termios.B19200: 19_200, termios.B38400: 38_400}


class Ports(PatientLoop):
    """An event loop that opens real ports, and writes down how it was told to."""

    def __init__(self) -> None:
        super().__init__()
        self.handed: list[str] = []

    async def create_serial_connection(
        self, factory: Callable[[], asyncio.Protocol], path: str, **settings: Any
    ) -> tuple[Any, asyncio.Protocol]:
        parity, stop_bits = settings["parity"].name[0], settings["stopbits"].value
        self.handed.append(f"{settings['baudrate']} 8{parity}{int(stop_bits)}")
        return await serialx.create_serial_connection(self, factory, path, **settings)


@dataclass
class Hunted:
    """One hunt for a device that understands one setting of the line."""

    found: Found
    tries: list[str]
    line: str
    read_only: bool
    set_on_port: list[str] = field(default_factory=list)


def as_set(port: int) -> str:
    """What the port itself says; even parity looks like none on a pty."""
    told = termios.tcgetattr(port)
    parity = "O" if told[2] & termios.PARODD else "N"
    stop_bits = 2 if told[2] & termios.CSTOPB else 1
    return f"{SPEEDS.get(told[5], 0)} 8{parity}{stop_bits}"


@asynccontextmanager
async def device_of(
    understands: Callable[[str], bool],
) -> AsyncIterator[tuple[RtuBus, MapPlc, list[str]]]:
    """A unit that answers when the line is set as it wants it; every setting it saw."""
    plc, seen = MapPlc(device=siemens()), list[str]()
    async with RtuBus({1: plc}).serving() as bus:
        port = os.open(bus.path, os.O_RDWR | os.O_NOCTTY)

        def script(asked: Asked) -> Sequence[Step]:
            seen.append(as_set(port))
            return honest(asked) if understands(seen[-1]) else []

        plc.script = script
        try:
            yield bus, plc, seen
        finally:
            os.close(port)


async def hunt(understands: Callable[[str], bool], parity: Parity = "none") -> Hunted:
    async with device_of(understands) as (bus, plc, seen):
        device = mapped(SIEMENS, SerialLink(serial=bus.path, baud=9_600, parity=parity))
        found = await Hunt(device, (1,), frozenset(), lambda _what: None).run()
        assert found.best is not None
        (line,) = changes(device, found.best).device
        tries = [each.what.split(", ")[1] for each in found.tries]
        return Hunted(found, distinct(tries), line, only_read(plc), distinct(seen))


def distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("19200 8O1", "baud: 19200, parity: odd"),
        ("9600 8N2", "baud: 9600, parity: none, stop_bits: 2"),
    ],
)
async def test_parity_and_stop_bits_are_found_as_the_port_has_them(setting: str, said: str) -> None:
    hunted = await hunt(lambda told: told == setting)
    assert hunted.found.verdict == "proven"
    assert said in hunted.line
    assert hunted.tries[-1] == setting
    assert hunted.read_only


def test_each_try_is_named_in_order_and_is_what_the_serial_layer_gets() -> None:
    """Even parity: the device answers when the port was opened so."""
    loop = Ports()

    def run(understands: Callable[[str], bool]) -> Hunted:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(hunt(understands, parity="odd"))

    hunted = run(lambda _told: loop.handed[-1] == "19200 8E1")
    assert hunted.found.verdict == "proven"
    assert "baud: 19200, parity: even" in hunted.line
    link = SerialLink(serial="/dev/ttyX", baud=9_600, parity="odd")
    planned = [variants.line_label(each) for each in variants.lines(link)]
    assert planned[0] == "9600 8O1"
    assert planned[1:9] == [f"{baud} 8N1" for baud in (9_600, *_others())]
    assert hunted.tries == planned[: planned.index("19200 8E1") + 1]
    assert distinct(loop.handed) == hunted.tries, "what is named is what is set"


def _others() -> tuple[int, ...]:
    return tuple(baud for baud in variants.BAUDS if baud != 9_600)


def test_every_form_of_a_character_is_a_form_that_a_config_can_say() -> None:
    forms = {variants.line_label(each)[-3:] for each in variants.lines(SerialLink(serial="/dev/t"))}
    assert forms == {"8N1", "8E1", "8O1", "8N2"}
