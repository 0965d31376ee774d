"""Points of a device made from a map: raw registers beside meaning, and every lie told in words."""

from pathlib import Path

import pytest

from drivers.contract import Trouble
from drivers.links import TcpLink
from gatewayd.clock import SystemClock
from gatewayd.commission.asking import Answer
from gatewayd.commission.live import Live, watch
from gatewayd.commission.maps import Mapped
from gatewayd.commission.points import Look, look
from gatewayd.sim.map_device import MapDevice, MapFaults
from gatewayd.sim.wires import TcpWire
from protocols import registers
from protocols.masses import float_pattern
from protocols.register_weights import Site
from protocols.registers import Profile

PROFILES = Path(__file__).parents[2] / "config/profiles"
SECOND_NS = 1_000_000_000
NAN = 0x7FC0_0000


def profile(name: str) -> Profile:
    return registers.load((PROFILES / f"{name}.yaml").read_text("utf-8"), name)


LAUMAS = profile("laumas-tlu")
GATE = profile("reference-gate-v1")
SIEMENS = profile("siemens-wp251")


def of(map_: Profile, address: str = "127.0.0.1:1", capacity_g: int | None = None) -> Mapped:
    coded = map_.mass.decimals if map_.mass else None
    kilograms = map_.mass is not None and map_.mass.unit == "site"
    site = Site("kg" if kilograms else None, 2 if coded == "site" else None)
    return Mapped("scale-1", "x", TcpLink(tcp=address), 1, 0.2, map_, site, capacity_g)


def seen_in(device: MapDevice, capacity_g: int | None = None) -> Look:
    """One look without a wire: the device answers each planned request itself."""
    spans = device.profile.plan()
    replies = [device.answer(span.request().pdu)[2:] for span in spans]
    answers = [Answer(span, reply) for span, reply in zip(spans, replies, strict=True)]
    return look(of(device.profile, capacity_g=capacity_g), answers)


class Bench:
    """A device looked at again and again, a tenth of a second apart."""

    def __init__(self, map_: Profile, capacity_g: int | None = None) -> None:
        self.device = MapDevice(map_)
        self.capacity_g = capacity_g
        self.live = Live(of(map_, capacity_g=capacity_g))
        self.at_ns = 0

    def look(self, **values: int) -> dict[str, Trouble]:
        for name, value in values.items():
            self.device.set(name, value)
        self.at_ns += SECOND_NS // 10
        found = self.live.judge(seen_in(self.device), self.at_ns)
        return {each.kind: each for each in found}


def told(trouble: Trouble, *words: str) -> None:
    """Both languages name the device, the register and the raw value."""
    for text in (trouble.zh, trouble.en):
        assert all(word in text for word in ("scale-1", *words)), text


def test_a_row_has_register_raw_value_and_meaning() -> None:
    device = MapDevice(LAUMAS)
    device.set("gross", 1450)
    device.set("stable", value=True)
    seen = seen_in(device)
    gross, status = seen.row("gross"), seen.row("stable")
    assert (gross.place, gross.raw, gross.mass_g) == ("holding 8-9", "0x0000 05AA", 14_500)
    assert (status.place, status.raw, status.set_bits) == ("holding 7", "0x0800", ("stable",))
    assert seen.weighing is not None
    assert (seen.weighing.gross_g, seen.weighing.stable) == (14_500, True)


def test_a_negative_mass_whose_sign_stands_elsewhere_is_negative() -> None:
    device = MapDevice(LAUMAS)
    device.set("gross", 70)
    device.set("gross_negative", value=True)
    assert seen_in(device).row("gross").mass_g == -700


def test_an_overload_is_an_unknown_weight_with_its_register_never_zero() -> None:
    found = Bench(LAUMAS).look(over_full_scale=1)
    told(found["weight_unknown"], "above 110 % of full scale", "holding 7 = 0x0008")


def test_a_float_that_is_no_number_is_unknown_with_its_register() -> None:
    header = {"record": 30, "record_length": 112, "record_application": 105}
    found = Bench(SIEMENS).look(**header, gross=NAN)
    told(found["weight_unknown"], "not a number", "holding 3008-3009 = 0x7FC0 0000")


def test_another_data_record_is_told_with_what_stood_there() -> None:
    found = Bench(SIEMENS).look(record=31, gross=float_pattern(14_500, "kg"))
    told(found["weight_unknown"], "holding 3000 = 0x001F")


def test_a_bit_without_a_name_is_told_and_hides_no_other_row() -> None:
    device = MapDevice(GATE)
    device.set("gross_g", 14_500)
    device.put(GATE.points["status"], (0x8001,))
    seen = seen_in(device)
    assert seen.row("gross_g").values == {"gross_g": 14_500}
    (trouble,) = Live(of(GATE)).judge(seen, 0)
    assert trouble.kind == "unknown_bits"
    told(trouble, "status at holding 100 = 0x8001")


@pytest.mark.parametrize("value", [-(1 << 31), (1 << 31) - 1, 100_000_001, -100_000_001])
def test_a_signed_mass_beyond_every_scale_is_out_of_range(value: int) -> None:
    found = Bench(GATE).look(gross_g=value)
    told(found["out_of_range"], str(value), "gross_g at holding 102-103")


@pytest.mark.parametrize("value", [0, -1, 14_500, 100_000_000])
def test_an_honest_signed_mass_is_not_out_of_range(value: int) -> None:
    assert Bench(GATE).look(gross_g=value) == {}


def test_a_weight_beyond_capacity_is_out_of_range() -> None:
    bench = Bench(LAUMAS, capacity_g=10_000)
    told(bench.look(gross=1001, stable=1)["out_of_range"], "10010 g", "holding 8-9")
    assert bench.look(gross=1000) == {}


def test_stable_that_is_set_while_the_weight_moves_is_inverted_or_stuck() -> None:
    bench = Bench(LAUMAS)
    found = [bench.look(gross=gross, stable=1) for gross in (0, 100, 200, 300, 400)]
    assert found[:4] == [{}] * 4
    told(found[4]["motion_inverted"], "holding 7 = 0x0800")


def test_stable_that_is_never_set_while_the_weight_rests_may_be_inverted() -> None:
    bench = Bench(LAUMAS)
    found = [bench.look(gross=100) for _ in range(11)]
    assert found[:10] == [{}] * 10
    told(found[10]["never_stable"], "holding 7 = 0x0000")
    assert bench.look(stable=1) == {}


def test_a_division_that_changes_while_running_is_told() -> None:
    bench = Bench(LAUMAS)
    assert bench.look(gross=100, stable=1, division=3) == {}
    told(bench.look(division=4)["display_changed"], "scale of the device changed")
    assert bench.look(division=3) == {}


@pytest.mark.parametrize(
    ("name", "was", "now", "kind"),
    [
        ("total_g", 900_000, 899_999, "total_backwards"),
        ("fills", 65_535, 0, "total_wrapped"),
        ("fills", 500, 499, "total_backwards"),
    ],
)
def test_a_totaliser_that_goes_back_is_told_from_one_that_wraps(
    name: str, was: int, now: int, kind: str
) -> None:
    bench = Bench(GATE)
    assert bench.look(**{name: was}) == {}
    told(bench.look(**{name: now})[kind], str(was), f"{name} at holding")
    assert bench.look(**{name: now + 1}) == {}


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        (MapFaults(exception=2), "exception 2, illegal data address"),
        (MapFaults(silent=True), "no answer in 0.2 s"),
        (MapFaults(cut_bytes=1), "does not answer request"),
    ],
)
async def test_a_device_that_refuses_or_is_silent_is_told_by_its_registers(
    faults: MapFaults, why: str
) -> None:
    wire = TcpWire(MapDevice(LAUMAS, faults).device)
    await wire.plug()
    looks: list[tuple[Look, tuple[Trouble, ...]]] = []
    try:
        target = of(LAUMAS, wire.address)
        await watch(target, SystemClock(), lambda *found: looks.append(found), looks=1)
    finally:
        wire.unplug()
    ((seen, found),) = looks
    assert seen.heard == bool(faults.exception)
    kinds = {each.kind: each for each in found}
    assert set(kinds) == {"not_read", "weight_unknown"}
    told(kinds["not_read"], "holding 1", why)


async def test_a_device_that_goes_away_while_watched_is_told_and_not_raised() -> None:
    wire = TcpWire(MapDevice(LAUMAS).device)
    await wire.plug()
    looks: list[tuple[Look, tuple[Trouble, ...]]] = []

    def shown(seen: Look, found: tuple[Trouble, ...]) -> None:
        looks.append((seen, found))
        wire.unplug()

    await watch(of(LAUMAS, wire.address), SystemClock(), shown, looks=3)
    (before, _), (after, troubles) = looks
    assert before.heard
    assert not after.heard
    assert all(row.words is None for row in after.rows)
    assert "not_read" in {each.kind for each in troubles}
