"""Scripted PLCs that speak real Modbus bytes over loopback TCP or a pty, and lie when told to.

The memory is the reference gate's; there is no physics here. What a PLC answers is a list of
steps: bytes are sent, a number is waited in seconds, None hangs up.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from drivers.contract import Context, Driver, GateSample, Reading
from drivers.suite.terminal import Terminal
from protocols import registers
from protocols.modbus import rtu_frame, tcp_frame
from tests.support.patient_loop import now_ns

CONFIG = Path(__file__).parents[2] / "config"
REFERENCE = registers.load(
    (CONFIG / "profiles/reference-gate-v1.yaml").read_text(encoding="utf-8"), "reference"
)
READ_REPORT = bytes.fromhex("0300640010")
READ_COMMAND = bytes.fromhex("0300000007")
LATE_S_MAX = 4.0
"""How late a loaded machine may see what a driver does after a second."""
CLOSE = bytes.fromhex("0600000000")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and the honest answer to it."""

    unit: int
    pdu: bytes
    reply: bytes
    framing: Callable[[int, bytes], bytes]

    def framed(self, reply: bytes | None = None, *, unit: int | None = None) -> bytes:
        """A reply ready to send, with a lie in it when given."""
        return self.framing(
            self.unit if unit is None else unit, self.reply if reply is None else reply
        )


Step: TypeAlias = bytes | float | None
Script: TypeAlias = Callable[[Asked], Sequence[Step]]


def honest(asked: Asked) -> Sequence[Step]:
    return [asked.framed()]


@dataclass
class Plc:
    """Command and report registers of one unit; the heartbeat counts the reads of the report."""

    script: Script = honest
    command: list[int] = field(default_factory=lambda: [0] * 7)
    report: list[int] = field(default_factory=lambda: [0] * 16)
    beating: bool = True
    asked: list[bytes] = field(default_factory=list)

    def answer(self, pdu: bytes) -> bytes:
        """Serve one request honestly."""
        self.asked.append(pdu)
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if pdu[0] == 3:
            memory = {**dict(enumerate(self.command)), **dict(enumerate(self._read(), 100))}
            values = [memory.get(address + index, 0) for index in range(count)]
            return bytes((3, 2 * count)) + registers.register_bytes(values)
        if pdu[0] == 6:
            self.command[address] = count
            return pdu
        assert pdu[0] == 16, pdu
        self.command[address : address + count] = registers.register_numbers(pdu[6:])
        return pdu[:5]

    def _read(self) -> list[int]:
        if self.beating and self.asked[-1] == READ_REPORT:
            self.report[15] += 1
        return self.report

    def writes(self) -> list[bytes]:
        """Every write so far."""
        return [pdu for pdu in self.asked if pdu[0] != 3]


@dataclass
class Seen:
    """What a driver told its supervisor."""

    samples: list[GateSample] = field(default_factory=list)
    ups: list[str] = field(default_factory=list)
    noises: list[tuple[str, bytes]] = field(default_factory=list)

    def context(self) -> Context:
        return Context(self._emit, self.ups.append, self._noise, now_ns)

    def _emit(self, reading: Reading) -> None:
        assert isinstance(reading, GateSample)
        self.samples.append(reading)

    def _noise(self, reason: str, raw: bytes) -> None:
        self.noises.append((reason, raw))

    def heartbeats(self) -> list[int]:
        return [sample.heartbeat for sample in self.samples]


@asynccontextmanager
async def running(*drivers: Driver) -> AsyncIterator[list[Seen]]:
    """Run drivers; an error of one fails the test."""
    seen = [Seen() for _ in drivers]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(driver.run(one.context()))
            for driver, one in zip(drivers, seen, strict=True)
        ]
        yield seen
        for task in tasks:
            task.cancel()


class TcpServer:
    """Units behind one TCP port."""

    def __init__(self, units: Mapping[int, Plc]) -> None:
        self.units = units
        self.port = 0
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["TcpServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Close every connection, as a PLC does that loses power politely."""
        while self._writers:
            self._writers.pop().close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                plc = self.units[head[6]]
                transaction = int.from_bytes(head[:2], "big")
                asked = Asked(head[6], pdu, plc.answer(pdu), partial(tcp_frame, transaction))
                for step in plc.script(asked):
                    if step is None:
                        writer.close()
                    elif isinstance(step, bytes):
                        writer.write(step)
                    else:
                        await asyncio.sleep(step)


class RtuBus:
    """Units on one serial line (a pty); a unit that is not there stays silent."""

    def __init__(self, units: Mapping[int, Plc]) -> None:
        self.units = units
        self.path = ""
        self.gaps_s: list[float] = []
        self._last_s = 0.0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["RtuBus"]:
        self._terminal = Terminal()
        self.path = self._terminal.path
        requests: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._terminal.far, self._receive, requests)
        serving = asyncio.ensure_future(self._serve(requests))
        try:
            yield self
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            self.unplug()

    def unplug(self) -> None:
        if self._terminal.is_open:
            asyncio.get_running_loop().remove_reader(self._terminal.far)
            self._terminal.close()

    def _receive(self, requests: asyncio.Queue[bytes]) -> None:
        with suppress(BlockingIOError, OSError):
            requests.put_nowait(os.read(self._terminal.far, 1024))

    def say(self, data: bytes) -> None:
        """Put bytes on the line that nobody asked for."""
        self._last_s = asyncio.get_running_loop().time()
        os.write(self._terminal.far, data)

    async def _serve(self, requests: asyncio.Queue[bytes]) -> None:
        """One write of ours is one frame: a pty keeps small writes together."""
        while True:
            frame = await requests.get()
            self.gaps_s.append(asyncio.get_running_loop().time() - self._last_s)
            plc = self.units.get(frame[0])
            if plc is None:
                continue
            asked = Asked(frame[0], frame[1:-2], plc.answer(frame[1:-2]), rtu_frame)
            assert frame == asked.framed(asked.pdu)
            for step in plc.script(asked):
                if step is None:
                    self.unplug()
                elif isinstance(step, bytes):
                    self.say(step)
                else:
                    await asyncio.sleep(step)
