"""How one request and its reply travel: what tells that a reply belongs to the request.

TCP has a transaction number for that. RTU has none: there it is unit, function, length and echo,
one question at a time, and silence on the bus for as long as a late answer may still come.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from drivers.contract import DriverError
from drivers.links import LinkSilentError, SerialLink, Stream
from protocols.modbus import (
    MBAP,
    PDU_BYTES_MAX,
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
LATE_TIMES_MAX = 2
"""For so many worst reply times after a miss on RTU its answer may still come, later than ever."""
UNANSWERED_MAX = 3
UNANSWERED_S = 2.0
"""So many requests, for so long, without a frame from anybody: a TCP connection that is half open."""

Noise: TypeAlias = Callable[[str, bytes], None]


class MissedError(DriverError):
    """One request had no usable answer; the link itself still stands."""


class OutOfStepError(ModbusError):
    """A stream that carries no Modbus any more, and does not come back into step."""


class DoubtError(ModbusError):
    """The request was not sent, because an answer to an earlier one would pass for its own."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, how long its answer may take, and whether it can wait."""

    request: Request
    within_s: float
    urgent: bool


class Line(ABC):
    """One open stream. `ready_s` is the loop time from which the next request may go out."""

    wrong: type[DriverError]
    """What a reply is that answers something else."""

    def __init__(self) -> None:
        self.ready_s = 0.0

    @abstractmethod
    def opened(self) -> None:
        """Forget what belonged to the stream before."""

    @abstractmethod
    async def reply(self, stream: Stream, unit: int, ask: Ask, *, noise: Noise) -> bytes:
        """Send a request and return the reply PDU that belongs to it.

        Raises LinkSilentError when nothing came in time, ModbusError when something else did,
        OutOfStepError when the stream must be closed, DoubtError when nothing was sent because an
        answer to an earlier request would pass for the one to this; an urgent request waits until
        that answer cannot come any more.
        """

    @abstractmethod
    def mistrust(self) -> None:
        """The reply was to us and answers something else: perhaps a very late one."""


class TcpLine(Line):
    """Modbus TCP: the transaction number says which request a reply answers.

    A peer that sends no Modbus or half a frame is cut off. Another unit's reply under our number
    is a lie of that unit, or of the gateway before it; the neighbours keep the connection.
    """

    wrong = DriverError

    def opened(self) -> None:
        """A new connection: numbers from 1, nothing received."""
        self._transaction = 0
        self._got = bytearray()
        self._heard()

    def mistrust(self) -> None:
        """The next reply has another number."""

    async def reply(self, stream: Stream, unit: int, ask: Ask, *, noise: Noise) -> bytes:
        """See Line; replies with other numbers are dropped as late."""
        self._transaction = self._transaction % 0xFFFF + 1
        deadline = asyncio.get_running_loop().time() + ask.within_s
        try:
            await stream.write(tcp_frame(self._transaction, unit, ask.request.pdu), ask.within_s)
            while True:
                frame = await self._frame(stream, deadline)
                transaction, _, _, replier = MBAP.unpack_from(frame)
                if transaction != self._transaction:
                    noise("late answer dropped", frame)
                elif replier != unit:
                    raise ModbusError(f"unit {replier} answered instead: {frame.hex()}")
                else:
                    return frame[MBAP.size :]
        except LinkSilentError:
            self._not_heard()
            raise

    async def _frame(self, stream: Stream, deadline: float) -> bytes:
        """The next whole frame; half a frame at the deadline means the stream is out of step."""
        got = self._got
        while not (size := _tcp_frame_bytes(got)) or len(got) < size:
            left_s = max(0.0, deadline - asyncio.get_running_loop().time())
            try:
                got += await stream.read(FRAME_BYTES_MAX, left_s)
            except LinkSilentError as exc:
                if got:
                    raise OutOfStepError(f"half a frame: {got.hex()}") from exc
                raise
        frame = bytes(got[:size])
        del got[:size]
        self._unanswered = 0
        return frame

    def _heard(self) -> None:
        self._unanswered = 0
        self._unanswered_since_s = 0.0

    def _not_heard(self) -> None:
        """Give up a connection on which nobody at all answers: a peer that lost power says so."""
        now_s = asyncio.get_running_loop().time()
        self._unanswered += 1
        if self._unanswered == 1:
            self._unanswered_since_s = now_s
        silent_s = now_s - self._unanswered_since_s
        if self._unanswered >= UNANSWERED_MAX and silent_s >= UNANSWERED_S:
            raise OutOfStepError(f"{self._unanswered} requests in a row without any answer")


def _tcp_frame_bytes(got: bytearray) -> int:
    try:
        return tcp_frame_bytes(got)
    except ModbusError as exc:
        raise OutOfStepError(str(exc)) from exc


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A request whose answer may still come, until `until_s`."""

    request: Request
    until_s: float

    def about(self, request: Request) -> bool:
        """Whether that answer would pass for the answer to `request`, and is not to the same."""
        mine = self.request
        alike = (mine.head, mine.data_bytes) == (request.head, request.data_bytes)
        return alike and mine.pdu != request.pdu


class RtuLine(Line):
    """Modbus RTU on a serial line: one question at a time, and silence between frames.

    Nothing in an RTU reply says which question it answers. After anything but a good reply, also
    after a cancelled wait, the bus therefore stays quiet for the worst reply time, and what
    arrives meanwhile is thrown away. A unit that is later still could answer one register's
    question with another's value: for LATE_TIMES_MAX reply times it is not asked what that answer
    would fit.
    """

    wrong = MissedError

    def __init__(self, link: SerialLink) -> None:
        super().__init__()
        self._char_s = link.char_s()
        self._silence_s = rtu_silence_s(link.char_s())
        self._worst_s = 0.0
        self._doubts: dict[int, _Doubt] = {}

    def opened(self) -> None:
        """A port just opened owes nobody silence."""
        self.ready_s = 0.0
        self._doubts.clear()

    def mistrust(self) -> None:
        """What follows a very late reply may be late too."""
        self.ready_s = asyncio.get_running_loop().time() + self._worst_s

    async def reply(self, stream: Stream, unit: int, ask: Ask, *, noise: Noise) -> bytes:
        """See Line."""
        await self._settle(stream, unit, ask, noise)
        request, within_s = ask.request, ask.within_s
        self._worst_s = within_s
        loop = asyncio.get_running_loop()
        frame = rtu_frame(unit, request.pdu)
        # Writing returns when the kernel has the bytes; the line still needs their time.
        deadline = loop.time() + len(frame) * self._char_s + within_s
        got = bytearray()
        size = 0
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
            self.ready_s = loop.time() + (self._silence_s if good else within_s)
            if not good:
                if not size or len(got) != size or got[0] != unit:
                    self._doubts[unit] = _Doubt(request, loop.time() + LATE_TIMES_MAX * within_s)
                if got:
                    noise("no Modbus reply", bytes(got))
        return reply

    async def _settle(self, stream: Stream, unit: int, ask: Ask, noise: Noise) -> None:
        """Wait until the line may be used, and throw away what nobody asked for."""
        now_s = asyncio.get_running_loop().time()
        begin_s = max(self.ready_s, self._doubted_until_s(unit, ask))
        if begin_s > now_s:
            await asyncio.sleep(begin_s - now_s)
        stale = stream.discard()
        if stale:
            noise("late or unasked bytes dropped", stale[:SHOWN_BYTES_MAX])

    def _doubted_until_s(self, unit: int, ask: Ask) -> float:
        """Until when an urgent request waits; raises DoubtError for one that is not."""
        doubt = self._doubts.get(unit)
        if doubt is None:
            return 0.0
        if doubt.until_s <= asyncio.get_running_loop().time():
            del self._doubts[unit]
            return 0.0
        if not doubt.about(ask.request):
            return 0.0
        if ask.urgent:
            return doubt.until_s
        raise DoubtError(f"not asked: the answer to {doubt.request.pdu.hex()} may still come")
