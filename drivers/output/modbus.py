"""One output of an I/O module on Modbus TCP or RTU that holds a valve open while it is energised.

Not a gate by itself: with a scale it becomes one (`gatewayd/rigs/softgate.py`). The wire is that of
plc.modbus. The first thing ever said to a module is "off": one that forgives its watchdog at any
request would else let the old output rise again. Outputs of one module share what is the module's
(`module.py`).
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NoReturn

from drivers.contract import Context, Driver, DriverError, DriverType, OutputSample
from drivers.liveness import LIVELY_S
from drivers.output import about
from drivers.output.module import Module, off
from drivers.output.points import MS_NS, Points
from drivers.output.settings import OutputModbusSettings
from drivers.plc.polling import SECOND_NS, Schedule, next_slot, silent_s_max
from drivers.plc.turns import Rank
from drivers.plc.wire import MissedError, Wire

ON_WITHIN_S = 1.0
"""An "on" that waited longer than this for its turn, or through a stall or a suspend, is not said."""
LEAVE_WITHIN_S = 0.5
"""How long leaving may take to switch off; then the watchdog does it."""


class OutputModbus:
    """One output. `energise` and `release` while `run` runs."""

    def __init__(self, name: str, settings: OutputModbusSettings) -> None:
        self.name = name
        self.settings = settings
        self._points: Points | None = None
        self._guarded = False
        self._releases = 0
        self._slot = next_slot()
        self._module = Module.of(self)

    @property
    def is_up(self) -> bool:
        """Whether its driver may hold it on."""
        return self._points is not None

    def revoke(self) -> None:
        """Nothing that was begun may switch it on any more."""
        self._releases += 1
        self._guarded = False

    async def run(self, context: Context) -> None:
        """Switch off, prove the watchdog, then read back for ever; raises DriverError when lost."""
        async with Wire.join(self.settings.link) as wire:
            await wire.admitted(self.settings.unit)
            points = Points(self.name, self.settings, wire, context, self._module.heard)
            faults, lost = self._module.faults, False
            try:
                await self._begin(points)
                self._points = points
                context.up(self._text())
                await self._poll(points, context, faults)
            except DriverError:
                lost = self.is_up
                raise
            finally:
                self._points = None
                self.revoke()
                await self._leave(points, lost=lost)

    async def _begin(self, points: Points) -> None:
        """Off before anything else; then nothing is switched on until the watchdog is proven."""
        watchdog = self.settings.watchdog
        try:
            await off(points)
        except MissedError:
            raise
        except DriverError:
            if watchdog is None or not watchdog.before:
                raise
            # A module whose watchdog has fired may refuse everything until that is reset.
            self._module.must_be_alone(self)
            await points.write(watchdog.before)
            await off(points)
        await self._module.close_others(self, points, all_of_them=False)
        if watchdog is not None:
            await self._module.prove(self, points)
        self._guarded = watchdog is not None

    async def _leave(self, points: Points, *, lost: bool) -> None:
        """Off at the end too, as far as the module can still be reached; lost is lost for all."""
        if lost:
            self._module.fail(self)
        with suppress(DriverError, TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await off(points)
                if lost:
                    await self._module.close_others(self, points, all_of_them=True)

    async def _poll(self, points: Points, context: Context, faults: int) -> NoReturn:
        """A single missed answer is noise; missed for as long as a PLC may be silent is a loss."""
        period_s = self.settings.poll_ms / 1000
        silent_ns_max = silent_s_max(period_s) * SECOND_NS
        schedule = Schedule(period_s, self._slot)
        answered_ns = context.monotonic_ns()
        while True:
            points.due_s = await schedule.next()
            context.alive()
            if self._module.faults != faults:
                raise DriverError(f"{self.name}: its module was lost by another of its outputs")
            try:
                sample = await self._look(points, context)
            except MissedError as exc:
                if context.monotonic_ns() - answered_ns >= silent_ns_max:
                    raise
                context.noise(str(exc), b"")
                continue
            answered_ns = sample.at_ns
            context.emit(sample)
            if self.settings.watchdog is not None and not sample.guarded:
                raise DriverError(f"{self.name}: the watchdog is no longer set or does not run")

    async def _look(self, points: Points, context: Context) -> OutputSample:
        """One reading of everything."""
        settings = self.settings
        on = await points.is_on()
        at_ns = context.monotonic_ns()
        on = bool(await points.contact(settings.readback)) or on
        if settings.watchdog is not None:
            # Its outputs are polled in turn: each takes what another heard within this period.
            fresh_ns = settings.poll_ms * MS_NS * 3 // 4
            self._guarded = await self._module.guards(points, fresh_ns)
        return OutputSample(
            device=self.name,
            at_ns=at_ns,
            on=on,
            guarded=self._guarded,
            e_stop=bool(await points.contact(settings.e_stop)),
            start=await points.contact(settings.start),
        )

    async def energise(self) -> None:
        """Switch on and read it back.

        Raises DriverError when the watchdog is not proven, anything reads otherwise, or `release`
        was asked for meanwhile: it always wins. What may have switched on is switched off again.
        """
        points = self._reach()
        if self.settings.watchdog is not None and not self._guarded:
            raise DriverError(f"{self.name}: not energised: its watchdog is not proven")
        async with points.wire.held():
            try:
                await self._on(points)
            except BaseException as exc:  # also when cancelled: it may be on, and nobody wants it
                self._releases += 1
                await self._off_after(points, exc)
                raise

    async def _on(self, points: Points) -> None:
        releases = self._releases
        now_ns = points.context.monotonic_ns
        late_ns = now_ns() + int(ON_WITHIN_S * SECOND_NS)

        def wanted() -> None:
            if self._releases != releases:
                raise DriverError(f"{self.name}: released or lost meanwhile")
            if now_ns() > late_ns:
                raise DriverError(f"{self.name}: waited {ON_WITHIN_S} s, on is not said any more")

        await points.switch(on=True, rank=Rank.COMMAND, wanted=wanted)
        on = await points.is_on(Rank.COMMAND)
        wanted()
        if not on:
            raise DriverError(f"{self.name}: switched on, reads back off")

    async def _off_after(self, points: Points, cause: BaseException) -> None:
        """Undo what may have happened; a failure to do so joins the cause as a note."""
        try:
            await off(points)
        except DriverError as exc:
            cause.add_note(f"and could not switch off: {exc}")

    async def release(self) -> None:
        """Switch off and read it back, ahead of everything that waits for the wire."""
        self._releases += 1
        points = self._reach()
        async with points.wire.held():
            await off(points)

    def _reach(self) -> Points:
        if self._points is None:
            raise DriverError(f"{self.name}: not connected")
        return self._points

    def _text(self) -> str:
        """What this device is, and how it closes when this computer dies."""
        watchdog = self.settings.watchdog
        others = ", ".join(other.name for other in self._module.others(self))
        unit = f"unit {self.settings.unit}" + (f", a module with {others}" if others else "")
        if watchdog is None:
            return f"{unit}; no watchdog: stays on when this computer dies"
        return f"{unit}; drops its output after {watchdog.ms} ms of silence"


def _make(name: str, settings: OutputModbusSettings, profiles: Mapping[str, Any]) -> Driver:
    del profiles
    return OutputModbus(name, settings)


def _together(one: OutputModbusSettings, other: OutputModbusSettings) -> tuple[str, str] | None:
    """What speaks against two devices as two outputs of one module."""
    if (one.coil is None) != (other.coil is None):
        return "one output by coil, one by register, on", "write both as coil, or both as register"
    if one.output == other.output:
        return f"output {one.output} twice on", "every output is one device, of one rig"
    if one.watchdog != other.watchdog:
        return "two watchdogs for one module on", "give its outputs the same watchdog"
    for name in ("start", "readback"):
        contact, same = getattr(one, name), getattr(other, name)
        if contact is not None and same is not None and contact.input == same.input:
            return f"{name} input {contact.input} twice on", f"every output has a {name} of its own"
    return None


def _watchdog_ms(settings: OutputModbusSettings) -> int | None:
    return settings.watchdog.ms if settings.watchdog is not None else None


DRIVER = DriverType(
    name="output.modbus",
    settings=OutputModbusSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary=about.SUMMARY,
    capabilities=frozenset({"output"}),
    shares_wire=True,
    wire_protocol="modbus",
    watchdog_ms=_watchdog_ms,
    together=_together,
    summary_zh=about.SUMMARY_ZH,
    models=about.MODELS,
    caveats=about.CAVEATS,
    example=about.EXAMPLE,
    tcp_ports=(502,),
    lively_s=LIVELY_S,
)
