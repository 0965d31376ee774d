"""What a UHFReader is told beside its inventory: power, TID, and the memory of its tags."""

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.uhfreader import DRIVER, Settings, UhfReader
from drivers.suite import Bench, Wire, on_pty, on_tcp, running
from protocols.readers.uhfreader import Tag, codes, decode_access
from tests.support.readers import ScriptedReader

TAG = Tag(bytes.fromhex("e280689400005005b2210861"), 77)
OTHER = Tag(bytes.fromhex("49440000000000000a000334"), 60)
TID = bytes.fromhex("e28011700000020c9a1b2c3d")
UID = TAG.epc.hex().upper()


def driver(link: dict[str, Any], **settings: Any) -> UhfReader:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, UhfReader)
    return made


def told(reader: ScriptedReader, code: int) -> list[bytes]:
    return [command.data for command in reader.heard if command.code == code]


@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_power_is_written_once_and_only_when_it_differs(mode: str) -> None:
    reader = ScriptedReader(power_dbm=30)
    async with on_tcp(reader.plugged) as link:
        for dbm, written in ((30, []), (26, [b"\x1a"]), (26, [b"\x1a"])):
            reader.pushes = False
            async with running(driver(link, power_dbm=dbm, mode=mode)) as bench:
                await bench.until(lambda: bench.ups)
            assert told(reader, codes.SET_POWER) == written
            assert f"{dbm} dBm" in bench.ups[0]


async def test_power_that_the_reader_does_not_take_is_an_error() -> None:
    reader = ScriptedReader(keeps_power=True)
    async with on_tcp(reader.plugged) as link, running(driver(link, power_dbm=33)) as bench:
        await bench.until(lambda: bench.error)
    assert "has 30 dBm and does not take power_dbm 33: 0xFF wrong parameter" in str(bench.error)
    assert bench.ups == []


async def test_power_of_a_reader_that_does_not_tell_it_is_never_written() -> None:
    reader = ScriptedReader(knows_info=False)
    async with on_tcp(reader.plugged) as link, running(driver(link, power_dbm=20)) as bench:
        await bench.until(lambda: bench.ups)
    assert told(reader, codes.SET_POWER) == []
    assert "power_dbm is not set" in bench.ups[0]


@pytest.mark.parametrize("tid", [True, False])
async def test_the_tid_comes_with_the_tag_when_it_is_asked_for(tid: bool) -> None:  # noqa: FBT001 - a case
    reader = ScriptedReader(tags=[replace(TAG, tid=TID), OTHER])
    async with on_tcp(reader.plugged) as link, running(driver(link, tid=tid)) as bench:
        await bench.until(lambda: len(bench.readings) >= 2)
    found = {read.uid: read.tid for read in bench.readings if isinstance(read, TagRead)}
    assert found == {UID: TID.hex().upper() if tid else "", OTHER.epc.hex().upper(): ""}


async def test_dialect_18_says_that_it_reports_no_tid() -> None:
    reader = ScriptedReader(dialect="18", type_code=0x09, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, tid=True)) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.ups[0].endswith("serves antenna 1, and no TID")


async def test_an_antenna_that_fails_every_round_is_named() -> None:
    reader = ScriptedReader(status=codes.ANTENNA_ERROR)
    async with on_tcp(reader.plugged) as link, running(driver(link, antennas=[3])) as bench:
        await bench.until(lambda: bench.troubles)
    assert bench.error is None
    assert bench.troubles[0].kind == "antenna_missing"
    assert "antenna 3" in bench.troubles[0].en


async def test_a_reader_that_will_not_leave_push_mode_is_a_trouble() -> None:
    reader = ScriptedReader(pushes=True, keeps_mode=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.push(TAG)
        await bench.until(lambda: bench.troubles)
    assert {trouble.kind for trouble in bench.troubles} == {"left_pushing"}


async def test_the_wrong_dialect_is_a_trouble_with_what_to_change() -> None:
    reader = ScriptedReader(dialect="18", tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, dialect=288)) as bench:
        await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "wrong_dialect"


def area(bank: Any = "user", start: int = 0, count: int = 2, uid: str = UID) -> MemoryArea:
    return MemoryArea(bank, start, count, uid)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize(("dialect", "type_code"), [("18", 0x09), ("288", 0x26)])
async def test_memory_is_written_read_back_and_read(
    wire: Wire, dialect: Any, type_code: int
) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=type_code, tags=[OTHER, TAG])
    bench = Bench()
    async with wire(reader.plugged) as link:
        gun = driver(link)
        assert isinstance(gun, TagMemory)
        assert isinstance(gun, TagMemoryWriter)
        await gun.write_memory(bench.context, area(start=4), b"\x12\x34\x56\x78")
        assert await gun.read_memory(bench.context, area(start=4)) == b"\x12\x34\x56\x78"
        assert await gun.read_memory(bench.context, area("epc", 2, 6)) == TAG.epc
    assert not any(reader.bank(OTHER.epc, 3))
    assert codes.WRITE_EPC not in {command.code for command in reader.heard}


async def test_a_written_epc_is_read_back_under_its_new_name() -> None:
    reader = ScriptedReader(tags=[TAG, OTHER])
    async with on_tcp(reader.plugged) as link:
        await driver(link).write_memory(Bench().context, area("epc", 5, 3), b"\x01" * 6)
    assert [tag.epc for tag in reader.tags] == [TAG.epc[:6] + b"\x01" * 6, OTHER.epc]


async def test_words_above_255_are_reached_by_the_extended_commands() -> None:
    reader = ScriptedReader(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        await driver(link).write_memory(Bench().context, area(start=0x120), b"\xab" * 4)
    write = decode_access(codes.EXTENDED_WRITE, told(reader, codes.EXTENDED_WRITE)[0])
    assert (write.start, write.data) == (0x120, b"\xab" * 4)
    assert told(reader, codes.EXTENDED_READ)


@pytest.mark.parametrize(
    ("reader", "asked", "said"),
    [
        (ScriptedReader(), area(), "not in the field"),
        (ScriptedReader(), area(uid=""), "no tag in the field"),
        (ScriptedReader(tags=[TAG, OTHER]), area(uid=""), "several tags in the field"),
        (ScriptedReader(tags=[TAG]), area(count=33), "1 to 32"),
        (ScriptedReader(dialect="18", type_code=0x09, tags=[TAG]), area(start=256), "0 to 255"),
        (ScriptedReader(tags=[TAG]), area(start=0x17F), "2 bytes read of 4"),
        (ScriptedReader(tags=[TAG], access_status=5), area(), "0x05 wrong access password"),
        (ScriptedReader(tags=[TAG], access_status=0xFA), area(), "0xFA poor link"),
        (ScriptedReader(tags=[TAG], access_status=0xFC), area(), "tag error 0x04 memory locked"),
        (ScriptedReader(tags=[TAG], pushes=True, keeps_mode=True), area(), "set mode: poll"),
        (ScriptedReader(tags=[Tag(b"\x01\x02\x03", 1)]), area(uid=""), "cannot be named"),
    ],
)
async def test_memory_that_cannot_be_read_whole_is_refused(
    reader: ScriptedReader, asked: MemoryArea, said: str
) -> None:
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).read_memory(Bench().context, asked)


@pytest.mark.parametrize(
    ("reader", "asked", "data", "said"),
    [
        (ScriptedReader(tags=[TAG]), area(uid=""), bytes(4), "must name its tag"),
        (ScriptedReader(tags=[TAG]), area(), bytes(3), "3 bytes for 2 words"),
        (ScriptedReader(tags=[TAG]), area("tid"), bytes(4), "by its maker"),
        (ScriptedReader(tags=[TAG], access_status=0xFC), area(), bytes(4), "memory locked"),
        (ScriptedReader(tags=[TAG], forgets_writes=True), area(), b"\x01" * 4, "read back 0000"),
    ],
)
async def test_a_write_that_is_not_confirmed_is_an_error(
    reader: ScriptedReader, asked: MemoryArea, data: bytes, said: str
) -> None:
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).write_memory(Bench().context, asked, data)


@pytest.mark.parametrize(
    "wrong", [{"power_dbm": -1}, {"power_dbm": 34}, {"tid": True, "dialect": 18}, {"tid": 1}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver({"tcp": "10.0.0.1:6000"}, **wrong)
