from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.thingmagic import Settings, ThingMagic
from protocols.readers.thingmagic import codes
from tests.support.devices.thingmagic import ScriptedModule
from tests.support.readers import Bench, on_pty, on_tcp, running

EPC = bytes.fromhex("e280689400005005b2210861")
OTHER = bytes.fromhex("49440000000000000a000334")
SHORT = bytes.fromhex("12345678")
SETTING = {codes.SET_REGION, codes.SET_PROTOCOL, codes.SET_ANTENNA, codes.SET_READ_POWER}

Wire = Callable[..., AbstractAsyncContextManager[dict[str, Any]]]


def driver(link: dict[str, Any], **settings: Any) -> ThingMagic:
    told = {"link": link, "region": "PRC", "poll_ms": 20, "search_ms": 20, **settings}
    if isinstance(told.get("antennas"), list):
        told["antennas"] = tuple(told["antennas"])
    return ThingMagic("gun-1", Settings.model_validate(told))


def hexed(epc: bytes) -> str:
    return epc.hex().upper()


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("dialect", ["thingmagic", "silion"])
async def test_a_module_fresh_from_power_up_is_started_and_read(wire: Wire, dialect: Any) -> None:
    module = ScriptedModule(dialect=dialect, tags=[EPC, SHORT], antenna=2)
    async with (
        wire(module.plugged) as link,
        running(driver(link, dialect=dialect)) as bench,
    ):
        await bench.until(lambda: len(bench.readings) >= 4)
    assert bench.uids == {hexed(EPC), hexed(SHORT)}
    assert "region PRC" in bench.ups[0]
    assert ", poll" in bench.ups[0]
    assert not module.boot_loader
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.antenna, read.rssi_raw, read.rssi_cdbm) == (2, -60, -6000)


async def test_settings_are_set_once_and_only_when_they_differ() -> None:
    module = ScriptedModule(tags=[EPC])
    async with on_tcp(module.plugged) as link:
        for _ in range(2):
            async with running(driver(link, antennas=[1, 3], power_dbm=20)) as bench:
                await bench.until(lambda: bench.uids)
    settings = [opcode for opcode in module.said if opcode in SETTING]
    assert settings == [
        codes.SET_REGION,
        codes.SET_PROTOCOL,
        codes.SET_ANTENNA,
        codes.SET_READ_POWER,
    ]
    assert module.antennas.hex() == "0201010303"
    assert module.power_cdbm == 2000


async def test_silion_powers_are_set_port_by_port() -> None:
    module = ScriptedModule(dialect="silion", tags=[EPC])
    told = {"antennas": [1, 2], "power_dbm": 30}
    async with on_tcp(module.plugged) as link, running(driver(link, **told)) as bench:
        await bench.until(lambda: bench.uids)
    powers = [c.data.hex() for c in module.heard if c.opcode == 0x91 and c.data[0] == 3]
    assert powers == ["03020bb80bb8"]


async def test_what_is_not_configured_is_left_as_it_is() -> None:
    module = ScriptedModule(tags=[EPC], boot_loader=False, region=2, protocol=5)
    async with on_tcp(module.plugged) as link, running(driver(link, region=None)) as bench:
        await bench.until(lambda: bench.uids)
    assert not SETTING & set(module.said)
    assert "region EU, 23 dBm" in bench.ups[0]


async def test_a_module_without_region_is_not_made_to_transmit() -> None:
    module = ScriptedModule(tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link, region=None)) as bench:
        await bench.until(lambda: bench.error)
    assert "set region" in str(bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert "region: PRC" in bench.error.trouble.zh
    assert codes.READ_MULTIPLE not in module.said


async def test_a_refused_power_is_named() -> None:
    module = ScriptedModule()
    async with on_tcp(module.plugged) as link, running(driver(link, power_dbm=33)) as bench:
        await bench.until(lambda: bench.error)
    assert "refuses power_dbm: status 0x0103 power too high" in str(bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "power_refused"
    assert "10 to 31.5 dBm" in bench.error.trouble.en


@pytest.mark.parametrize("dialect", ["thingmagic", "silion"])
async def test_push_streams_every_sighting(dialect: Any) -> None:
    module = ScriptedModule(dialect=dialect, antenna=4)
    async with on_tcp(module.plugged) as link, running(driver(link, mode="push")) as bench:
        await bench.until(lambda: bench.ups)
        assert module.pushes
        assert dialect in bench.ups[0].lower()
        module.live()
        module.push(EPC)
        module.push(OTHER)
        await bench.until(lambda: bench.uids == {hexed(EPC), hexed(OTHER)})
    assert {read.antenna for read in bench.readings if isinstance(read, TagRead)} == {4}
    assert bench.noise == []
    assert module.read_filter is (dialect == "silion")


async def test_a_silent_stream_is_started_again() -> None:
    module = ScriptedModule()
    async with on_tcp(module.plugged) as link, running(driver(link, mode="push")) as bench:
        await bench.until(lambda: bench.ups)
        module.pushes = False
        await bench.until(lambda: module.pushes, 15)
        module.push(EPC)
        await bench.until(lambda: bench.uids)


@pytest.mark.parametrize(("told", "true"), [("thingmagic", "silion"), ("silion", "thingmagic")])
async def test_the_wrong_dialect_is_named(told: str, true: Any) -> None:
    module = ScriptedModule(dialect=true)
    settings = {"dialect": told, "mode": "push"}
    async with on_tcp(module.plugged) as link, running(driver(link, **settings)) as bench:
        await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "wrong_dialect"
    assert true in bench.error.trouble.en


@pytest.mark.parametrize("dialect", ["thingmagic", "silion"])
async def test_a_module_left_streaming_is_stopped_and_polled(dialect: Any) -> None:
    module = ScriptedModule(
        dialect=dialect, boot_loader=False, region=6, protocol=5, tags=[EPC], pushes=True
    )
    async with on_tcp(module.plugged) as link, running(driver(link, dialect=dialect)) as bench:
        await bench.until(lambda: bench.uids)
    assert not module.pushes


async def test_an_empty_field_is_idle() -> None:
    module = ScriptedModule()
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: module.said.count(codes.READ_MULTIPLE) >= 6)
    assert bench.error is None
    assert bench.readings == []


async def test_more_tags_than_one_reply_holds_are_all_read() -> None:
    epcs = [bytes((n,)) * 12 for n in range(1, 12)]
    module = ScriptedModule(tags=epcs)
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.uids) == 11)


async def test_firmware_that_wants_metadata_flags_gets_them_from_then_on() -> None:
    module = ScriptedModule(tags=[EPC], needs_metadata=True)
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3)
    searches = [c.data.hex() for c in module.heard if c.opcode == codes.READ_MULTIPLE]
    assert searches[:3] == ["0000000014", "10000000140007", "10000000140007"]


async def test_a_tag_heard_badly_is_noise_and_never_a_read() -> None:
    module = ScriptedModule(tags=[EPC, OTHER], broken_crc={OTHER})
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3)
    assert bench.uids == {hexed(EPC)}
    assert "its CRC is wrong" in bench.noise[0][0]


@pytest.mark.parametrize(
    ("status", "reason"), [(0x0504, "over temperature"), (0x0505, "high return loss")]
)
async def test_a_module_that_refuses_to_read_is_lost_with_its_reason(
    status: int, reason: str
) -> None:
    module = ScriptedModule(tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        module.search_status = status
        await bench.until(lambda: bench.error)
    assert reason in str(bench.error)


async def test_memory_is_read_and_written_on_one_tag_only() -> None:
    module = ScriptedModule(tags=[EPC, OTHER], antenna=3)
    async with on_tcp(module.plugged) as link:
        gun = driver(link)
        assert isinstance(gun, TagMemory)
        assert isinstance(gun, TagMemoryWriter)
        area = MemoryArea("user", 2, 2, uid=hexed(OTHER))
        await gun.write_memory(Bench().context, area, b"\x12\x34\x56\x78")
        assert await gun.read_memory(Bench().context, area) == b"\x12\x34\x56\x78"
    assert set(module.memory) == {(OTHER, 3)}
    assert module.antennas == b"\x03\x03"


async def test_a_new_epc_is_read_back_from_the_tag_it_became() -> None:
    module = ScriptedModule(tags=[EPC])
    async with on_tcp(module.plugged) as link:
        area = MemoryArea("epc", 2, 6, uid=hexed(EPC))
        await driver(link).write_memory(Bench().context, area, OTHER)
    assert module.tags == [OTHER]


@pytest.mark.parametrize(
    ("area", "change", "reason"),
    [
        (MemoryArea("user", 0, 1), {"tags": [EPC, OTHER]}, "several tags"),
        (MemoryArea("user", 0, 1), {"tags": []}, "no tag in the field"),
        (MemoryArea("user", 0, 1, uid="AB"), {}, "AB is not in the field"),
        (MemoryArea("user", 31, 4), {}, "no such memory"),
        (MemoryArea("user", 0, 65), {}, "takes 1 to 64"),
    ],
)
async def test_memory_that_cannot_be_read_whole_is_refused(
    area: MemoryArea, change: dict[str, Any], reason: str
) -> None:
    module = ScriptedModule(**{"tags": [EPC], **change})
    async with on_tcp(module.plugged) as link:
        with pytest.raises(DriverError, match=reason):
            await driver(link).read_memory(Bench().context, area)


async def test_a_write_that_did_not_hold_or_was_refused_is_an_error() -> None:
    module = ScriptedModule(tags=[EPC], forgets_writes=True)
    area = MemoryArea("user", 0, 1, uid=hexed(EPC))
    locked = MemoryArea("user", 0, 1, uid=hexed(EPC), password=7)
    async with on_tcp(module.plugged) as link:
        with pytest.raises(DriverError, match="read back 0000"):
            await driver(link).write_memory(Bench().context, area, b"\x12\x34")
        with pytest.raises(DriverError, match="memory locked"):
            await driver(link).write_memory(Bench().context, locked, b"\x12\x34")


@pytest.mark.parametrize(
    "wrong",
    [
        {"antennas": (1, 1)},
        {"antennas": (0,)},
        {"antennas": (17,)},
        {"region": "XX"},
        {"power_dbm": 34},
        {"search_ms": 19},
        {"search_ms": 2_001},
        {"search_ms": 501, "antennas": (1, 2, 3, 4)},
        {"dialect": "m6e"},
        {"speed": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"link": {"tcp": "10.0.0.1:8080"}, **wrong})
