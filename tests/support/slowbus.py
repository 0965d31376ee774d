"""A serial bus as slow as a real one, on a pty: every character takes its time, and frames collide.

What units answer is scripted as in `plcs.py`. `Planted` units hold a different value in every
register, so that one taken for another is seen at once.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle

from drivers.contract import DriverError
from drivers.plc.polling import Schedule
from drivers.plc.wire import MissedError, Wire
from drivers.suite.terminal import Terminal
from protocols.modbus import Request, read, rtu_frame, rtu_silence_s, write_one
from protocols.registers import register_bytes
from tests.support.plcs import Asked, Plc

CHUNK_CHARS = 8
"""Characters handed over together, as the FIFO of a serial port does."""
BITS = 10


def planted(unit: int, address: int) -> int:
    """What register `address` (0..255) of `unit` holds."""
    return unit << 8 | address


@dataclass
class Planted(Plc):
    """A unit that holds `planted` everywhere and forgets what is written."""

    unit: int = 1

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu)
        if pdu[0] != 3:
            return pdu
        address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        values = [planted(self.unit, address + index) for index in range(count)]
        return bytes((3, 2 * count)) + register_bytes(values)


@dataclass
class Poller:
    """Reads blocks of one unit in turn, for ever, and compares; `writes`: every fourth is a write."""

    unit: int
    period_s: float
    blocks: Iterable[tuple[int, int]] = ((0, 2), (10, 2), (40, 2), (7, 3))
    writes: bool = False
    answered_s: list[float] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def run(self, wire: Wire, *, within_s: float, until_lost: bool = False) -> None:
        schedule = Schedule(self.period_s, self.unit)
        loop = asyncio.get_running_loop()
        for number, (address, count) in enumerate(cycle(self.blocks)):
            due_s = await schedule.next()
            request = read(address, count)
            if self.writes and number % 4 == 3:
                request = write_one(address, number)
            try:
                data = await wire.ask(
                    self.unit, request, within_s=within_s, noise=lambda *_: None, due_s=due_s
                )
            except DriverError as exc:
                self.failures.append(str(exc))
                if until_lost and not isinstance(exc, MissedError):
                    raise
            else:
                self.answered_s.append(loop.time())
                if data != self._expected(request):
                    self.wrong.append(data)

    def _expected(self, request: Request) -> bytes:
        if request.pdu[0] != 3:
            return b""
        return Planted(unit=self.unit).answer(request.pdu)[2:]

    def rate(self, since_s: float) -> float:
        """Answers since then, as a share of what was wanted."""
        times = [at_s for at_s in self.answered_s if at_s >= since_s]
        assert len(times) > 2, self
        return (len(times) - 1) * self.period_s / (times[-1] - times[0])


class SlowBus:
    """Units on one RS-485 line of `baud`, 8N1. A unit that is not there stays silent.

    `collisions` counts frames that met on the line, both of which are garbled; `hasty` those sent
    before the line was silent for as long as it must be; `heard` is when which unit was asked.
    """

    def __init__(self, units: Mapping[int, Plc], baud: int) -> None:
        self.units = units
        self.char_s = BITS / baud
        self.silence_s = rtu_silence_s(self.char_s)
        self.path = ""
        self.collisions = 0
        self.hasty = 0
        self.heard: list[tuple[float, int, bytes]] = []
        self._busy_until_s = 0.0
        self._garbled = False
        self._replies: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["SlowBus"]:
        self._loop = asyncio.get_running_loop()
        self._terminal = Terminal()
        self.path = self._terminal.path
        self._loop.add_reader(self._terminal.far, self._receive)
        try:
            yield self
        finally:
            self._loop.remove_reader(self._terminal.far)
            for reply in self._replies:
                reply.cancel()
            await asyncio.gather(*self._replies, return_exceptions=True)
            self._terminal.close()

    def _receive(self) -> None:
        """One write of ours is one frame: a pty keeps small writes together."""
        with suppress(BlockingIOError):
            frame = os.read(self._terminal.far, 1024)
            now_s = self._loop.time()
            self.heard.append((now_s, frame[0], frame[1:-2]))
            quiet_s = now_s - self._busy_until_s
            meets = self._occupy(len(frame))
            if not meets:
                self.hasty += quiet_s < self.silence_s
                reply = asyncio.ensure_future(self._reply(frame))
                self._replies.add(reply)
                reply.add_done_callback(self._replies.discard)

    def _occupy(self, chars: int) -> bool:
        """Take the line from now on; whether somebody else was sending."""
        now_s = self._loop.time()
        meets = now_s < self._busy_until_s
        self._busy_until_s = max(self._busy_until_s, now_s + chars * self.char_s)
        self.collisions += meets
        self._garbled = meets
        return meets

    async def _reply(self, frame: bytes) -> None:
        await asyncio.sleep(len(frame) * self.char_s)
        plc = self.units.get(frame[0])
        if plc is None:
            return
        asked = Asked(frame[0], frame[1:-2], plc.answer(frame[1:-2]), rtu_frame)
        assert frame == asked.framed(asked.pdu)
        for step in plc.script(asked):
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif step is not None:
                await asyncio.sleep(self.silence_s)
                await self._say(step)

    async def _say(self, data: bytes) -> None:
        began_s = self._loop.time()
        self._occupy(len(data))
        for at in range(0, len(data), CHUNK_CHARS):
            chunk = data[at : at + CHUNK_CHARS]
            due_s = began_s + (at + len(chunk)) * self.char_s
            await asyncio.sleep(due_s - self._loop.time())
            os.write(self._terminal.far, bytes(b ^ 0x5A for b in chunk) if self._garbled else chunk)
        self._busy_until_s = max(self._busy_until_s, self._loop.time())
