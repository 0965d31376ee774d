import json
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.r2000 import DRIVER, R2000, Settings
from drivers.rfid.rounds import MISSED_POLLS_MAX
from drivers.suite import Bench, Wire, on_pty, on_tcp, running
from protocols.readers.r2000 import codes, decode_fast_switch
from tests.support.devices.r2000 import ScriptedR2000

TAG = bytes.fromhex("300833b2ddd9014000000001")
OTHER = bytes.fromhex("e200301666130121155074ef")
UID, OTHER_UID = TAG.hex().upper(), OTHER.hex().upper()


def driver(link: dict[str, Any], **settings: Any) -> R2000:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("portal", parsed, {})
    assert isinstance(made, R2000)
    return made


def commands(reader: ScriptedR2000, code: int) -> list[bytes]:
    return [command.data for command in reader.heard if command.code == code]


def reads(bench: Bench) -> list[TagRead]:
    return [read for read in bench.readings if isinstance(read, TagRead)]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_tags_are_read_on_either_wire_asked_or_streamed(wire: Wire, mode: str) -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with wire(reader.plugged) as link, running(driver(link, mode=mode)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3 and bench.ups)
    read = reads(bench)[0]
    assert (read.device, read.uid, read.antenna) == ("portal", UID, 1)
    assert (read.rssi_raw, read.rssi_cdbm) == (55, -7400)
    assert bench.ups == [f"R2000 reader version 1.9, address 1, antennas 1, 30 dBm, {mode}"]
    assert bench.noise == []
    assert bench.troubles == []


async def test_nothing_that_a_reader_stores_is_ever_written() -> None:
    reader = ScriptedR2000(tags=[TAG])
    stored = {codes.SET_POWER, codes.SET_REGION, codes.SET_ADDRESS, codes.SET_BAUD}
    async with on_tcp(reader.plugged) as link, running(driver(link, power_dbm=25)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3)
    assert not stored & {command.code for command in reader.heard}


async def test_power_is_set_once_and_only_when_it_differs() -> None:
    reader = ScriptedR2000(power=bytes((30, 30, 30, 30)))
    async with on_tcp(reader.plugged) as link:
        for dbm, sets in ((30, []), (25, [b"\x19"]), (25, [b"\x19"])):
            async with running(driver(link, power_dbm=dbm)) as bench:
                await bench.until(lambda: bench.ups)
            assert commands(reader, codes.SET_TEMPORARY_POWER) == sets
            assert f"{dbm} dBm" in bench.ups[0]


async def test_antennas_are_polled_in_turn_and_count_from_one() -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, antennas=[2, 7])) as bench:
        await bench.until(lambda: len(bench.readings) >= 4)
    assert [read.antenna for read in reads(bench)][:4] == [2, 7, 2, 7]
    assert {read.rssi_raw for read in reads(bench)} == {55}
    assert commands(reader, codes.SET_ANTENNA)[:3] == [b"\x01", b"\x06", b"\x01"]


async def test_one_antenna_is_chosen_once_and_again_after_the_reader_restarted() -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, antennas=[3])) as bench:
        await bench.until(lambda: len(bench.readings) >= 5)
        assert len(commands(reader, codes.SET_ANTENNA)) == 1
        reader.antenna = 1
        await bench.until(lambda: len(commands(reader, codes.SET_ANTENNA)) == 2)
        await bench.until(lambda: reader.antenna == 3)
    assert bench.error is None


async def test_without_antennas_the_one_that_the_reader_works_on_is_served() -> None:
    reader = ScriptedR2000(tags=[TAG], antenna=4)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.readings)
    assert reads(bench)[0].antenna == 4
    assert reader.antenna == 4


@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_a_missing_antenna_is_named_and_the_others_go_on(mode: str) -> None:
    reader = ScriptedR2000(tags=[TAG], connected={1})
    gun = {"antennas": [1, 2], "mode": mode}
    async with on_tcp(reader.plugged) as link, running(driver(link, **gun)) as bench:
        await bench.until(lambda: bench.troubles)
        bench.readings.clear()
        await bench.until(lambda: len(bench.readings) >= 3)
    assert bench.error is None
    assert {trouble.kind for trouble in bench.troubles} == {"antenna_missing"}
    assert "antenna 2" in bench.troubles[0].en
    assert {read.antenna for read in reads(bench)} == {1}


@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_a_reader_without_any_antenna_is_lost_plainly(mode: str) -> None:
    reader = ScriptedR2000(connected=set())
    gun = {"antennas": [1, 2], "mode": mode}
    async with on_tcp(reader.plugged) as link, running(driver(link, **gun)) as bench:
        await bench.until(lambda: bench.error)
    assert "nothing is connected to antenna 1, 2" in str(bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "antenna_missing"
    assert bench.ups == []


@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_an_empty_field_is_idle_and_no_error(mode: str) -> None:
    reader = ScriptedR2000()
    gun = {"mode": mode, "poll_ms": 10}
    inventory = codes.INVENTORY if mode == "poll" else codes.FAST_SWITCH
    async with on_tcp(reader.plugged) as link, running(driver(link, **gun)) as bench:
        await bench.until(lambda: len(commands(reader, inventory)) > 5)
        for reader.result in (codes.NO_TAG, 0x31, 0x50):
            reader.heard.clear()
            await bench.until(lambda: len(commands(reader, inventory)) > 5)
    assert bench.error is None
    assert bench.readings == []


async def test_a_reader_that_refuses_to_look_is_lost_with_its_reason() -> None:
    reader = ScriptedR2000(result=0x56)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "0x56 spectrum regulation" in str(bench.error)
    assert bench.ups == []


async def test_a_session_is_asked_for_when_configured() -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link, session=2)) as bench:
            await bench.until(lambda: bench.readings)
        async with running(driver(link, session=2, mode="push", antennas=[1, 6])) as bench:
            await bench.until(lambda: bench.readings)
    assert commands(reader, codes.SESSION_INVENTORY)[0] == b"\x02\x00\x01"
    assert commands(reader, codes.INVENTORY) == []
    switch = decode_fast_switch(commands(reader, codes.FAST_SWITCH)[0])
    assert switch.stays == ((0, 1), (5, 1))
    assert switch.ports == 8
    assert switch.extension is not None
    assert switch.extension.session == 2


async def test_a_stream_is_started_again_and_learns_how_long_it_takes() -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, mode="push")) as bench:
        await bench.until(lambda: len(commands(reader, codes.FAST_SWITCH)) >= 3)
    repeats = [decode_fast_switch(data).repeat for data in commands(reader, codes.FAST_SWITCH)]
    assert repeats[:3] == [1, 10, 10]
    assert bench.error is None


async def test_two_tags_of_one_round_are_two_and_a_person_is_told() -> None:
    reader = ScriptedR2000(tags=[TAG, OTHER])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) >= 4)
    assert bench.uids == {UID, OTHER_UID}
    assert bench.troubles[0].kind == "several_tags"


async def test_an_inventory_of_somebody_else_is_waited_for_and_not_read() -> None:
    reader = ScriptedR2000(tags=[TAG], left_over=4)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        sent = [raw for direction, raw in bench.frames if direction == "host>device"]
        asked = [raw for raw in sent if raw[3] == codes.INVENTORY]
        assert len(bench.readings) <= len(asked), "nobody knows how old what came unasked is"
    assert bench.error is None


async def test_an_inventory_that_never_ends_is_named_and_not_read() -> None:
    reader = ScriptedR2000(tags=[TAG], pushes=True)
    async with on_tcp(reader.plugged) as link:
        settings = Settings.model_validate({"link": link})
        async with running(R2000("portal", settings, left_over_s=0.5)) as bench:
            await bench.until(lambda: bench.error)
    assert not bench.readings
    assert "never ends the inventory" in str(bench.error)
    assert bench.error is not None
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "left_pushing"


async def test_a_reader_that_falls_silent_is_lost_after_the_named_number_of_polls() -> None:
    reader = ScriptedR2000(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        reader.silent = True
        await bench.until(lambda: bench.error)
    assert f"no valid answer to {MISSED_POLLS_MAX} polls" in str(bench.error)


async def test_a_reader_at_another_address_is_nobody_and_255_finds_it() -> None:
    reader = ScriptedR2000(address=9, tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link)) as bench:
            await bench.until(lambda: bench.error)
        assert "no R2000 reader answers at address 1" in str(bench.error)
        async with running(driver(link, address=255)) as found:
            await found.until(lambda: found.uids)
    assert "address 9" in found.ups[0]
    assert reader.heard[-1].address == 9


@pytest.mark.parametrize("miscount", [1, 3])
async def test_firmware_that_counts_its_length_differently_is_read_and_named(miscount: int) -> None:
    reader = ScriptedR2000(tags=[TAG], miscount=miscount)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert f"its length bytes are {miscount} too low" in bench.ups[0]
    assert [reason for reason, _ in bench.noise] == [
        f"length byte {miscount} too low; accepted, it adds up"
    ]


async def test_a_frame_counted_otherwise_than_the_reader_counts_is_noise() -> None:
    reader = ScriptedR2000()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.miscount = 1
        reader.push(OTHER)
        await bench.until(lambda: bench.noise)
        reader.miscount, reader.tags = 0, [TAG]
        await bench.until(lambda: bench.uids)
    assert bench.uids == {UID}
    assert bench.noise[0][0] == "length byte 1 too low; this reader's is 0"


def area(bank: Any = "user", start: int = 0, count: int = 2, uid: str = UID) -> MemoryArea:
    return MemoryArea(bank, start, count, uid)


@pytest.mark.parametrize("old_read", [False, True])
async def test_memory_is_written_read_back_and_read(old_read: bool) -> None:  # noqa: FBT001 - a case
    reader = ScriptedR2000(tags_at={1: [OTHER], 3: [OTHER, TAG]}, old_read=old_read)
    bench = Bench()
    async with on_tcp(reader.plugged) as link:
        gun = driver(link, antennas=[1, 3, 4])
        assert isinstance(gun, TagMemory)
        assert isinstance(gun, TagMemoryWriter)
        await gun.write_memory(bench.context, area(start=4), b"\x12\x34\x56\x78")
        assert await gun.read_memory(bench.context, area(start=4)) == b"\x12\x34\x56\x78"
        assert await gun.read_memory(bench.context, area("epc", 2, 6)) == TAG
    assert reader.bank(OTHER, 3) == bytearray(64)
    assert reader.match == b""


async def test_a_written_epc_is_read_back_under_its_new_name() -> None:
    reader = ScriptedR2000(tags=[TAG, OTHER])
    new = bytes.fromhex("0123456789ab")
    async with on_tcp(reader.plugged) as link:
        await driver(link).write_memory(Bench().context, area("epc", 5, 3), new)
    assert reader.tags == [TAG[:6] + new, OTHER]


@pytest.mark.parametrize(
    ("reader", "asked", "said"),
    [
        (ScriptedR2000(), area(), "not in the field"),
        (ScriptedR2000(), area(uid=""), "no tag in the field"),
        (ScriptedR2000(tags=[TAG, OTHER]), area(uid=""), "several tags in the field"),
        (ScriptedR2000(tags=[TAG], clones=2), area(), "2 tags with the EPC"),
        (ScriptedR2000(tags=[TAG]), area(count=33), "1 to 32"),
        (ScriptedR2000(tags=[TAG]), area(start=256), "words 0 to 255"),
        (ScriptedR2000(tags=[TAG]), area(uid="xyz"), "not hex"),
        (ScriptedR2000(tags=[TAG]), area(start=31), "2 bytes read of 4"),
    ],
)
async def test_memory_that_cannot_be_read_whole_is_refused(
    reader: ScriptedR2000, asked: MemoryArea, said: str
) -> None:
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).read_memory(Bench().context, asked)


@pytest.mark.parametrize(
    ("asked", "data", "said"),
    [
        (area(uid=""), bytes(4), "must name its tag"),
        (area(), bytes(3), "3 bytes for 2 words"),
        (area("tid"), bytes(4), "by its maker"),
        (area(), b"\x01\x02\x03\x04", "read back 00000000"),
    ],
)
async def test_a_write_that_is_not_confirmed_is_an_error(
    asked: MemoryArea, data: bytes, said: str
) -> None:
    reader = ScriptedR2000(tags=[TAG], forgets_writes=True)
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).write_memory(Bench().context, asked, data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"antennas": [1, 1]},
        {"antennas": [9]},
        {"antennas": [0]},
        {"power_dbm": 19},
        {"power_dbm": 34},
        {"session": 4},
        {"mode": "listen"},
        {"address": 256},
        {"link": {"tcp": "10.0.0.1"}},
        {"speed": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver(**{"link": {"tcp": "10.0.0.1:4001"}, **wrong})


def test_a_serial_reader_speaks_at_115200_unless_told() -> None:
    link = Settings.model_validate({"link": {"serial": "/dev/ttyS0"}}).link
    assert getattr(link, "baud", None) == 115_200
