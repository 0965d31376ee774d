"""One owner per Modbus wire: devices on one bus or socket share one stream and take turns.

A turn is taken by rank, so that a lock never waits behind polls, and by deadline. A unit that does
not answer rests (breaker.py). What the wire's time goes into is measured (budget.py).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import ClassVar

from drivers.contract import DriverError
from drivers.links import Link, LinkSilentError, SerialLink, Stream, open_stream
from drivers.plc.breaker import Breakers
from drivers.plc.budget import Budget, Meter, UnitTotal
from drivers.plc.lines import (
    Ask,
    DoubtError,
    Line,
    MissedError,
    Noise,
    OutOfStepError,
    RtuLine,
    TcpLine,
)
from drivers.plc.turns import NO_DEADLINE, Rank, Turns
from protocols.modbus import EXCEPTIONS_PASSING, ExceptionReplyError, ModbusError, Request

__all__ = ["MissedError", "Noise", "Wire"]

EXCEPTIONS_OF_DEAD = frozenset({10, 11})
"""What a gateway says for a unit that does not answer it; it has waited by then."""


class Wire:
    """A shared stream. `ask` does everything; who calls `exchange` must hold a turn."""

    _shared: ClassVar[dict[tuple[asyncio.AbstractEventLoop, str], "Wire"]] = {}

    def __init__(self, link: Link) -> None:
        self.link = link
        self.turns = Turns()
        self.breakers = Breakers()
        self._loop = asyncio.get_running_loop()
        self.meter = Meter(self._loop.time())
        self._line: Line = RtuLine(link) if isinstance(link, SerialLink) else TcpLine()
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
            wire = cls._shared[key] = Wire(link)
        if wire.link != link:
            raise DriverError(f"{link.wire()}: another device sets this port to {wire.link!r}")
        async with wire.held():
            async with wire.turns.take(Rank.COMMAND):
                await wire.open()
            yield wire

    @classmethod
    def budget_of(cls, name: str) -> Budget | None:
        """Where the time of the wire called `name` (`link.wire()`) went; None when nobody is on it."""
        wire = cls._shared.get((asyncio.get_running_loop(), name))
        return wire.budget() if wire is not None else None

    @classmethod
    def totals(cls) -> Mapping[str, Mapping[int, UnitTotal]]:
        """What each unit took of each wire of this loop since that was opened."""
        loop = asyncio.get_running_loop()
        return {name: wire.meter.totals() for (of, name), wire in cls._shared.items() if of is loop}

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keep the wire from being closed as unused, so that a lock still gets through."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._users == 0:
                self._shared.pop((self._loop, self.link.wire()), None)
                await self.close()

    async def open(self) -> Stream:
        """The open stream, opened anew when it is not; raises DriverError."""
        assert self._users > 0, self.link
        if self._stream is None or self._stream.lost:
            await self.close()
            self._stream = await open_stream(self.link)
            self._line.opened()
            self.breakers.forget()
        return self._stream

    async def close(self) -> None:
        """Close the stream if there is one."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def budget(self) -> Budget:
        """Where the time of this wire went lately."""
        now_s = self._loop.time()
        return self.meter.budget(self.link.wire(), now_s, self.breakers.resting(now_s))

    async def admitted(self, unit: int) -> None:
        """Wait until the unit may be asked: at once, or when a resting one is tried again."""
        while True:
            now_s = self._loop.time()
            rest_s = self.breakers.ask_at_s(unit, now_s) - now_s
            if rest_s <= 0:
                return
            await asyncio.sleep(rest_s)

    async def ask(
        self,
        unit: int,
        request: Request,
        *,
        within_s: float,
        noise: Noise,
        rank: Rank = Rank.POLL,
        due_s: float = NO_DEADLINE,
    ) -> bytes:
        """One request in one turn, as `exchange`; `due_s` is when its answer is wanted (loop time).

        One request a turn is what keeps the wait of a lock short.
        """
        urgent = rank <= Rank.CONFIRM
        async with self.turns.take(rank, due_s):
            return await self.exchange(unit, request, within_s=within_s, noise=noise, urgent=urgent)

    async def exchange(
        self, unit: int, request: Request, *, within_s: float, noise: Noise, urgent: bool = False
    ) -> bytes:
        """Ask and return the register bytes of the answer; never asks twice.

        Raises MissedError when no usable answer came in time, the device said "not now" or the
        unit rests and this is not `urgent`; DriverError when the link is lost, the device refused
        or its answer is to something else.
        """
        stream, began_s = self._stream, self._loop.time()
        if stream is None or stream.lost:
            why = "connection lost" if stream is None else stream.lost
            await self.close()
            raise DriverError(f"{self.link.wire()}: {why}")
        if not urgent:
            self._admit(unit, began_s, write=not request.data_bytes)
        try:
            ask = Ask(request, within_s, urgent)
            reply = await self._line.reply(stream, unit, ask, noise=noise)
            data = request.answer(reply)
        except ExceptionReplyError as exc:
            self._note(unit, request, began_s, missed=exc.code in EXCEPTIONS_OF_DEAD)
            failure = MissedError if exc.code in EXCEPTIONS_PASSING else DriverError
            raise failure(f"{self._who(unit)}: {exc}") from exc
        except DoubtError as exc:
            raise MissedError(f"{self._who(unit)}: {exc}") from exc
        except LinkSilentError as exc:
            self._note(unit, request, began_s, missed=True)
            raise MissedError(f"{self._who(unit)}: no answer in {within_s} s") from exc
        except OutOfStepError as exc:
            await self.close()
            raise DriverError(f"{self._who(unit)}: {exc}") from exc
        except ModbusError as exc:
            self._line.mistrust()
            self._note(unit, request, began_s, missed=True)
            raise self._line.wrong(f"{self._who(unit)}: {exc}") from exc
        finally:
            self.turns.rest(self._line.ready_s)
        self._note(unit, request, began_s, missed=False)
        return data

    def _admit(self, unit: int, now_s: float, *, write: bool) -> None:
        at_s = self.breakers.ask_at_s(unit, now_s, write=write)
        if at_s > now_s:
            text = f"does not answer {'writes' if write else 'reads'} and is asked again in {at_s - now_s:.1f} s"
            raise MissedError(f"{self._who(unit)}: {text}")

    def _note(self, unit: int, request: Request, began_s: float, *, missed: bool) -> None:
        """What the unit took of the wire, with the silence that it leaves."""
        now_s = self._loop.time()
        busy_s = max(now_s, self._line.ready_s) - began_s
        self.meter.note(unit, now_s, busy_s, missed=missed)
        write = not request.data_bytes
        if missed:
            self.breakers.missed(unit, now_s, cost_s=busy_s, write=write)
        else:
            self.breakers.answered(unit, now_s, write=write)

    def _who(self, unit: int) -> str:
        return f"{self.link.wire()} unit {unit}"
