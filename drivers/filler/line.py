"""What a filler says and is told, over a wire that is open: one request a turn."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.contract import Context, DriverError, FillerSample, GateOrder
from drivers.filler.settings import FillerModbusSettings, unread
from drivers.filler.total import FillerTotal
from drivers.plc.turns import Rank
from drivers.plc.wire import Wire
from drivers.scale.stability import Constancy, Standstill
from protocols.modbus import Request
from protocols.register_block import RegisterError
from protocols.register_commands import Await, steps, write
from protocols.register_file import FillerFile
from protocols.register_values import Reading, Words, read
from protocols.register_weights import (
    Scaling,
    UnknownMassError,
    Weighing,
    mass_words,
    needed,
    scaling_of,
    weigh,
)
from protocols.registers import Profile

LOOK_AGAIN_S = 0.02
NOISE_G = 50
"""A larger step between two stable samples is a move."""


def _wanted_by_nobody() -> None:
    """Nothing speaks against it."""


@dataclass(frozen=True, slots=True)
class FillerLine:
    """One filler on its open wire. Raises DriverError."""

    name: str
    settings: FillerModbusSettings
    profile: Profile
    wire: Wire
    context: Context
    _total: FillerTotal
    _constancy: Constancy = field(default_factory=Constancy)
    _standstill: Standstill = field(default_factory=lambda: Standstill(NOISE_G))

    @property
    def _filler(self) -> FillerFile:
        assert self.profile.filler is not None, self.profile.id
        return self.profile.filler

    async def look(self) -> FillerSample:
        """One reading of everything."""
        at_ns = self.context.monotonic_ns()
        filler = self._filler
        states = (*filler.running, *filler.valve_open, filler.done, *filler.alarms)
        total = () if filler.total is None else (filler.total,)
        names = dict.fromkeys((*needed(self.profile), *states, *total))
        reading = await self._read(tuple(names), Rank.POLL)
        found = weigh(self.profile, reading, self.settings.site())
        went_back = self._total.doubt(reading)
        why = self._why(found, reading, at_ns) or (went_back and f"{self.name}: {went_back}")
        alarms = [reading.shown(name) for name in filler.alarms if reading[name]]
        return FillerSample(
            device=self.name,
            at_ns=at_ns,
            gross_g=None if why else found.gross_g,
            net_g=None if why else found.net_g,
            stable=found.stable and not why,
            running=_any(reading, filler.running),
            valve_open=_any(reading, filler.valve_open),
            done=bool(reading[filler.done]),
            alarm=", ".join(alarms),
            total_g=self._total.grams(reading, found.scaling),
            why=why,
        )

    def _why(self, found: Weighing, reading: Reading, at_ns: int) -> str:
        """Why the weight is not to be used, with its register and raw value; empty when it is."""
        if found.gross_g is None or found.scaling is None:
            return f"{self.name}: {found.why}"
        doubts = (
            self._constancy.doubt(found.scaling.told),
            self._standstill.doubt(found.gross_g, at_ns, stable=found.stable),
        )
        told = "; ".join(doubt for doubt in doubts if doubt)
        assert self.profile.scale is not None, self.profile.id
        shown = reading.shown(self.profile.scale.gross)
        return f"{self.name}: {told}: {shown}" if told else ""

    async def runs(self, rank: Rank) -> bool:
        """Whether a dosing is under way or gas can flow."""
        names = (*self._filler.running, *self._filler.valve_open)
        return _any(await self._read(names, rank), names)

    async def give(self, order: GateOrder, wanted: Callable[[], None]) -> None:
        """Write target and limit, make them count, and read back what can be read."""
        names = tuple(dict.fromkeys(needed(self.profile)))
        reading = await self._read(names, Rank.COMMAND)
        try:
            scaling = scaling_of(self.profile, reading, self.settings.site())
        except UnknownMassError as exc:
            raise DriverError(f"{self.name}: {exc}") from exc
        given = [(self._filler.target, order.target_g)]
        if self._filler.limit is not None:
            given.append((self._filler.limit, order.limit_gross_g))
        wrote = {name: await self._set(name, mass, scaling, wanted) for name, mass in given}
        if self._filler.apply is not None:
            await self.command(self._filler.apply, Rank.COMMAND, wanted)
        for name in wrote.keys() - set(unread(self.profile)):
            held = (await self._read((name,), Rank.COMMAND)).words[name]
            if held != wrote[name]:
                raise DriverError(f"{self.name}: wrote {name} = {wrote[name]}, read back {held}")

    async def _set(
        self, name: str, mass: int, scaling: Scaling, wanted: Callable[[], None]
    ) -> Words:
        """What was written."""
        point = self.profile.points[name]
        try:
            words = mass_words(point, mass, scaling)
        except RegisterError as exc:
            raise DriverError(f"{self.name}: {exc}") from exc
        await self._ask(write(self.profile, point, words), Rank.COMMAND, wanted)
        return words

    async def command(
        self, name: str, rank: Rank, wanted: Callable[[], None] = _wanted_by_nobody
    ) -> None:
        """Every write of a command, and its handshake; the first write has the rank of its caller."""
        for step in steps(self.profile, name):
            if isinstance(step, Await):
                await self._until(step, rank)
            else:
                await self._ask(step.request, rank, wanted)

    async def _until(self, step: Await, rank: Rank) -> None:
        deadline_s = asyncio.get_running_loop().time() + self.settings.command_ms / 1000
        while bool((await self._read((step.bit,), rank))[step.bit]) != step.on:
            if asyncio.get_running_loop().time() > deadline_s:
                raise DriverError(f"{self.name}: {step.bit} did not become {int(step.on)}")
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _read(self, names: tuple[str, ...], rank: Rank) -> Reading:
        spans = self.profile.plan(names)
        answers: list[bytes] = []
        for span in spans:
            if answers and self.profile.limits.pause_ms:
                await asyncio.sleep(self.profile.limits.pause_ms / 1000)
            answers.append(await self._ask(span.request(), rank))
        try:
            return read(spans, answers)
        except RegisterError as exc:
            raise DriverError(f"{self.name}: {self.profile.id}: {exc}") from exc

    async def _ask(
        self, request: Request, rank: Rank, wanted: Callable[[], None] = _wanted_by_nobody
    ) -> bytes:
        async with self.wire.turns.take(rank):
            wanted()
            return await self.wire.exchange(
                self.settings.unit,
                request,
                within_s=self.settings.timeout_ms / 1000,
                noise=self.context.noise,
                urgent=rank <= Rank.CONFIRM,
            )


def _any(reading: Reading, names: tuple[str, ...]) -> bool:
    return any(bool(reading[name]) for name in names)
