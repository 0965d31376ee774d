"""One owner per Modbus wire: devices on one bus or socket share one stream and take turns.

A turn is taken by rank, so that a lock never waits behind polls. A reply is used only when it
matches its request; what comes late is dropped: over TCP by its transaction number, over RTU by
keeping the bus quiet for the worst reply time after every failure.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, TypeAlias

from drivers.contract import DriverError
from drivers.links import Link, LinkSilentError, SerialLink, Stream, open_stream
from drivers.plc.turns import Rank, Turns
from protocols.modbus import (
    EXCEPTIONS_PASSING,
    MBAP,
    PDU_BYTES_MAX,
    ExceptionReplyError,
    ModbusError,
    Request,
    rtu_frame,
    rtu_pdu,
    rtu_reply_bytes,
    rtu_silence_s,
    tcp_frame,
    tcp_frame_bytes,
)

FRAME_BYTES_MAX = 7 + PDU_BYTES_MAX
SHOWN_BYTES_MAX = 1024
"""Bytes of a heap thrown away at once that are kept for showing."""

Noise: TypeAlias = Callable[[str, bytes], None]


class MissedError(DriverError):
    """One request had no usable answer; the link itself still stands."""


class Wire(ABC):
    """A shared stream. Call `exchange` only while holding a turn."""

    _shared: ClassVar[dict[tuple[asyncio.AbstractEventLoop, str], "Wire"]] = {}

    def __init__(self, link: Link) -> None:
        self.link = link
        self.turns = Turns()
        self._users = 0
        self._stream: Stream | None = None

    @classmethod
    @asynccontextmanager
    async def join(cls, link: Link) -> AsyncIterator["Wire"]:
        """The open wire of `link`; the last one to leave closes it.

        Raises DriverError when it cannot be opened, or when another device on this wire set the
        port otherwise (baud, parity, stop bits).
        """
        key = (asyncio.get_running_loop(), link.wire())
        wire = cls._shared.get(key)
        if wire is None:
            made = RtuWire(link) if isinstance(link, SerialLink) else TcpWire(link)
            wire = cls._shared[key] = made
        if wire.link != link:
            raise DriverError(f"{link.wire()}: another device sets this port to {wire.link!r}")
        async with wire.held():
            async with wire.turns.take(Rank.COMMAND):
                await wire.open()
            yield wire

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keep the wire from being closed as unused, so that a lock still gets through."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0:
                self._shared.pop((asyncio.get_running_loop(), self.link.wire()), None)
                await self.close()

    async def open(self) -> Stream:
        """The open stream, opened anew when it is not; raises DriverError."""
        assert self._users > 0, self.link
        if self._stream is None or self._stream.lost:
            await self.close()
            self._stream = await open_stream(self.link)
            self._opened()
        return self._stream

    async def close(self) -> None:
        """Close the stream if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def exchange(
        self, unit: int, request: Request, *, within_s: float, noise: Noise
    ) -> bytes:
        """Ask and return the register bytes of the answer; never asks twice.

        Raises MissedError when no usable answer came in time or the device said "not now",
        DriverError when the link is lost, the device refused or its answer is to something else.
        """
        stream, who = self._stream, f"{self.link.wire()} unit {unit}"
        if stream is None or stream.lost:
            why = "connection lost" if stream is None else stream.lost
            await self.close()
            raise DriverError(f"{self.link.wire()}: {why}")
        try:
            reply = await self._reply(stream, unit, request.pdu, within_s=within_s, noise=noise)
        except LinkSilentError as exc:
            raise MissedError(f"{who}: no answer in {within_s} s") from exc
        except ModbusError as exc:
            raise await self._out_of_step(f"{who}: {exc}") from exc
        try:
            return request.answer(reply)
        except ExceptionReplyError as exc:
            failure = MissedError if exc.code in EXCEPTIONS_PASSING else DriverError
            raise failure(f"{who}: {exc}") from exc
        except ModbusError as exc:
            raise self._another_answer(f"{who}: {exc}") from exc

    @abstractmethod
    def _opened(self) -> None:
        """Forget what belonged to the stream before."""

    @abstractmethod
    async def _reply(
        self, stream: Stream, unit: int, pdu: bytes, *, within_s: float, noise: Noise
    ) -> bytes:
        """Send a request PDU and return the reply PDU that belongs to it."""

    @abstractmethod
    async def _out_of_step(self, text: str) -> DriverError:
        """The error for bytes that are no reply to us."""

    @abstractmethod
    def _another_answer(self, text: str) -> DriverError:
        """The error for a whole reply to us that answers something else."""


class TcpWire(Wire):
    """Modbus TCP: the transaction number says which request a reply answers.

    A peer that sends no Modbus, half a frame or another unit's reply under our number is cut off: a
    TCP stream out of step does not come back into step.
    """

    def _opened(self) -> None:
        self._transaction = 0
        self._got = bytearray()

    async def _out_of_step(self, text: str) -> DriverError:
        await self.close()
        return DriverError(text)

    def _another_answer(self, text: str) -> DriverError:
        return DriverError(text)

    async def _reply(
        self, stream: Stream, unit: int, pdu: bytes, *, within_s: float, noise: Noise
    ) -> bytes:
        self._transaction = self._transaction % 0xFFFF + 1
        deadline = asyncio.get_running_loop().time() + within_s
        await stream.write(tcp_frame(self._transaction, unit, pdu), within_s)
        while True:
            frame = await self._frame(stream, deadline)
            transaction, _, _, replier = MBAP.unpack_from(frame)
            if transaction != self._transaction:
                noise("late answer dropped", frame)
            elif replier != unit:
                raise ModbusError(f"unit {replier} answered instead: {frame.hex()}")
            else:
                return frame[MBAP.size :]

    async def _frame(self, stream: Stream, deadline: float) -> bytes:
        """The next whole frame; half a frame at the deadline means the stream is out of step."""
        got = self._got
        while not (size := tcp_frame_bytes(got)) or len(got) < size:
            left_s = max(0.0, deadline - asyncio.get_running_loop().time())
            try:
                got += await stream.read(FRAME_BYTES_MAX, left_s)
            except LinkSilentError as exc:
                if got:
                    raise ModbusError(f"half a frame: {got.hex()}") from exc
                raise
        frame = bytes(got[:size])
        del got[:size]
        return frame


class RtuWire(Wire):
    """Modbus RTU on a serial line: one question at a time, and silence between frames.

    Nothing in an RTU reply says which question it answers. After anything but a good reply, also
    after a cancelled wait, the bus therefore stays quiet for the worst reply time, and what
    arrives meanwhile is thrown away.
    """

    def __init__(self, link: SerialLink) -> None:
        super().__init__(link)
        self._char_s = link.char_s()
        self._silence_s = rtu_silence_s(link.char_s())
        self._quiet_until = 0.0
        self._worst_s = 0.0

    def _opened(self) -> None:
        self._quiet_until = 0.0

    async def _out_of_step(self, text: str) -> DriverError:
        """The quiet time is set already."""
        return MissedError(text)

    def _another_answer(self, text: str) -> DriverError:
        """Perhaps a very late one: what follows it may be late too."""
        self._quiet_until = asyncio.get_running_loop().time() + self._worst_s
        return MissedError(text)

    async def _reply(
        self, stream: Stream, unit: int, pdu: bytes, *, within_s: float, noise: Noise
    ) -> bytes:
        await self._settle(stream, noise)
        self._worst_s = within_s
        loop = asyncio.get_running_loop()
        frame = rtu_frame(unit, pdu)
        # Writing returns when the kernel has the bytes; the line still needs their time.
        deadline = loop.time() + len(frame) * self._char_s + within_s
        got = bytearray()
        good = False
        try:
            await stream.write(frame, within_s)
            while not (size := rtu_reply_bytes(got)) or len(got) < size:
                got += await stream.read(FRAME_BYTES_MAX, max(0.0, deadline - loop.time()))
            if len(got) > size:
                raise ModbusError(f"{len(got) - size} bytes too many: {got.hex()}")
            reply = rtu_pdu(bytes(got), unit)
            good = True
        finally:
            if not good and got:
                noise("no Modbus reply", bytes(got))
            self._quiet_until = loop.time() + (self._silence_s if good else within_s)
        return reply

    async def _settle(self, stream: Stream, noise: Noise) -> None:
        """Wait until the line may be used, and throw away what nobody asked for."""
        left_s = self._quiet_until - asyncio.get_running_loop().time()
        if left_s > 0:
            await asyncio.sleep(left_s)
        stale = stream.discard()
        if stale:
            noise("late or unasked bytes dropped", stale[:SHOWN_BYTES_MAX])
