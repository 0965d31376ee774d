"""Kits of drivers that keep the contract but for named cases, which their wire rules out."""

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drivers.barcode import keyboard
from drivers.barcode.input_port import KeyPort
from drivers.contract import Context, Driver, DriverError
from drivers.rfid import modbus_head
from drivers.suite import Case, Faults, Kit, Plugged, cases, on_pty, on_tcp
from protocols import registers
from tests.support.devices.hid_pos import on_packets
from tests.support.devices.keyboard import EVENT, SocketKeys, events, strokes
from tests.support.devices.modbus_head import ScriptedHead

MAP = "technotrade-vrd-485"
PROFILES = Path(__file__).parents[2] / "config/profiles"
UNKNOWN_KEY_THEN_ENTER = [(1, 0x2FE, 1), (1, 0x2FE, 0), (1, 28, 1), (1, 28, 0)]


def _head(name: str, settings: Any, _profiles: Mapping[str, Any]) -> Driver:
    profile = registers.load((PROFILES / f"{MAP}.yaml").read_text("utf-8"), MAP)
    return modbus_head.DRIVER.make(name, settings, {MAP: profile})


def _on_the_head(head: ScriptedHead, uids: tuple[str, ...]) -> None:
    head.tags = [bytes.fromhex(uid) for uid in uids[:1]]


HEAD = Kit(
    name="modbus-head",
    driver=replace(modbus_head.DRIVER, make=_head),
    device=ScriptedHead,
    show=_on_the_head,
    identities=("A41E45C6", "0000BEEF"),
    settings={"profile": MAP, "poll_ms": 20, "timeout_ms": 500},
    foreign=b"\xde\xad\xbe\xef" * 8,
    wires=(on_tcp, on_pty),
)


@dataclass
class ScriptedKeys:
    """A scanner in keyboard mode: a packet of key events a code."""

    send: Callable[[bytes], None] = field(default=lambda _data: None)

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        self.send = send
        return lambda _data: None


def _typed(keys: ScriptedKeys, codes: tuple[str, ...]) -> None:
    for code in codes:
        keys.send(_packet(events(strokes("us", f"{code}\n"))))


def _packet(sent: list[tuple[int, int, int]]) -> bytes:
    return b"".join(EVENT.pack(*each) for each in sent)


@dataclass
class _Grabbed:
    """`barcode.keyboard` from the open node on; only the kernel makes such nodes."""

    name: str
    settings: keyboard.Settings

    async def run(self, context: Context) -> None:
        packets = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        packets.settimeout(0)
        path = self.settings.link.input
        assert path is not None
        try:
            packets.connect(path)
        except OSError as exc:
            packets.close()
            raise DriverError(f"{path}: no such scanner") from exc
        port = KeyPort(SocketKeys(packets), "keys:1eab:0010")
        try:
            context.up("keyboard scanner")
            await keyboard.Codes(self.name, self.settings, context).read(port)
        finally:
            await port.close()


@asynccontextmanager
async def on_keys(plugged: Plugged, faults: Faults | None = None) -> AsyncIterator[dict[str, Any]]:
    """A node of key events on a socket of packets."""
    async with on_packets(plugged, faults) as link:
        yield {"usb": "1eab:0010", "input": link["hidraw"]}


KEYS = Kit(
    name="keyboard",
    driver=replace(
        keyboard.DRIVER, make=lambda name, settings, _profiles: _Grabbed(name, settings)
    ),
    device=ScriptedKeys,
    show=_typed,
    identities=("0110100001", "0110100002"),
    garbage=_packet(UNKNOWN_KEY_THEN_ENTER),
    foreign=_packet(UNKNOWN_KEY_THEN_ENTER),
    answers=False,
    wires=(on_keys,),
)

LEFT_OUT: Mapping[str, Mapping[Case, str]] = {
    "modbus-head": {
        cases.two_at_once_are_two: "a head has registers for one tag",
        cases.garbage_between_frames_costs_no_read: (
            "a Modbus master drops an answer that garbage touches and asks again; "
            "test_one_garbled_answer_on_a_bus_is_noise"
        ),
    },
    "keyboard": {},
}
"""Cases that a kit leaves out, each with the reason."""

KITS_IN_PART = (HEAD, KEYS)
