"""What probe shows of a flow meter: every register, the total they make, and how to read it otherwise."""

import json
from io import StringIO
from struct import pack

import pytest
from rich.console import Console

from drivers.links import TcpLink
from gatewayd.cli.points_screen import table
from gatewayd.commission.asking import Answer
from gatewayd.commission.live import Live
from gatewayd.commission.maps import Mapped
from gatewayd.commission.point_report import as_json
from gatewayd.commission.points import Look, look
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.meter import SimMeter
from protocols.register_values import words_of
from protocols.register_weights import Site
from tests.commission.test_hunting import MapPlc, hunted, profile, turned

PROMASS, SIEMENS = profile("endress-promass83"), profile("siemens-mass6000")
KG = Site("kg")


def of(device: MapDevice) -> Mapped:
    site = KG if device.profile.id == PROMASS.id else Site()
    return Mapped("meter-1", "meter.modbus", TcpLink(tcp="x:1"), 1, 0.2, device.profile, site)


def seen_in(device: MapDevice) -> Look:
    """One look without a wire: the device answers each planned request itself."""
    spans = device.profile.plan()
    replies = [device.answer(span.request().pdu)[2:] for span in spans]
    return look(of(device), [Answer(s, r) for s, r in zip(spans, replies, strict=True)])


def test_the_total_stands_below_its_registers() -> None:
    device = SimMeter(PROMASS, 20_000_001_500, KG).device
    seen = seen_in(device)
    assert seen.total is not None
    assert (seen.total.total_g, seen.total.step_g, seen.weighing) == (20_000_001_500, 1, None)
    assert [(row.point.name, row.mass_g) for row in seen.rows] == [
        ("sum", 1_500),
        ("overflow", 20_000_000_000),
        ("condition", None),
    ]
    told = as_json(of(device), seen)
    assert told["total"] == {"total_g": 20_000_001_500, "step_g": 1, "wraps_g": None, "why": ""}
    assert json.loads(json.dumps(told))["rows"][0]["value"] is None, "a float is told in grams"
    out = StringIO()
    Console(file=out, width=200).print(table(of(device), seen, "en"))
    assert "total 20000001500 g, in steps of 1 g" in out.getvalue()


def test_an_unknown_total_is_said_with_its_register() -> None:
    device = SimMeter(PROMASS, 5_000, KG).device
    device.set("condition", 368)
    seen = seen_in(device)
    (trouble,) = Live(of(device)).judge(seen, 0)
    assert trouble.kind == "total_unknown"
    assert "condition at holding 6859 = 0x0170" in trouble.zh
    out = StringIO()
    Console(file=out, width=200).print(table(of(device), seen, "zh"))
    assert "未知（不是 0）" in out.getvalue()


def test_a_total_that_goes_back_is_told_and_one_that_is_large_is_not() -> None:
    meter = SimMeter(SIEMENS, 900_000_000_000)
    live = Live(of(meter.device))
    assert live.judge(seen_in(meter.device), 0) == ()
    meter.set(5_000)
    (trouble,) = live.judge(seen_in(meter.device), 1)
    assert trouble.kind == "total_backwards"
    assert "900000000000" in trouble.en
    meter.flow(1)
    assert live.judge(seen_in(meter.device), 2) == ()


@pytest.mark.parametrize("shift", [0, -1])
@pytest.mark.parametrize("swapped", [False, True])
async def test_a_hunt_finds_base_and_word_order_by_what_the_map_knows(
    shift: int, *, swapped: bool
) -> None:
    """Register 6859 is 1 on a healthy Promass, and a total has a sensible size."""
    real = turned(PROMASS) if swapped else PROMASS
    device = SimMeter(real, 56_345_600, KG).device
    plc = MapPlc(device=device, shift=shift)
    found, _ = await hunted(PROMASS, {1: plc}, asked=(1,))
    assert found.best is not None
    assert (found.verdict, found.best.variant.base) == ("proven", 1 + shift)
    assert found.best.variant.swapped_words is swapped
    assert {pdu[0] for pdu in plc.asked} <= {3, 4}


def test_a_double_keeps_its_words_together() -> None:
    point = SIEMENS.points["totalizer_1"]
    raw = int.from_bytes(pack(">d", 1.0), "big")
    assert words_of(point, raw) == (0x3FF0, 0, 0, 0)
