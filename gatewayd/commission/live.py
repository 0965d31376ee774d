"""Look at the points of a device again and again, and say what cannot be true of them.

One look shows overload, unknown bits and numbers beyond every scale; several show decimals that
change, a stable bit that is inverted, and totalisers that go backwards or wrap.
"""

import asyncio
from collections.abc import Callable, Iterator

from drivers.contract import Trouble
from drivers.meter.meter_troubles import total_unknown
from drivers.plc.wire import Wire
from drivers.scale.pace import SECOND_NS
from drivers.scale.stability import Constancy, Standstill
from gatewayd.clock import Clock
from gatewayd.commission import point_troubles as troubles
from gatewayd.commission.asking import NOBODY, Asker, Ears
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, Row, look
from protocols.masses import MASS_G_MAX
from protocols.register_commands import Totaliser
from protocols.register_values import limits_of

EVERY_S = 0.25
"""Between two looks: slow enough for every line, fast enough to see a weight move."""
LOOKS = 6
"""Looks of one probe; the faults that need time show within 1.5 s."""
REST_S = 1.0
"""A weight that stands exactly still for so long is at rest, whatever its stable bit says."""
UNSIGNED_TOTALS = frozenset({"total_g"})
"""Totalisers of a gate: their map need not say wraps_at, they are never reset."""


class Live:
    """Keeps what was seen of one device, to judge what it says next."""

    def __init__(self, device: Mapped) -> None:
        self._device = device
        self._constancy = Constancy()
        self._standstill = Standstill(device.noise_g)
        self._totals = {name: Totaliser(wraps_at) for name, wraps_at in _totals(device)}
        self._counted: Totaliser | None = None
        self._still_g: int | None = None
        self._still_ns = 0

    def judge(self, seen: Look, at_ns: int) -> tuple[Trouble, ...]:
        """What a person should look after, with device, register and raw value."""
        return (
            *self._unread(seen),
            *self._weight(seen, at_ns),
            *self._meter(seen),
            *(t for row in seen.rows for t in self._ranges(row)),
            *(t for row in seen.rows for t in self._total(row)),
        )

    def _unread(self, seen: Look) -> Iterator[Trouble]:
        name = self._device.name
        for answer in seen.answers:
            if answer.data is None:
                what = ", ".join(f"{p.name} ({p.table} {p.number})" for p in answer.span.points[:3])
                more = len(answer.span.points) - 3
                what = f"{what} +{more}" if more > 0 else what
                yield troubles.not_read(
                    name, what, answer.refusal if answer.exception else answer.error
                )
        for row in seen.rows:
            if row.words is not None and not row.values:
                yield troubles.unknown_bits(name, row.why)

    def _weight(self, seen: Look, at_ns: int) -> Iterator[Trouble]:
        name, found, scale = self._device.name, seen.weighing, self._device.profile.scale
        if found is None or scale is None:
            return
        if found.gross_g is None:
            yield troubles.weight_unknown(name, found.why)
            return
        assert found.scaling is not None, found
        shown = f"{seen.row(scale.gross).shown}, {seen.row(scale.stable).shown}"
        if changed := self._constancy.doubt(found.scaling.told):
            yield troubles.display_changed(name, f"{changed}: {shown}")
        if moved := self._standstill.doubt(found.gross_g, at_ns, stable=found.stable):
            yield troubles.motion_inverted(name, f"{moved}: {shown}")
        if self._rests(found.gross_g, at_ns, stable=found.stable):
            yield troubles.never_stable(name, shown, REST_S)
        capacity_g = self._device.capacity_g
        if capacity_g is not None and abs(found.gross_g) > capacity_g:
            beyond = f"{found.gross_g} g, capacity_g {capacity_g}: {shown}"
            yield troubles.out_of_range(name, beyond)

    def _rests(self, gross_g: int, at_ns: int, *, stable: bool) -> bool:
        """Whether the weight stood still for REST_S without once being called stable."""
        if stable or gross_g != self._still_g:
            self._still_g, self._still_ns = None if stable else gross_g, at_ns
            return False
        return at_ns - self._still_ns >= REST_S * SECOND_NS

    def _ranges(self, row: Row) -> Iterator[Trouble]:
        """A number at the end of its type is an overload in disguise; so is one beyond 100 t."""
        value = row.values.get(row.point.name)
        if value is None or row.point.type.startswith("float") or row.unit != "g":
            return
        ends = limits_of(row.point)
        if row.point.writable or not (row.point.mass or row.point.type.startswith("int")):
            return
        grams = row.mass_g if row.point.mass else int(value)
        if self._device.profile.meter is not None:
            return  # a meter counts beyond every scale, and says itself what is no total
        at_end = value == ends.stop - 1 or (value == ends.start and ends.start < 0)
        if at_end or (grams is not None and abs(grams) > MASS_G_MAX):
            yield troubles.out_of_range(self._device.name, f"{value}: {row.shown}")

    def _meter(self, seen: Look) -> Iterator[Trouble]:
        """A total that is not known, one that went back, and one that began again from 0."""
        name, found, meter = self._device.name, seen.total, self._device.profile.meter
        if found is None or meter is None:
            return
        if found.total_g is None:
            yield total_unknown(f"{name}: {found.why}")
            return
        self._counted = self._counted or Totaliser(found.wraps_g)
        was, moved = self._counted.last, self._counted.feed(found.total_g)
        if was is not None and found.total_g < was:
            tell = troubles.total_backwards if moved is None else troubles.total_wrapped
            yield tell(name, was, f"{found.total_g} g, {seen.row(meter.total).shown}")

    def _total(self, row: Row) -> Iterator[Trouble]:
        total = self._totals.get(row.point.name)
        if total is None or row.point.name not in row.values:
            return
        was, raw = total.last, int(row.values[row.point.name])
        moved = total.feed(raw)
        if was is None or raw >= was:
            return
        tell = troubles.total_backwards if moved is None else troubles.total_wrapped
        yield tell(self._device.name, was, row.shown)


def _totals(device: Mapped) -> Iterator[tuple[str, int | None]]:
    filler = device.profile.filler
    if device.profile.meter is not None:
        return  # its number may be a float, and is followed in grams
    named = UNSIGNED_TOTALS | ({filler.total} if filler is not None and filler.total else set())
    for name, point in device.profile.points.items():
        if point.wraps_at is not None or (name in named and point.type != "float32"):
            yield name, point.wraps_at


async def watch(
    device: Mapped,
    clock: Clock,
    shown: Callable[[Look, tuple[Trouble, ...]], None],
    *,
    ears: Ears = NOBODY,
    looks: int | None = LOOKS,
) -> None:
    """Look `looks` times, for ever when None, and hand each look on; raises DriverError.

    A unit that says nothing at all is not asked again, unless it is watched for ever.

    Only a wire that cannot be opened at the start raises: later it is told as points not read.
    """
    live, spans = Live(device), device.spans
    async with Wire.join(device.link) as wire:
        asker = Asker(wire, device.unit, device.within_s, device.pause_s, ears)
        done = 0
        while True:
            seen = look(device, await asker.read(spans))
            shown(seen, live.judge(seen, clock.monotonic_ns()))
            done += 1
            if looks is not None and (done >= looks or not seen.heard):
                return
            await asyncio.sleep(EVERY_S)
