"""A device on Modbus that weighs and doses by itself to a target it is given, by a register map.

With `gatewayd/rigs/softgate.py` it is a rig's gate. It stops at its own target, and when it is told;
nothing here makes it stop when this computer dies. The first thing it ever hears is "stop".
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from drivers.contract import Context, Driver, DriverError, DriverType, GateOrder
from drivers.filler import about
from drivers.filler.line import LOOK_AGAIN_S, FillerLine
from drivers.filler.settings import FillerModbusSettings, objections, unread
from drivers.filler.total import FillerTotal
from drivers.liveness import LIVELY_S
from drivers.plc.polling import SECOND_NS, Schedule, next_slot, silent_s_max
from drivers.plc.turns import Rank
from drivers.plc.wire import MissedError, Wire
from protocols.registers import Profile

START_WITHIN_S = 1.0
"""A start that took longer than this and twice `command_ms`, in a queue, a stall or a suspend, goes no further."""
LEAVE_WITHIN_S = 0.5
"""How long leaving may take to stop a dosing."""


class FillerModbus:
    """One filler. `start` and `stop` while `run` runs."""

    def __init__(self, name: str, settings: FillerModbusSettings, profile: Profile) -> None:
        self.name = name
        self._settings = settings
        self._profile = profile
        assert profile.filler is not None, profile.id
        self._filler = profile.filler
        self._line: FillerLine | None = None
        self._stops = 0
        self._slot = next_slot()

    async def run(self, context: Context) -> None:
        """Stop what may run, then read for ever; raises DriverError when lost."""
        async with Wire.join(self._settings.link) as wire:
            await wire.admitted(self._settings.unit)
            total = FillerTotal(self._profile, self._filler.total)
            line = FillerLine(self.name, self._settings, self._profile, wire, context, total)
            try:
                await self._halt(line)
                self._line = line
                context.up(self._text())
                await self._poll(line, context)
            finally:
                self._line = None
                self._stops += 1
                with suppress(DriverError, TimeoutError):
                    async with asyncio.timeout(LEAVE_WITHIN_S):
                        await self._halt(line)

    async def _poll(self, line: FillerLine, context: Context) -> NoReturn:
        """A single missed answer is noise; missed for as long as a PLC may be silent is a loss."""
        period_s = self._settings.poll_ms / 1000
        silent_ns_max = silent_s_max(period_s) * SECOND_NS
        schedule = Schedule(period_s, self._slot)
        answered_ns = context.monotonic_ns()
        while True:
            await schedule.next()
            context.alive()
            try:
                sample = await line.look()
            except MissedError as exc:
                if context.monotonic_ns() - answered_ns >= silent_ns_max:
                    raise
                context.noise(str(exc), b"")
                continue
            answered_ns = sample.at_ns
            context.emit(sample)

    async def start(self, order: GateOrder) -> None:
        """Write target and limit, read back what can be read, then start and see it run.

        Raises DriverError when anything reads otherwise, or `stop` was asked for meanwhile: it always
        wins. What may have started is stopped again.
        """
        line = self._reach()
        async with line.wire.held():
            try:
                await self._start(line, order)
            except BaseException as exc:  # also when cancelled: it may run, and nobody wants it
                self._stops += 1
                try:
                    await self._halt(line)
                except DriverError as other:
                    exc.add_note(f"and could not stop it: {other}")
                raise

    async def _start(self, line: FillerLine, order: GateOrder) -> None:
        stops = self._stops
        now_ns, within_s = (
            line.context.monotonic_ns,
            START_WITHIN_S + 2 * self._settings.command_ms / 1000,
        )
        late_ns = now_ns() + int(within_s * SECOND_NS)

        def wanted() -> None:
            if self._stops != stops:
                raise DriverError(f"{self.name}: stopped or lost meanwhile")
            if now_ns() > late_ns:
                raise DriverError(f"{self.name}: the start took too long, it goes no further")

        if await line.runs(Rank.COMMAND):
            raise DriverError(f"{self.name}: it runs already")
        await line.give(order, wanted)
        await line.command(self._filler.start, Rank.COMMAND, wanted)
        await self._seen(line, Rank.COMMAND, running=True)
        wanted()

    async def stop(self) -> None:
        """Stop the dosing and see it stopped, ahead of everything that waits for the wire."""
        self._stops += 1
        line = self._reach()
        async with line.wire.held():
            await self._halt(line)

    async def _halt(self, line: FillerLine) -> None:
        """The stop command, tried twice, over a new connection when the old one is gone."""
        try:
            await self._halt_once(line)
        except DriverError:
            await self._halt_once(line)

    async def _halt_once(self, line: FillerLine) -> None:
        await line.wire.open()
        await line.command(self._filler.stop, Rank.LOCK)
        await self._seen(line, Rank.CONFIRM, running=False)

    async def _seen(self, line: FillerLine, rank: Rank, *, running: bool) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._settings.command_ms / 1000
        while await line.runs(rank) != running:
            if loop.time() > deadline_s:
                word = "does not start" if running else "does not stop"
                raise DriverError(f"{self.name}: {word} within {self._settings.command_ms} ms")
            await asyncio.sleep(LOOK_AGAIN_S)

    def _reach(self) -> FillerLine:
        if self._line is None:
            raise DriverError(f"{self.name}: not connected")
        return self._line

    def _text(self) -> str:
        text = f"{self._profile.id}, unit {self._settings.unit}; stops at its own target only"
        if unread(self._profile):
            text += ", which cannot be read back: stopped by weight while this computer runs"
        return text if self._profile.verified else f"{text}; this map was never seen on a device"


def _unproven(settings: FillerModbusSettings) -> str:
    accepted = settings.accept_unread_target
    return "" if accepted is None else accepted.reason


def _make(name: str, settings: FillerModbusSettings, profiles: Mapping[str, Any]) -> Driver:
    assert not objections(settings, profiles), settings
    return FillerModbus(name, settings, profiles[settings.profile])


DRIVER = DriverType(
    name="filler.modbus",
    settings=FillerModbusSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary=about.SUMMARY,
    capabilities=frozenset({"filler", "scale"}),
    shares_wire=True,
    wire_protocol="modbus",
    objections=objections,
    unproven=_unproven,
    summary_zh=about.SUMMARY_ZH,
    caveats=about.CAVEATS,
    example=about.EXAMPLE,
    tcp_ports=(502,),
    lively_s=LIVELY_S,
)
