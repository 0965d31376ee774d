"""Triggered heads, AIM identifiers and everything a line of text can do wrong, on real wires."""

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.barcode.line import SERIAL, TCP, Scanner
from drivers.contract import CodeRead, Context, DriverError
from drivers.triggers import Trigger
from protocols.framing import NOISE_BYTES_MAX
from protocols.scanners import gm65, ssi
from tests.drivers.test_barcode_line import ScriptedScanner
from tests.support.devices.heads import Gm65Module, HoneywellHead, SsiScanner
from tests.support.readers import Bench, on_pty, on_tcp, running

CODE = "3701000042"
GTIN = "12312312312333"
GIAI = "9521321A1"
GS = "\x1d"
Wire = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]
WIRES: list[Wire] = [on_tcp, on_pty]


def scanner(link: dict[str, Any], **settings: Any) -> Scanner:
    kind = SERIAL if "serial" in link else TCP
    parsed = kind.settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = kind.make("qr-1", parsed, {})
    assert isinstance(made, Scanner)
    return made


def reads(bench: Bench) -> list[tuple[str, str]]:
    return [(read.symbology, read.text) for read in bench.readings if isinstance(read, CodeRead)]


def kinds(bench: Bench) -> set[str]:
    return {trouble.kind for trouble in bench.troubles}


@pytest.mark.parametrize("wire", WIRES)
async def test_an_ssi_head_is_woken_enabled_and_every_packet_acknowledged(wire: Wire) -> None:
    head = SsiScanner()
    async with wire(head.plugged) as link, running(scanner(link, trigger="ssi")) as bench:
        await bench.until(lambda: bench.ups and ssi.START_DECODE in head.opcodes())
        assert head.woken == 1
        assert head.opcodes()[:2] == [ssi.SCAN_ENABLE, ssi.START_DECODE]
        head.scan(f"]C0{CODE}\r\n".encode())
        await bench.until(lambda: ssi.ACK in head.opcodes())
        await bench.until(lambda: head.opcodes().count(ssi.START_DECODE) >= 2)
    assert reads(bench) == [("]C0", CODE)]
    assert bench.error is None


async def test_a_broken_ssi_packet_is_asked_for_again_and_read_once() -> None:
    head = SsiScanner(broken=1)
    async with on_pty(head.plugged) as link, running(scanner(link, trigger="ssi")) as bench:
        await bench.until(lambda: bench.ups)
        head.scan(CODE.encode())
        await bench.until(lambda: ssi.ACK in head.opcodes())
    assert ssi.NAK in head.opcodes()
    assert bench.texts == [CODE]
    assert bench.noise


async def test_a_head_that_refuses_to_be_triggered_is_read_all_the_same() -> None:
    head = SsiScanner(refuses=2)
    async with on_tcp(head.plugged) as link, running(scanner(link, trigger="ssi")) as bench:
        await bench.until(lambda: bench.troubles)
        head.scan(CODE.encode())
        await bench.until(lambda: bench.texts)
    assert kinds(bench) == {"head_refuses"}
    assert "bad context" in bench.troubles[0].en
    assert head.opcodes().count(ssi.START_DECODE) == 1


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("zone", [0xD4, 0xD5])
async def test_a_module_is_set_to_command_mode_once_and_read(wire: Wire, zone: int) -> None:
    module = Gm65Module(zone=zone, labels=[CODE.encode()])
    async with wire(module.plugged) as link, running(scanner(link, trigger="gm65")) as bench:
        await bench.until(lambda: len(bench.texts) >= 2)
    assert set(bench.texts) == {CODE}
    assert module.writes.count((gm65.MODE_ZONE, 0xD5)) == (zone != 0xD5)
    assert bench.noise == []


async def test_an_answer_to_somebody_before_us_sets_nothing() -> None:
    module = Gm65Module(labels=[CODE.encode()], stale=gm65.build_reply(b"\x00"))
    async with on_tcp(module.plugged) as link, running(scanner(link, trigger="gm65")) as bench:
        await bench.until(lambda: bench.texts)
    assert module.zone == 0xD5


async def test_a_head_that_does_not_answer_is_lost_with_what_to_change() -> None:
    head = SsiScanner(silent=True)
    async with on_tcp(head.plugged) as link, running(scanner(link, trigger="ssi")) as bench:
        await bench.until(lambda: bench.error)
        assert bench.error is not None
        assert bench.error.trouble is not None
        assert bench.error.trouble.kind == "head_deaf"
    assert bench.ups == []


async def test_a_honeywell_is_told_at_open_and_after_every_code() -> None:
    head = HoneywellHead(label=CODE.encode())
    async with on_tcp(head.plugged) as link, running(scanner(link, trigger="honeywell")) as bench:
        await bench.until(lambda: len(bench.texts) >= 2)
    assert set(head.heard) == {b"\x16T\r"}


async def test_a_head_looks_only_when_told() -> None:
    head = HoneywellHead(label=CODE.encode())
    async with on_tcp(head.plugged) as link:
        driver = scanner(link, trigger="honeywell", scan="on_trigger")
        assert isinstance(driver, Trigger)
        with pytest.raises(DriverError, match="not connected"):
            await driver.trigger_on()
        async with running(driver) as bench:
            await bench.until(lambda: bench.ups)
            await asyncio.sleep(0.2)  # nothing happening is the point
            assert head.heard == []
            await driver.trigger_on()
            await bench.until(lambda: bench.texts)
            await driver.trigger_off()
            await bench.until(lambda: head.heard[-1:] == [b"\x16U\r"])
    assert bench.texts == [CODE]


async def test_a_head_without_a_trigger_cannot_be_told() -> None:
    async with on_tcp(ScriptedScanner().plugged) as link:
        driver = scanner(link)
        async with running(driver) as bench:
            await bench.until(lambda: bench.ups)
            with pytest.raises(DriverError, match="set trigger"):
                await driver.trigger_on()
            assert bench.error is None


@pytest.mark.parametrize(
    ("settings", "sent", "read"),
    [
        ({}, f"]C1{GIAI}", ("]C1", GIAI)),
        ({}, CODE, ("", CODE)),
        ({}, "]XX12", ("", "]XX12")),
        ({"aim": "strip"}, f"]C0{CODE}", ("", CODE)),
        ({"aim": "none"}, f"]C0{CODE}", ("", f"]C0{CODE}")),
        ({"symbology": "]C1"}, f"8004{GIAI}", ("]C1", f"8004{GIAI}")),
        ({"symbology": "]C1"}, f"]Q1{CODE}", ("]Q1", CODE)),
    ],
)
async def test_an_identifier_tells_the_symbology_and_is_no_part_of_the_text(
    settings: dict[str, Any], sent: str, read: tuple[str, str]
) -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(scanner(link, **settings)) as bench:
        await bench.until(lambda: bench.ups)
        head.send(sent.encode() + b"\r")
        await bench.until(lambda: bench.readings)
    assert reads(bench) == [read]


async def test_what_a_head_says_instead_of_a_code_is_never_a_read() -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(scanner(link)) as bench:
        await bench.until(lambda: bench.ups)
        for sent in ("]C1", "]X0NOREAD", "]C0 ng ", "]Z6REVINF", CODE):
            head.send(sent.encode() + b"\r")
        await bench.until(lambda: bench.texts)
    assert bench.texts == [CODE]
    assert len(bench.noise) == 4


@pytest.mark.parametrize(
    ("codes", "lost"),
    [
        ([f"]d201{GTIN}10ABC12399TESTING"], True),
        ([f"]C18004{GIAI}21XYZ"], True),
        ([f"]d201{GTIN}10ABC123{GS}99TESTING"], False),
        ([f"]C18004{GIAI}{GS}10A", "]C110ABC12399TESTING"], False),
        ([f"]C18004{GIAI}"], False),
        ([f"]C001{GTIN}10ABC12399TESTING"], False),
    ],
)
async def test_a_scanner_that_loses_gs_is_told(codes: list[str], *, lost: bool) -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(scanner(link)) as bench:
        await bench.until(lambda: bench.ups)
        for code in codes:
            head.send(code.encode() + b"\r")
        await bench.until(lambda: len(bench.texts) == len(codes))
    assert kinds(bench) == ({"gs_lost"} if lost else set())


@dataclass
class Counting(Bench):
    """Counts noise instead of keeping it."""

    noise_bytes: int = 0
    longest: int = 0

    def count(self, reason: str, raw: bytes) -> None:
        del reason
        self.noise_bytes += len(raw)
        self.longest = max(self.longest, len(raw))

    @property
    def context(self) -> Context:
        return replace(super().context, noise=self.count)


async def test_a_megabyte_without_an_end_is_named_and_costs_no_memory() -> None:
    head, counting = ScriptedScanner(), Counting()
    async with on_tcp(head.plugged) as link, running(scanner(link), counting) as bench:
        await bench.until(lambda: bench.ups)
        tracemalloc.start()
        held = [0]
        for number in range(1, 17):
            head.send(b"1234567890123456" * 4096)
            await bench.until(lambda size=number << 16: counting.noise_bytes >= size - 4096)  # type: ignore[misc]  # bound now
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        head.send(b"\r" + CODE.encode() + b"\r")
        await bench.until(lambda: bench.texts)
    assert kinds(bench) == {"no_terminator"}
    assert len(bench.troubles) < 16
    assert bench.texts == [CODE]
    assert counting.longest <= NOISE_BYTES_MAX
    assert held[-1] - held[4] < 128 << 10


async def test_a_head_that_sends_no_suffix_is_named() -> None:
    head = ScriptedScanner()
    async with on_tcp(head.plugged) as link, running(scanner(link, idle_ms=20)) as bench:
        await bench.until(lambda: bench.ups)
        for number in range(3):
            head.send(CODE.encode())
            await bench.until(lambda n=number: len(bench.noise) > n)  # type: ignore[misc]  # bound now
    assert bench.texts == []
    assert kinds(bench) == {"no_terminator"}


async def test_a_reader_on_a_scanners_wire_is_named() -> None:
    head = ScriptedScanner()
    tag = bytes.fromhex("1500010301010ce280689400005005b22108614d2f50")
    async with on_tcp(head.plugged) as link, running(scanner(link, idle_ms=20)) as bench:
        await bench.until(lambda: bench.ups)
        for number in range(6):
            head.send(tag)
            await bench.until(lambda n=number: len(bench.noise) > n)  # type: ignore[misc]  # bound now
        await bench.until(lambda: bench.troubles)
    assert bench.texts == []
    assert kinds(bench) == {"wrong_dialect"}


@pytest.mark.parametrize("wrong", [{"symbology": "C1"}, {"aim": "yes"}, {"trigger": "x"}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        scanner({"tcp": "10.0.0.1:23"}, **wrong)
