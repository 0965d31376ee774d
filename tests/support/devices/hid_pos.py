"""A HID POS scanner on a socket of packets: one packet is one report, as at a hidraw node.

The socket stands in for the node, which only the kernel can make; opening it differs, everything
from the first report on is the driver's own. Opening is tried in umockdev's test bed.
"""

import asyncio
import contextlib
import socket
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from drivers.barcode.hid_link import HidPort, HidrawLink, UsbLink
from drivers.barcode.hid_pos import DRIVER, HidPos, Settings
from drivers.barcode.hidraw import HidrawPort, hid_cause
from drivers.contract import Driver, DriverError
from drivers.suite import Faults, Plugged
from protocols.scanners.hid_pos import PLAIN, Code, build_reports
from tests.protocols.test_hid_pos import PLAIN_DESCRIPTOR


@dataclass
class ScriptedHidPos:
    """A scanner that sends its reports and listens to nothing."""

    send: Callable[[bytes], None] = field(default=lambda _data: None)

    def plugged(
        self, send: Callable[[bytes], None], unplug: Callable[[], None]
    ) -> Callable[[bytes], None]:
        del unplug
        self.send = send
        return lambda _data: None

    def scan(self, text: str, aim: str = "]C1") -> None:
        for report in build_reports(PLAIN, Code(aim, text.encode())):
            self.send(report)


class _Node:
    """Our end of the packets; never blocks, whoever is slow."""

    def __init__(self, packets: socket.socket, faults: Faults) -> None:
        self._packets = packets
        self._faults = faults
        self._waiting: deque[bytes] = deque()
        self._loop = asyncio.get_running_loop()

    def carry(self, report: bytes) -> None:
        """Every report, and every fault, is a packet of its own."""
        faults = self._faults
        if faults.silent:
            return
        sent = [faults.instead] if faults.instead else [faults.before, report] * faults.repeats
        later = partial(self._send, [each for each in sent if each])
        self._loop.call_later(faults.slow_s, later) if faults.slow_s else later()

    def _send(self, reports: list[bytes]) -> None:
        self._waiting += reports
        self._flush()

    def _flush(self) -> None:
        if self._packets.fileno() < 0:
            return
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while self._waiting:
                self._packets.send(self._waiting[0])
                self._waiting.popleft()
        if self._waiting:
            self._loop.add_writer(self._packets, self._flush)
        else:
            self._loop.remove_writer(self._packets)

    def close(self) -> None:
        if self._packets.fileno() >= 0:
            self._loop.remove_writer(self._packets)
            self._packets.close()


@asynccontextmanager
async def on_packets(
    plugged: Plugged, faults: Faults | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Serve a scripted scanner; every opening plugs it in anew. Yields the `link` to it."""
    loop = asyncio.get_running_loop()
    nodes: list[_Node] = []
    with tempfile.TemporaryDirectory() as folder, _packets() as door:
        path = str(Path(folder) / "hidraw")
        door.bind(path)
        door.listen()

        def accept() -> None:
            with contextlib.suppress(BlockingIOError):
                packets, _ = door.accept()
                packets.settimeout(0)
                nodes.append(_Node(packets, faults or Faults()))
                plugged(nodes[-1].carry, nodes[-1].close)

        loop.add_reader(door, accept)
        try:
            yield {"hidraw": path}
        finally:
            loop.remove_reader(door)
            for node in nodes:
                node.close()


def _packets() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    made.settimeout(0)
    return made


async def _open(link: HidrawLink | UsbLink) -> HidPort:
    assert isinstance(link, HidrawLink), link
    packets = _packets()
    try:
        packets.connect(link.hidraw)
    except OSError as exc:
        packets.close()
        raise DriverError(f"{link.wire()}: {hid_cause(exc)}") from exc
    return HidrawPort(packets.detach(), link.wire(), PLAIN_DESCRIPTOR)


def _make(name: str, settings: Settings, profiles: Mapping[str, Any]) -> Driver:
    del profiles
    return HidPos(name, settings, _open)


ON_PACKETS = replace(DRIVER, make=_make)
"""The driver as it is, but for how it opens its node."""
