"""A hunt finds unit, speed, base and word order of a device, reads only, and knows its limits."""

import os
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from drivers.links import SerialLink, TcpLink
from gatewayd.commission import variants
from gatewayd.commission.changes import changes
from gatewayd.commission.hunting import REST_S, UNITS, Found, Hunt
from gatewayd.commission.maps import Mapped
from gatewayd.sim.map_device import MapDevice
from protocols import registers
from protocols.masses import float_pattern
from protocols.register_file import Bounds
from protocols.register_weights import Site
from protocols.registers import Profile
from tests.support.plcs import Asked, Plc, RtuBus, Step, TcpServer, honest

PROFILES = Path(__file__).parents[2] / "config/profiles"
READS = {1, 2, 3, 4}


def profile(name: str) -> Profile:
    return registers.load((PROFILES / f"{name}.yaml").read_text("utf-8"), name)


LAUMAS = profile("laumas-tlu")
GATE = profile("reference-gate-v1")
SIEMENS = profile("siemens-wp251")


@dataclass
class MapPlc(Plc):
    """A unit that answers as a device made from a map; addresses may be off by some."""

    device: MapDevice = field(default_factory=lambda: MapDevice(LAUMAS))
    shift: int = 0

    def answer(self, pdu: bytes) -> bytes:
        self.asked.append(pdu)
        address = int.from_bytes(pdu[1:3], "big") + self.shift
        if self.device.profile is GATE:
            beat = self.device.meaning(GATE.points["heartbeat"])["heartbeat"]
            self.device.set("heartbeat", (beat + 1) % 65_536)
        return self.device.answer(pdu[:1] + (address % 65_536).to_bytes(2, "big") + pdu[3:])


def laumas(map_: Profile = LAUMAS) -> MapDevice:
    return loaded(map_, gross=1450, net=1450, peak=1450, stable=1, division=3)


def siemens(map_: Profile = SIEMENS) -> MapDevice:
    mass = float_pattern(14_500, "kg")
    return loaded(
        map_, record=30, record_length=112, record_application=105, gross=mass, net=mass, shown=mass
    )


def loaded(map_: Profile, **values: int) -> MapDevice:
    device = MapDevice(map_)
    for name, value in values.items():
        device.set(name, value)
    return device


def turned(map_: Profile) -> Profile:
    """The same map with words the other way round."""
    return next(v.profile for v in variants.orders(map_, 0) if v.swapped_words)


def mapped(map_: Profile, link: TcpLink | SerialLink, unit: int = 1) -> Mapped:
    decimals = 2 if map_.mass is not None and map_.mass.decimals == "site" else None
    site = Site("kg", decimals) if map_.mass is not None else Site()
    return Mapped("scale-1", "scale.modbus", link, unit, 0.1, map_, site)


async def hunted(
    map_: Profile,
    units: Mapping[int, Plc],
    *,
    unit: int = 1,
    asked: Sequence[int] = UNITS,
    spared: frozenset[int] = frozenset(),
) -> tuple[Found, Mapped]:
    said: list[str] = []
    async with TcpServer({n: units.get(n, Plc(script=silent)) for n in range(256)}).serving() as at:
        device = mapped(map_, TcpLink(tcp=f"127.0.0.1:{at.port}"), unit)
        found = await Hunt(device, asked, spared, said.append).run()
    named = [each.what for each in found.tries]
    assert set(said) <= set(named), "each try is named while it runs, and has an outcome"
    return found, device


def silent(_asked: Asked) -> Sequence[Step]:
    return []


def only_read(plc: Plc) -> bool:
    return {pdu[0] for pdu in plc.asked} <= READS


async def test_settings_that_are_right_are_proven_and_nobody_else_is_asked() -> None:
    plc, other = MapPlc(device=siemens()), MapPlc(device=siemens())
    found, device = await hunted(SIEMENS, {1: plc, 2: other})
    assert found.verdict == "proven"
    assert found.best is not None
    lines = changes(device, found.best)
    assert (lines.device, lines.map) == ((), ())
    assert only_read(plc)
    assert not other.asked


async def test_another_unit_is_found_by_the_constants_of_the_map() -> None:
    plcs = {3: MapPlc(device=laumas()), 5: MapPlc(device=siemens())}
    found, device = await hunted(SIEMENS, plcs)
    assert found.verdict == "proven"
    assert found.best is not None
    assert changes(device, found.best).device == ("unit: 5",)


@pytest.mark.parametrize(
    ("map_", "device", "shift", "base"), [(SIEMENS, siemens(), 1, 1), (LAUMAS, laumas(), -1, 0)]
)
async def test_registers_that_are_counted_from_the_other_base(
    map_: Profile, device: MapDevice, shift: int, base: int
) -> None:
    found, target = await hunted(map_, {1: MapPlc(device=device, shift=shift)}, asked=(1,))
    assert found.best is not None
    lines = changes(target, found.best)
    assert lines.map == (f"id: {map_.id}-scale-1", f"base: {base}")
    assert lines.device == (f"profile: {map_.id}-scale-1",)
    assert found.verdict in ("proven", "likely")


async def test_words_in_the_other_order_are_found_by_masses_that_a_scale_can_have() -> None:
    for map_, made in ((SIEMENS, siemens), (LAUMAS, laumas)):
        found, device = await hunted(map_, {1: MapPlc(device=made(turned(map_)))}, asked=(1,))
        assert found.verdict in ("proven", "likely")
        assert found.best is not None
        assert changes(device, found.best).map[1:] == ("word_order: low_first",)


async def test_a_gate_is_proven_by_a_heartbeat_that_moves() -> None:
    plc = MapPlc(device=loaded(GATE, gross_g=14_500, net_g=200, tare_g=14_300, ready=1))
    found, device = await hunted(GATE, {7: plc})
    assert found.best is not None
    assert changes(device, found.best).device == ("unit: 7",)
    assert any("heartbeat" in p.en and p.points > 0 for p in found.best.proofs)
    assert only_read(plc)


async def test_zeros_prove_nothing() -> None:
    found, _ = await hunted(LAUMAS, {1: MapPlc(device=MapDevice(LAUMAS))}, asked=(1,))
    assert found.answered
    assert found.verdict == "undecided"
    assert found.best is not None
    assert found.best.changes == 0, "among equals the one with the fewest changes is named"


async def test_an_exception_is_an_answer_and_silence_is_none() -> None:
    refusing = MapPlc(device=laumas(), script=lambda a: [a.framed(bytes((a.pdu[0] | 0x80, 2)))])
    found, _ = await hunted(LAUMAS, {4: refusing}, asked=range(1, 6))
    outcomes = {each.what.split(",")[0]: each.outcome for each in reversed(found.tries)}
    assert outcomes["unit 4"] == "exception 2, illegal data address"
    assert "no answer" in outcomes["unit 2"]
    assert (found.answered, found.verdict) == (True, "undecided")


async def test_nobody_is_found_where_nobody_is_and_neighbours_are_left_alone() -> None:
    neighbour = MapPlc(device=laumas())
    found, _ = await hunted(LAUMAS, {2: neighbour}, asked=range(1, 4), spared=frozenset({2}))
    assert (found.verdict, found.answered) == ("nothing", False)
    assert not neighbour.asked


async def test_a_hunt_ends_at_its_limit_and_says_so() -> None:
    async with TcpServer({n: Plc(script=silent) for n in range(256)}).serving() as at:
        device = mapped(LAUMAS, TcpLink(tcp=f"127.0.0.1:{at.port}"))
        hunt = Hunt(device, UNITS, frozenset(), lambda _what: None, within_s=0.3)
        found = await hunt.run()
    assert (found.stopped, found.verdict) == (True, "nothing")
    assert 0 < len(found.tries) < len(UNITS)


def test_what_must_not_be_read_is_not_read_from_either_base() -> None:
    never = (Bounds(low=5, high=5),)
    careful = replace(LAUMAS, limits=LAUMAS.limits.model_copy(update={"never_read": never}))
    for base in variants.BASES:
        spans = variants.spans(variants.rebased(careful, base))
        addresses = {a for span in spans for a in range(span.address, span.address + span.count)}
        assert not addresses & {4, 5}, "5 counted from 0, or from 1"
        assert {point.name for span in spans for point in span.points} >= {"gross", "status"}


def test_no_register_without_a_name_is_read_along() -> None:
    for map_ in (LAUMAS, SIEMENS, GATE):
        for span in variants.spans(map_):
            assert sum(point.size for point in span.points) == span.count


def test_every_speed_parity_and_stop_bit_is_tried_once_the_configured_first() -> None:
    link = SerialLink(serial="/dev/ttyUSB0", baud=9600, parity="even")
    tried = variants.lines(link)
    assert tried[0] == link
    assert len(set(map(variants.line_label, tried))) == len(tried)
    assert {variants.line_label(each) for each in tried} >= {"19200 8E1", "9600 8N1", "1200 8O1"}
    assert variants.lines(TcpLink(tcp="a:502")) == (TcpLink(tcp="a:502"),)


@asynccontextmanager
async def slow_line(plc: Plc, unit: int, baud: int) -> AsyncIterator[RtuBus]:
    """A bus whose unit understands one speed only."""
    async with RtuBus({unit: plc}).serving() as bus:
        port = os.open(bus.path, os.O_RDWR | os.O_NOCTTY)

        def understands(asked: Asked) -> Sequence[Step]:
            return honest(asked) if termios.tcgetattr(port)[5] == baud else []

        plc.script = understands
        try:
            yield bus
        finally:
            os.close(port)


async def test_the_speed_of_a_serial_device_is_found() -> None:
    plc = MapPlc(device=siemens())
    async with slow_line(plc, 1, termios.B19200) as bus:
        link = SerialLink(serial=bus.path, baud=9600)
        device = mapped(SIEMENS, link)
        found = await Hunt(device, (1,), frozenset(), lambda _what: None).run()
    assert found.verdict == "proven"
    assert found.best is not None
    (line,) = changes(device, found.best).device
    assert line.startswith("link: {serial: ")
    assert "baud: 19200, parity: none" in line
    assert min(bus.gaps_s[1:]) >= REST_S, "others on the line get their turn between two tries"
    assert only_read(plc)
