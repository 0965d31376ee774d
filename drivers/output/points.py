"""The bits and words of one I/O module, one request a turn so that a lock never waits long.

Every reading is one bit or one register: modules differ in which gaps they let one read over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.contract import Context, DriverError
from drivers.links import SerialLink
from drivers.output.settings import Contact, Expect, OutputModbusSettings, Watchdog, Write
from drivers.plc.turns import NO_DEADLINE, Rank
from drivers.plc.wire import Wire
from protocols.modbus import (
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    Request,
    read,
    read_bits,
    rtu_frame,
    write_coil,
    write_one,
)

MS_NS = 1_000_000


@dataclass(slots=True)
class Heard:
    """When the module answered last, whichever of its outputs asked; None before it did."""

    at_ns: int | None = None


@dataclass(slots=True)
class Points:
    """What can be asked of the module while its wire is open. Raises DriverError.

    After a silence longer than its watchdog nothing but "off" is said: a module that forgives at
    any request would let the old output rise again. `due_s` is when polls want their answers (loop
    time).
    """

    name: str
    settings: OutputModbusSettings
    wire: Wire
    context: Context
    heard: Heard = field(default_factory=Heard)
    due_s: float = NO_DEADLINE

    def of(self, name: str, settings: OutputModbusSettings) -> "Points":
        """The points of another output of this module."""
        return Points(name, settings, self.wire, self.context, self.heard)

    async def switch(
        self, *, on: bool, rank: Rank, wanted: Callable[[], None] = lambda: None
    ) -> None:
        """Write the output, and nothing else; `wanted` is asked when the turn has come."""
        settings, urgent = self.settings, rank <= Rank.CONFIRM
        async with self.wire.turns.take(rank):
            wanted()
            if settings.coil is not None:
                await self._exchange(write_coil(settings.coil, on=on), urgent=urgent)
                return
            assert settings.register_ is not None, settings
            assert settings.bit is not None, settings
            # Other bits are other people's valves: read, change one, write, within one turn.
            data = await self._exchange(read(settings.register_, 1), urgent=urgent)
            word, mask = int.from_bytes(data, "big"), 1 << settings.bit
            word = word | mask if on else word & ~mask
            await self._exchange(write_one(settings.register_, word), urgent=urgent)

    async def is_on(self, rank: Rank = Rank.POLL) -> bool:
        """The output as the module reports it."""
        settings = self.settings
        if settings.coil is not None:
            return await self._bit(read_bits(settings.coil, 1), rank)
        assert settings.register_ is not None, settings
        assert settings.bit is not None, settings
        return bool(await self._word(settings.register_, rank=rank) >> settings.bit & 1)

    async def contact(self, contact: Contact | None) -> bool | None:
        """Whether a contact is in its active state; None where there is none."""
        if contact is None:
            return None
        bit = await self._bit(read_bits(contact.input, 1, function=READ_DISCRETE))
        return bit == contact.active

    async def guards(self, watchdog: Watchdog) -> bool:
        """Whether the module says that it would drop its outputs in time."""
        held = await self._word(watchdog.register_)
        return held == watchdog.value and await self._runs(watchdog.running)

    async def arm(self, watchdog: Watchdog) -> None:
        """Set the watchdog; raises DriverError unless it reads back as written and running."""
        await self.write(watchdog.before)
        if await self._word(watchdog.register_) != watchdog.value:
            await self._ask(write_one(watchdog.register_, watchdog.value))
        await self.write(watchdog.after)
        held = await self._word(watchdog.register_)
        if held != watchdog.value:
            raise DriverError(
                f"{self.name}: wrote watchdog register {watchdog.register_} = {watchdog.value}, "
                f"read back {held}"
            )
        if not await self._runs(watchdog.running):
            assert watchdog.running is not None, watchdog
            raise DriverError(
                f"{self.name}: the watchdog does not run: register {watchdog.running.register_} "
                f"does not read {watchdog.running.value}"
            )

    async def write(self, writes: tuple[Write, ...]) -> None:
        """Each register once, in this order."""
        for each in writes:
            await self._ask(write_one(each.register_, each.value))

    async def _runs(self, running: Expect | None) -> bool:
        if running is None:
            return True
        function = READ_INPUT if running.table == "input" else READ_HOLDING
        word = await self._word(running.register_, function)
        return word & running.mask == running.value & running.mask

    async def _word(
        self, register: int, function: int = READ_HOLDING, *, rank: Rank = Rank.POLL
    ) -> int:
        data = await self._ask(read(register, 1, function=function), rank)
        return int.from_bytes(data, "big")

    async def _bit(self, request: Request, rank: Rank = Rank.POLL) -> bool:
        return bool((await self._ask(request, rank))[0] & 1)

    async def _ask(self, request: Request, rank: Rank = Rank.POLL) -> bytes:
        due_s = self.due_s if rank is Rank.POLL else NO_DEADLINE
        async with self.wire.turns.take(rank, due_s):
            return await self._exchange(request, urgent=rank <= Rank.CONFIRM)

    async def _exchange(self, request: Request, *, urgent: bool) -> bytes:
        """One question while holding the turn, shown to whoever watches a serial line."""
        if not urgent:
            self._not_fired()
        unit, within_s = self.settings.unit, self.settings.timeout_ms / 1000
        on_a_bus = isinstance(self.settings.link, SerialLink)
        if on_a_bus:
            self.context.frame("host>device", rtu_frame(unit, request.pdu))
        data = await self.wire.exchange(
            unit, request, within_s=within_s, noise=self.context.noise, urgent=urgent
        )
        if on_a_bus:
            self.context.frame("device>host", rtu_frame(unit, request.head + data))
        self.heard.at_ns = self.context.monotonic_ns()
        return data

    def _not_fired(self) -> None:
        """Raise DriverError when the module's watchdog has probably fired since its last answer."""
        watchdog, answered_ns = self.settings.watchdog, self.heard.at_ns
        if watchdog is None or answered_ns is None:
            return
        if self.context.monotonic_ns() - answered_ns >= watchdog.ms * MS_NS:
            raise DriverError(f"{self.name}: silent for longer than its watchdog, {watchdog.ms} ms")
