"""A filling gate with its scale on a PLC, over Modbus TCP or RTU (contract §4).

Polling: one read of the whole report block per poll on a fixed schedule, one GateSample each.
Commanding: limits and a moved lease first and read back, the permit last and read back, too:
start may be pressed before that, and then the limits must be right already.

The framing is our own (protocols/modbus.py, tested against pymodbus) because a gate needs what
pymodbus's client does not give: it takes a late RTU reply, or transaction 0, as the next answer,
waits for ever behind bytes that are no frame, and needs pyserial. CPU of one poll of 64 at 10 Hz,
bare, on one tick: its client 43 us, ours 23; on a tick each, 159 and 81 (see polling.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from operator import itemgetter
from typing import Any

from drivers.contract import Context, DriverError, DriverType, GateOrder, GateSample
from drivers.liveness import LIVELY_S
from drivers.plc import about
from drivers.plc.polling import (
    SECOND_NS,
    Heartbeat,
    Schedule,
    idle,
    next_slot,
    silent_s_max,
)
from drivers.plc.settings import PlcModbusSettings
from drivers.plc.totals import Total
from drivers.plc.turns import Rank, Turn
from drivers.plc.wire import MissedError, Wire
from protocols.modbus import READ_HOLDING, READ_INPUT, Request, read, write_many, write_one
from protocols.registers import Profile, RegisterError, Value

_LEASES = 65_536

_SAMPLE_NAMES = tuple(f.name for f in fields(GateSample) if f.name not in ("device", "at_ns"))
_sample_values = itemgetter(*_SAMPLE_NAMES)
_COMMAND_NAMES = ("permit", "lease", "target_g", "limit_gross_g", "lease_ms")


@dataclass(frozen=True, slots=True)
class _Questions:
    """The requests that never change, built once."""

    report: Request
    command: Request
    close: Request

    @classmethod
    def of(cls, profile: Profile) -> "_Questions":
        reads, writes = profile.reads, profile.writes
        function = READ_INPUT if reads.table == "input" else READ_HOLDING
        return cls(
            read(reads.address, reads.count, function=function),
            read(writes.address, writes.count),
            write_one(writes.address, 0),
        )


class PlcModbus:
    """One PLC. `run` polls it; `open`, `renew` and `lock` command its gate while `run` runs."""

    def __init__(self, name: str, settings: PlcModbusSettings, profile: Profile) -> None:
        self.name = name
        self._settings = settings
        self._profile = profile
        self._ask = _Questions.of(profile)
        self._within_s = settings.timeout_ms / 1000
        self._wire: Wire | None = None
        self._noise: Callable[[str, bytes], None] = _quietly
        self._lease: int | None = None
        self._locks = 0
        self._slot = next_slot()

    async def run(self, context: Context) -> None:
        """Poll until the link fails, the PLC stops answering or its heartbeat stands still."""
        async with Wire.join(self._settings.link) as wire:
            await wire.admitted(self._settings.unit)
            self._wire, self._noise = wire, context.noise
            try:
                await self._poll(wire, context)
            finally:
                self._wire, self._noise = None, _quietly
                self._revoke()

    async def _poll(self, wire: Wire, context: Context) -> None:
        """Emit samples from the moment the heartbeat was seen to move.

        A single missed answer is noise on the line; answers missed for as long as a heartbeat may
        stand still are a lost device. Before the first good one, one miss is enough, so that a
        dead unit costs its neighbours on the bus one timeout an attempt.
        """
        watch, pace = Heartbeat(self.name), self._settings.pace()
        total = Total(self.name, self._profile.points["total_g"])
        answered_ns = context.monotonic_ns()
        schedule = Schedule(pace.fast_s, self._slot)
        while True:
            due_s = await schedule.next()
            context.alive()
            try:
                async with wire.turns.take(Rank.POLL, due_s):
                    data = await self._exchange(wire, self._ask.report)
            except MissedError as exc:
                silent_ns = context.monotonic_ns() - answered_ns
                if not watch.moved or silent_ns >= silent_s_max(pace.period_s()) * SECOND_NS:
                    raise
                context.noise(str(exc), b"")
                continue
            answered_ns = context.monotonic_ns()
            sample = self._sample(data, answered_ns)
            if trouble := total.doubt(sample.total_g):
                context.trouble(trouble)
                sample = replace(sample, scale_fault=True)
            if watch.feed(sample):
                context.up(f"{self._profile.id}, unit {self._settings.unit}")
            if watch.moved:
                context.emit(sample)
            if self._lease is not None or not idle(sample):
                pace.want()
            schedule.every(pace.period_s())

    def _sample(self, data: bytes, at_ns: int) -> GateSample:
        values = self._decode(self._profile.reads.decode, data)
        return GateSample(self.name, at_ns, *_sample_values(values))

    async def open(self, order: GateOrder) -> None:
        """Write limits and a moved lease, read them back, then the permit; read all back.

        Raises DriverError when anything differs, with permit 0 written again, and when `lock` was
        asked for meanwhile: a lock always wins. Who cancels it must lock.
        """
        wire = self._reach()
        async with wire.held():
            try:
                lease = await self._open(wire, order)
            except (DriverError, RegisterError) as exc:
                self._revoke()
                await self._lock_after(wire, exc)
                raise DriverError(f"{self.name}: gate not opened: {exc}") from exc
        self._lease = lease

    async def _open(self, wire: Wire, order: GateOrder) -> int:
        """The lease the gate was opened with."""
        locks = self._locks
        before = await self._command(wire)
        wanted: dict[str, Value] = {
            "permit": order.permit_no,
            "lease": (before["lease"] + 1) % _LEASES,
            "target_g": order.target_g,
            "limit_gross_g": order.limit_gross_g,
            "lease_ms": order.lease_ms,
        }
        writes = self._profile.writes
        data = writes.encode(wanted)
        await self._write(wire, write_many(writes.address + 1, data[2:]), locks)
        self._check({**wanted, "permit": before["permit"]}, await self._command(wire))
        await self._write(wire, write_one(writes.address, order.permit_no), locks)
        self._check(wanted, await self._command(wire))
        self._still_wanted(locks)
        return wanted["lease"]

    async def renew(self) -> None:
        """Move the lease counter once.

        Raises DriverError when no permit of ours is open, or is any more once the wire is free.
        """
        wire = self._reach()
        if self._lease is None:
            raise DriverError(f"{self.name}: no permit is open")
        self._lease = (self._lease + 1) % _LEASES
        request = write_one(self._profile.writes.address + 1, self._lease)
        await self._write(wire, request, self._locks)

    async def lock(self) -> None:
        """Write permit 0 and read it back, ahead of everything that waits for the wire.

        It is the one write that is repeated, once: twice closed is closed. Raises DriverError when
        the PLC does not confirm; the lease then closes the gate.
        """
        self._revoke()
        wire = self._reach()
        async with wire.held():
            await self._lock(wire)

    async def _lock(self, wire: Wire) -> None:
        """A unit that did not answer last time must not keep its neighbours' gates open."""
        suspect = wire.breakers.suspect(self._settings.unit)
        async with wire.turns.take(Rank.CONFIRM if suspect else Rank.LOCK) as turn:
            try:
                seen = await self._close(wire, turn)
            except DriverError:
                await turn.again(Rank.CONFIRM)
                seen = await self._close(wire, turn)
        self._check({"permit": 0}, seen)

    async def _close(self, wire: Wire, turn: Turn) -> dict[str, Value]:
        """One attempt to lock, over a new connection when the old one is gone."""
        await wire.open()
        await self._exchange(wire, self._ask.close, urgent=True)
        await turn.again(Rank.CONFIRM)
        return self._held(await self._exchange(wire, self._ask.command, urgent=True))

    async def _lock_after(self, wire: Wire, cause: Exception) -> None:
        """Close what may have opened; a failure to do so joins the first as a note."""
        try:
            await self._lock(wire)
        except DriverError as exc:
            cause.add_note(f"and could not lock: {exc}")

    def _reach(self) -> Wire:
        if self._wire is None:
            raise DriverError(f"{self.name}: not connected")
        return self._wire

    def _check(self, wanted: Mapping[str, Value], seen: Mapping[str, Value]) -> None:
        """Raise DriverError unless the PLC holds exactly what was written."""
        other = {name: seen[name] for name in wanted if seen[name] != wanted[name]}
        if other:
            wrote = {name: wanted[name] for name in other}
            raise DriverError(f"{self.name}: wrote {wrote}, read back {other}")

    def _revoke(self) -> None:
        """From here on no open that began earlier may write its permit, and nothing is renewed."""
        self._locks += 1
        self._lease = None

    def _still_wanted(self, locks: int) -> None:
        if self._locks != locks:
            raise DriverError(f"{self.name}: locked or lost meanwhile")

    async def _write(self, wire: Wire, request: Request, locks: int) -> None:
        """One write of a command, unless the gate was locked since the command began."""
        async with wire.turns.take(Rank.COMMAND):
            self._still_wanted(locks)
            await self._exchange(wire, request)

    async def _command(self, wire: Wire) -> dict[str, Value]:
        """What the PLC holds in its command block."""
        async with wire.turns.take(Rank.COMMAND):
            return self._held(await self._exchange(wire, self._ask.command))

    def _held(self, data: bytes) -> dict[str, Value]:
        return self._decode(self._profile.writes.decode, data)

    async def _exchange(self, wire: Wire, request: Request, *, urgent: bool = False) -> bytes:
        unit, within_s = self._settings.unit, self._within_s
        return await wire.exchange(
            unit, request, within_s=within_s, noise=self._noise, urgent=urgent
        )

    def _decode(self, decode: Callable[[bytes], dict[str, Value]], data: bytes) -> dict[str, Value]:
        try:
            return decode(data)
        except RegisterError as exc:
            raise DriverError(f"{self.name}: {self._profile.id}: {exc}") from exc


def _quietly(reason: str, raw: bytes) -> None:
    """Where noise goes while nobody runs the device."""


def _make(name: str, settings: PlcModbusSettings, profiles: Mapping[str, Any]) -> PlcModbus:
    assert not _objections(settings, profiles), settings
    return PlcModbus(name, settings, profiles[settings.profile])


def _objections(settings: PlcModbusSettings, profiles: Mapping[str, Any]) -> tuple[str, ...]:
    profile = profiles[settings.profile]
    return tuple(f"profile {profile.id!r} is no gate: {gap}" for gap in gate_gaps(profile))


def gate_gaps(profile: Profile) -> tuple[str, ...]:
    """What a profile lacks to be a gate; empty when it is one."""
    if not profile.reads.points:
        return (f"it serves as: {', '.join(profile.serves) or 'nothing'}",)
    gaps = [f"{name} is not reported" for name in _SAMPLE_NAMES if name not in profile.reads.names]
    if (written := tuple(point.name for point in profile.writes.points)) != _COMMAND_NAMES:
        gaps.append(f"written are {', '.join(written)} instead of {', '.join(_COMMAND_NAMES)}")
    return tuple(gaps)


DRIVER = DriverType(
    name="plc.modbus",
    settings=PlcModbusSettings,
    make=_make,
    wire=lambda settings: settings.link.wire(),
    summary=about.SUMMARY,
    capabilities=frozenset({"gate", "scale"}),
    shares_wire=True,
    wire_protocol="modbus",
    objections=_objections,
    summary_zh=about.SUMMARY_ZH,
    caveats=about.CAVEATS,
    example=about.EXAMPLE,
    tcp_ports=(502,),
    lively_s=LIVELY_S,
)
