"""Every shipped map passes its own trial, and a trial fails a map that does not deserve it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.map_trial import trial
from protocols import register_proof, registers
from protocols.documents import DocumentError
from protocols.modbus import Request, read, read_bits, write_coil, write_many, write_one
from protocols.register_file import LimitsFile
from protocols.register_proof import prove, spread
from protocols.registers import Profile

PROFILES = Path(__file__).parents[2] / "config/profiles"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(PROFILES.glob("*.yaml"))}


def failed(findings: tuple[register_proof.Finding, ...]) -> dict[str, str]:
    return {finding.check: finding.detail for finding in findings if not finding.ok}


@pytest.mark.parametrize("name", sorted(TEXTS))
async def test_every_shipped_map_passes_its_own_trial(name: str) -> None:
    profile = registers.load(TEXTS[name], name)
    findings = await trial(profile)
    assert failed(findings) == {}
    tried = {finding.check for finding in findings}
    assert tried >= {"places", "values", "scaling", "limits", "commands", "totalisers", "answers"}
    if "scale" in profile.serves and profile.scale:
        assert tried >= {"weighs", "exception", "late", "silent", "wrong length", "sign flips"}
        assert tried >= {"moves while stable", "out of range"}
    if "meter" in profile.serves:
        assert tried >= {"counts", "reset", "exception", "late", "silent", "wrong length"}
        assert "out of range" in tried


LAUMAS = TEXTS["laumas-tlu"]
EVERYTHING = """
id: everything
title: {zh: 甲, en: a}
source: made for a test, every table and order at once
serves: [scale]
base: 1
byte_order: low_first
word_order: low_first
limits: {registers_max: 4, functions: [1, 2, 3, 4, 16], gap_max: 1, pause_ms: 1}
mass: {unit: {from: unit, codes: {7: lb, 1: kg}}, decimals: {from: places, codes: {9: 1, 4: 3}}}
unknown_when:
  - {when: broken, says: broken}
  - {when: sane, is: [0], says: not sane}
scale: {gross: gross, net: net, stable: stable}
points:
  gross: {address: 1, type: int32, table: input, mass: true, doc: d}
  net: {address: 3, type: float32, table: input, mass: true, doc: d}
  unit: {address: 1, type: uint16, doc: d}
  places: {address: 3, type: bits, bit_order: high_first, fields: {code: {low: 0, high: 3}}, doc: d}
  stable: {address: 1, type: bit, table: discrete, inverted: [stable], doc: moves}
  broken: {address: 1, type: bit, table: coil, doc: d}
  sane: {address: 30, type: bit, table: coil, doc: d}
""".replace("{from: places,", "{from: code,")


async def test_every_table_and_order_is_weighed_and_found_out() -> None:
    profile = registers.load(EVERYTHING, "f")
    assert [(s.table, s.address, s.count) for s in profile.plan()] == [
        ("coil", 0, 30),
        ("discrete", 0, 1),
        ("holding", 0, 3),
        ("input", 0, 4),
    ]
    findings = await trial(profile)
    assert failed(findings) == {}
    assert {"broken (broken = 1)", "not sane (sane = 0)", "code changes", "unit changes"} <= {
        finding.check for finding in findings
    }


@pytest.mark.parametrize("seed", range(6))
def test_a_map_with_a_slip_loads_or_says_where(seed: int) -> None:
    rng = Random(seed)
    for _ in range(25):
        lines = rng.choice(list(TEXTS.values())).splitlines()
        at = rng.randrange(len(lines))
        lines[at : at + 1] = rng.choice(([], [lines[at]] * 2, [rng.choice(lines)]))
        with suppress(DocumentError):
            assert registers.load("\n".join(lines), "f").plan() is not None


@pytest.mark.parametrize(
    ("old", "new", "check", "expected"),
    [
        (
            "  - {when: cell_error,",
            "  - {when: gross, outside: {low: 0, high: 10}, says: x}\n  - {when: cell_error,",
            "weighs",
            "14500 g shown: ",
        ),
        (
            "  - {when: cell_error,",
            "  - {when: zero, is: [0, 1], says: x}\n  - {when: cell_error,",
            "weighs",
            "zero is never healthy",
        ),
        (
            "gross: {address: 8, type: uint32, mass: true, negative: gross_negative,",
            "gross: {address: 8, type: uint16, mass: true, negative: net_shown,",
            "weighs",
            "does not fit into uint16",
        ),
    ],
)
async def test_a_map_that_cannot_weigh_fails(old: str, new: str, check: str, expected: str) -> None:
    assert old in LAUMAS
    text = LAUMAS.replace(old, new).replace("decimals: site", "decimals: 6")
    if "uint16" not in new:
        text = LAUMAS.replace(old, new)
    told = failed(await trial(registers.load(text, "f")))
    assert expected in told[check]


def test_samples_are_the_edges_and_spread_over_the_range() -> None:
    found = list(spread(range(-32768, 32768), 200))
    assert {-32768, -32767, -1, 0, 1, 32766, 32767} <= set(found)
    assert len({number // 8192 for number in found}) == 8
    assert list(spread(range(2), 3)) == [0, 1, *list(spread(range(2), 3))[2:]]


def test_a_proof_fails_what_the_loader_would_not_let_pass() -> None:
    profile = registers.load(LAUMAS, "f")
    points = dict(profile.points)
    points["net"] = replace(points["net"], address=points["gross"].address)
    assert failed(prove(replace(profile, points=points))) == {
        "places": "gross finds the registers of another point"
    }
    deaf = replace(profile, limits=LimitsFile(functions=(4,)))
    assert failed(prove(deaf)) == {
        "limits": "function 3 is not answered",
        "commands": "zero: function 16 is not answered",
    }


def device(text: str = LAUMAS) -> MapDevice:
    return MapDevice(registers.load(text, "f"))


def coils() -> Profile:
    return registers.load(
        "id: x\ntitle: {zh: 甲, en: a}\nsource: s\nserves: [output]\npoints:\n"
        "  a: {address: 0, type: bit, table: coil, writable: true, doc: d}\n"
        "  b: {address: 9, type: bit, table: coil, writable: true, inverted: [b], doc: d}\n",
        "f",
    )


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (lambda: read(6, 8), "0310000000000000000000000000000000" + "00"),
        (lambda: read(0, 33), "8303"),
        (lambda: read(6, 8, function=4), "8401"),
        (lambda: write_one(5, 8), "8601"),
        (lambda: write_many(5, b"\0\x08"), "1000050001"),
        (lambda: write_coil(1, on=True), "8501"),
        (lambda: read_bits(0, 8), "8101"),
    ],
)
def test_a_simulated_device_is_as_narrow_as_its_map(ask: Callable[[], Request], reply: str) -> None:
    assert device().answer(ask().pdu).hex() == reply


def test_a_simulated_device_refuses_what_must_not_be_read() -> None:
    text = LAUMAS.replace("registers_max: 32", "never_read: [{low: 15, high: 20}], gap_max: 0")
    asked = device(text)
    assert asked.answer(read(13, 1).pdu).hex() == "03020000"
    assert asked.answer(read(13, 2).pdu).hex() == "8302"
    assert asked.answer(read(30, 1).pdu).hex() == "8302"


def test_single_bits_are_packed_and_written() -> None:
    made = MapDevice(coils())
    assert made.answer(read_bits(0, 10).pdu).hex() == "01020002"
    assert made.answer(write_coil(0, on=True).pdu) == write_coil(0, on=True).pdu
    made.set("b", value=True)
    assert made.answer(read_bits(0, 10).pdu).hex() == "01020100"
    assert made.meaning(made.profile.points["b"]) == {"b": True}
