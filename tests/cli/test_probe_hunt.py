"""`gatewayd probe --hunt`: every try named, the verdict in words, and the lines of YAML to change."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from drivers.links import SerialLink, open_stream
from tests.commission.test_hunting import MapPlc, siemens, silent
from tests.support.commands import answer, gatewayd
from tests.support.configs import write_config
from tests.support.io_modules import COIL, IoModule
from tests.support.plcs import Plc, RtuBus, TcpServer

SIEMENS_SETTINGS = ("profile=siemens-wp251", "mass_unit=kg", "timeout_ms=100")


def bus(units: dict[int, Plc]) -> TcpServer:
    """A socket on which everyone else is silent."""
    return TcpServer({unit: units.get(unit, Plc(script=silent)) for unit in range(256)})


def chosen(port: int, *more: str) -> tuple[str, ...]:
    settings = (f"link.tcp=127.0.0.1:{port}", *SIEMENS_SETTINGS, *more)
    return ("--driver", "scale.modbus", *(w for each in settings for w in ("--set", each)))


async def test_the_unit_is_found_and_the_line_to_change_is_told() -> None:
    plc = MapPlc(device=siemens())
    async with bus({3: plc}).serving() as server:
        code, found = await answer("probe", *chosen(server.port), "--hunt", "--units", "1-4")
    assert (code, found["state"]) == (0, "answered")
    hunt = found["hunt"]
    assert (hunt["verdict"], hunt["stopped"]) == ("proven", False)
    assert hunt["change"] == {"device": ["unit: 3"], "map": []}
    assert hunt["candidates"][0]["unit"] == 3
    assert any(
        "record at holding 3000 = 0x001E" in e["en"] for e in hunt["candidates"][0]["evidence"]
    )
    assert {pdu[0] for pdu in plc.asked} == {3}, "a hunt only reads"


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("trying: unit 1, ", "proven: unit 1, ", "lines to change")),
        ("zh", ("正在尝试：unit 1, ", "已证实：unit 1, ", "需要修改的行")),
    ],
)
async def test_a_person_sees_each_try_and_ends_with_lines(lang: str, said: Sequence[str]) -> None:
    async with bus({1: MapPlc(device=siemens(), shift=1)}).serving() as server:
        arguments = (*chosen(server.port), "--hunt", "--units", "1", "--lang", lang)
        code, out, err = await gatewayd("probe", *arguments)
    assert code == 0, err
    for expected in said:
        assert expected in out + err
    assert "    base: 1\n" in out
    assert "    id: siemens-wp251-device-1\n" in out
    assert "    profile: siemens-wp251-device-1\n" in out


async def test_right_settings_need_no_change() -> None:
    async with bus({1: MapPlc(device=siemens())}).serving() as server:
        code, out, _ = await gatewayd("probe", *chosen(server.port), "--hunt", "--lang", "en")
    assert code == 0
    assert "nothing to change" in out


async def test_nobody_answers_is_3_with_what_to_check() -> None:
    async with bus({}).serving() as server:
        arguments = (*chosen(server.port), "--hunt", "--units", "1-2", "--lang", "en")
        code, out, _ = await gatewayd("probe", *arguments)
    assert code == 3
    assert "nobody answered" in out


async def test_configured_neighbours_are_named_and_not_asked(tmp_path: Path) -> None:
    neighbour = MapPlc(device=siemens())
    async with bus({2: neighbour}).serving() as server:
        link = f'link: {{tcp: "127.0.0.1:{server.port}"}}, timeout_ms: 100'
        scale = f"driver: scale.modbus, {link}, profile: siemens-wp251, mass_unit: kg"
        lines = f"devices:\n  near: {{{scale}, unit: 1}}\n  far: {{{scale}, unit: 2}}\n"
        files = {"devices/all.yaml": lines, "rigs/all.yaml": None}
        directory = str(write_config(tmp_path, files))
        arguments = ("near", "--hunt", "--units", "1-3", "--lang", "en", "-c", directory)
        code, _, err = await gatewayd("probe", *arguments)
    assert code == 3
    assert "2 far" in err
    assert not neighbour.asked


async def test_a_port_that_is_not_there_is_told_and_nothing_else_is_tried(tmp_path: Path) -> None:
    settings = (f"link.serial={tmp_path}/gone", *SIEMENS_SETTINGS)
    arguments = tuple(w for each in settings for w in ("--set", each))
    code, found = await answer("probe", "--driver", "scale.modbus", *arguments, "--hunt")
    assert (code, found["state"], found["hunt"]) == (3, "unreachable", None)
    assert "no such port" in found["error"]
    assert {"held_by", "daemons"} <= set(found)


async def test_a_port_that_somebody_holds_is_told_with_the_holder() -> None:
    async with RtuBus({}).serving() as line:
        held = await open_stream(SerialLink(serial=line.path))
        settings = (f"link.serial={line.path}", *SIEMENS_SETTINGS)
        arguments = tuple(w for each in settings for w in ("--set", each))
        code, found = await answer("probe", "--driver", "scale.modbus", *arguments, "--hunt")
        await held.close()
    assert (code, found["hunt"]) == (3, None)
    assert "port is used by another program" in found["error"]
    assert os.getpid() in {user["pid"] for user in found["held_by"]}


async def test_an_output_module_is_not_even_read_without_a_typed_name() -> None:
    module = IoModule()
    settings = ("coil=512", "timeout_ms=100")
    async with bus({1: module}).serving() as server:
        link = f"link.tcp=127.0.0.1:{server.port}"
        words = [w for each in (link, *settings) for w in ("--set", each)]
        arguments = ("--driver", "output.modbus", *words, "--hunt", "--units", "1", "--json")
        code, _, err = await gatewayd("probe", *arguments, "--lang", "en", typed="no\n")
        assert (code, module.asked) == (1, [])
        assert "close the hand valve" in err
        await gatewayd("probe", *arguments, typed="device-1\n")
    assert module.asked
    assert module.written == []
    assert COIL not in module.coils


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hunt", "--units", "1-99"), "at most 32"),
        (("--hunt", "--units", "x"), "expected FIRST-LAST"),
        (("--hunt", "--units", "250-256"), "0..255"),
        (("--hunt", "--units", "5-1"), "at most 32"),
    ],
)
async def test_units_are_bounded(arguments: tuple[str, ...], said: str) -> None:
    code, _, err = await gatewayd("probe", *chosen(1), *arguments)
    assert code == 2
    assert said in err


async def test_a_device_without_a_map_cannot_be_hunted() -> None:
    settings = ("--set", "link.tcp=127.0.0.1:1")
    code, _, err = await gatewayd("probe", "--driver", "rfid.r2000", *settings, "--hunt")
    assert code == 2
    assert "--hunt" in err
