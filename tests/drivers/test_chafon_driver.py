import dataclasses
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.chafon import DRIVER, Chafon, Settings
from drivers.suite import Bench, on_pty, on_tcp, running
from protocols.readers import chafon_cf
from protocols.readers.chafon_cf import codes
from tests.support.devices.chafon import PARAMS, ScriptedChafon

EPC = bytes.fromhex("e280689400005005b2210861")
OTHER = bytes.fromhex("49440000000000000a000334")
UID, OTHER_UID = EPC.hex().upper(), OTHER.hex().upper()
ACTIVE = dataclasses.replace(PARAMS, work_mode=codes.ACTIVE_MODE)
USER = 3
Wire = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


def driver(link: dict[str, Any], **settings: Any) -> Chafon:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, Chafon)
    return made


def written(reader: ScriptedChafon) -> list[int]:
    return [c.code for c in reader.heard if c.code in {codes.SET_PARAMS, codes.SET_POWER}]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_tags_are_read_in_either_mode_on_either_wire(wire: Wire, mode: str) -> None:
    reader = ScriptedChafon(tags=[EPC], antenna=2)
    async with wire(reader.plugged) as link, running(driver(link, mode=mode)) as bench:
        await bench.until(lambda: bench.uids)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.device, read.uid, read.antenna) == ("gun-1", UID, 2)
    assert (read.rssi_raw, read.rssi_cdbm) == (-710, -7100)
    expected = f"UHF Access Reader V1.0, module MU-910_V1.3-M, 30 dBm, antennas [1], {mode}"
    assert bench.ups == [expected]
    assert bench.noise == []
    assert written(reader) == []
    assert not reader.deaf


async def test_the_greeting_and_the_banner_are_no_tags() -> None:
    reader = ScriptedChafon()
    async with on_tcp(reader.plugged) as link, running(driver(link, poll_ms=10)) as bench:
        await bench.until(lambda: len(reader.data_heard(codes.INVENTORY)) > 20)
        assert bench.error is None
    assert bench.readings == []
    assert bench.noise == []


async def test_an_antenna_called_nought_is_the_first() -> None:
    reader = ScriptedChafon(tags=[EPC], antenna=0)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.readings)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert read.antenna == 1


@pytest.mark.parametrize("mode", ["poll", "push"])
async def test_barcodes_are_codes_and_no_reads_are_nothing(mode: str) -> None:
    reader = ScriptedChafon(tags=[EPC], barcodes=["0110100001", "noread"])
    async with on_tcp(reader.plugged) as link, running(driver(link, mode=mode)) as bench:
        await bench.until(lambda: bench.texts and bench.uids)
        reader.scan("3701000110100001")
        await bench.until(lambda: len(bench.texts) > 1)
    assert bench.texts == ["0110100001", "3701000110100001"]
    assert bench.uids == {UID}


async def test_what_is_neither_tag_nor_barcode_is_noise() -> None:
    reader = ScriptedChafon(tags=[EPC], antenna=0, rssi_ddbm=0)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.noise and bench.ups)
    assert bench.readings == []


async def test_an_inventory_left_running_is_stopped_and_polled() -> None:
    reader = ScriptedChafon(tags=[EPC], pushes=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert not reader.pushes
    assert bench.ups[0].endswith("poll")
    assert written(reader) == []


async def test_an_active_reader_is_set_to_answer_once() -> None:
    reader = ScriptedChafon(tags=[EPC], params=ACTIVE, pushes=True, stops=False)
    async with on_tcp(reader.plugged) as link:
        for _ in range(2):
            async with running(driver(link)) as bench:
                await bench.until(lambda: bench.uids)
    assert reader.params == PARAMS
    assert written(reader) == [codes.SET_PARAMS]


async def test_an_active_reader_is_left_as_it_is_when_it_shall_push() -> None:
    reader = ScriptedChafon(params=ACTIVE, pushes=True, stops=False)
    async with on_tcp(reader.plugged) as link, running(driver(link, mode="push")) as bench:
        await bench.until(lambda: bench.ups)
        reader.push(EPC)
        await bench.until(lambda: bench.uids)
    assert written(reader) == []
    assert bench.ups[0].endswith("work mode active")


async def test_a_reader_that_keeps_pushing_is_listened_to_and_named() -> None:
    keeps = frozenset({"work_mode"})
    reader = ScriptedChafon(params=ACTIVE, pushes=True, stops=False, keeps=keeps)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.push(EPC)
        await bench.until(lambda: bench.uids)
    assert [trouble.kind for trouble in bench.troubles] == ["left_pushing"]
    assert written(reader) == [codes.SET_PARAMS]


async def test_a_reader_that_only_sends_is_listened_to_and_named() -> None:
    reader = ScriptedChafon(knows=frozenset())
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: reader.data_heard(codes.INFO))
        reader.push(EPC)
        await bench.until(lambda: bench.ups)
        reader.push(OTHER)
        await bench.until(lambda: OTHER_UID in bench.uids)
    assert "answers nothing" in bench.ups[0]
    assert "left_pushing" in {trouble.kind for trouble in bench.troubles}


async def test_a_reader_without_rounds_is_left_to_run() -> None:
    reader = ScriptedChafon(tags=[EPC], has_rounds=False)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.ups[0].endswith("push")
    assert chafon_cf.Inventory(chafon_cf.BY_TIME, chafon_cf.FOR_EVER) in {
        chafon_cf.decode_inventory(data) for data in reader.data_heard(codes.INVENTORY)
    }


async def test_a_clone_that_tells_no_settings_is_used_as_it_is() -> None:
    knows = frozenset({codes.INFO, codes.INVENTORY, codes.STOP})
    reader = ScriptedChafon(tags=[EPC], knows=knows)
    asked = {"power_dbm": 20, "antennas": [1]}
    async with on_tcp(reader.plugged) as link, running(driver(link, **asked)) as bench:
        await bench.until(lambda: bench.uids)
    assert "settings unknown" in bench.ups[0]


async def test_power_and_antennas_are_written_once_and_only_when_different() -> None:
    reader = ScriptedChafon(tags=[EPC])
    asked = {"power_dbm": 20, "antennas": [1, 3]}
    async with on_tcp(reader.plugged) as link:
        for _ in range(2):
            async with running(driver(link, **asked)) as bench:
                await bench.until(lambda: bench.uids)
                assert "20 dBm, antennas [1, 3]" in bench.ups[0]
    assert written(reader) == [codes.SET_PARAMS, codes.SET_POWER]
    assert reader.data_heard(codes.SET_POWER) == [bytes((20, 0))]
    assert reader.params == dataclasses.replace(PARAMS, antenna_mask=0b101, power_dbm=20)


async def test_a_refused_setting_is_named() -> None:
    reader = ScriptedChafon(tags=[EPC], keeps=frozenset({"antenna_mask"}))
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link, power_dbm=33)) as bench:
            await bench.until(lambda: bench.error)
        assert bench.error is not None
        assert bench.error.trouble is not None
        assert bench.error.trouble.kind == "power_refused"
        assert "30 dBm" in bench.error.trouble.zh
        async with running(driver(link, antennas=[4])) as bench:
            await bench.until(lambda: bench.error)
        assert "antennas [4] refused" in str(bench.error)
    assert not bench.readings


async def test_a_reader_set_to_report_another_memory_says_so() -> None:
    for area, said in ((2, "reports TID, not the EPC"), (9, "reports 9, not the EPC")):
        reader = ScriptedChafon(tags=[EPC], params=dataclasses.replace(PARAMS, area=area))
        async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
            await bench.until(lambda: bench.ups)
        assert said in bench.ups[0]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_memory_is_written_read_back_and_read(wire: Wire) -> None:
    reader = ScriptedChafon(tags=[EPC], misses=1)
    area = MemoryArea("user", 2, 3, uid=UID, password=0x1234)
    async with wire(reader.plugged) as link:
        made = driver(link)
        assert isinstance(made, TagMemory)
        assert isinstance(made, TagMemoryWriter)
        await made.write_memory(Bench().context, area, b"abcdef")
        reader.tags.append(OTHER)
        assert await made.read_memory(Bench().context, area) == b"abcdef"
    assert reader.memory[EPC, USER][4:10] == b"abcdef"
    assert (OTHER, USER) not in reader.memory or not any(reader.memory[OTHER, USER])
    write = chafon_cf.decode_memory(reader.data_heard(codes.WRITE)[0])
    assert write == chafon_cf.Memory(0x1234, USER, 2, 3, b"abcdef")
    assert not reader.deaf


async def test_a_tag_whose_epc_was_written_is_found_by_its_new_one() -> None:
    reader = ScriptedChafon(tags=[EPC])
    reader.memory[EPC, 1] = bytearray(b"\0\0\x30\0" + EPC)
    async with on_tcp(reader.plugged) as link:
        area = MemoryArea("epc", 2, 6, uid=UID)
        await driver(link).write_memory(Bench().context, area, OTHER)
    assert reader.tags == [OTHER]


@pytest.mark.parametrize(
    ("reader", "area", "said"),
    [
        (ScriptedChafon(), MemoryArea("user", 0, 1), "no tag"),
        (ScriptedChafon(tags=[EPC, OTHER]), MemoryArea("user", 0, 1), "several tags"),
        (ScriptedChafon(tags=[EPC]), MemoryArea("user", 0, 1, uid=OTHER_UID), "not in the field"),
        (ScriptedChafon(tags=[EPC]), MemoryArea("user", 0, 33), "words"),
        (ScriptedChafon(tags=[EPC], misses=9), MemoryArea("user", 0, 1), "no answer"),
        (ScriptedChafon(tags=[EPC], tag_status=4), MemoryArea("user", 0, 1), "tag status 0x04"),
        (ScriptedChafon(tags=[EPC]), MemoryArea("user", 31, 2), "asked for 2 words, got 2 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_memory_that_cannot_be_had_whole_is_refused_in_words(
    reader: ScriptedChafon, area: MemoryArea, said: str
) -> None:
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).read_memory(Bench().context, area)


async def test_a_model_without_memory_access_says_so() -> None:
    reader = ScriptedChafon(tags=[EPC], refuses=frozenset({codes.READ}))
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="UHF Access models"):
            await driver(link).read_memory(Bench().context, MemoryArea("user", 0, 1))


async def test_a_write_touches_one_tag_or_none() -> None:
    reader = ScriptedChafon(tags=[EPC, OTHER])
    area = MemoryArea("user", 0, 1, uid=UID)
    async with on_tcp(reader.plugged) as link:
        made = driver(link)
        with pytest.raises(DriverError, match="2 tags in the field"):
            await made.write_memory(Bench().context, area, b"ab")
        with pytest.raises(DriverError, match="must name its tag"):
            await made.write_memory(Bench().context, MemoryArea("user", 0, 1), b"ab")
        assert reader.data_heard(codes.WRITE) == []
        reader.tags, reader.forgets_writes = [EPC], True
        with pytest.raises(DriverError, match="wrote 6162, read back 0000"):
            await made.write_memory(Bench().context, area, b"ab")


async def test_memory_of_a_reader_that_reports_by_itself_is_not_touched() -> None:
    reader = ScriptedChafon(tags=[EPC], params=ACTIVE)
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="work mode active"):
            await driver(link, mode="push").read_memory(Bench().context, MemoryArea("user", 0, 1))


@pytest.mark.parametrize(
    "wrong", [{"mode": "scan"}, {"power_dbm": 40}, {"antennas": [9]}, {"antennas": [1, 1]}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate_json(json.dumps({"link": {"tcp": "127.0.0.1:2022"}, **wrong}))


def test_the_question_of_detect_changes_nothing() -> None:
    for hello in DRIVER.hellos:
        assert chafon_cf.decode_command(hello.question).code == codes.INFO
