import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagMemory, TagMemoryWriter, TagRead
from drivers.rfid.m100 import DRIVER, M100, Settings
from drivers.suite import Bench, on_pty, on_tcp, running
from protocols.readers import m100
from protocols.readers.m100 import codes
from tests.support.devices.m100 import ScriptedM100

EPC = bytes.fromhex("e280689400005005b2210861")
OTHER = bytes.fromhex("49440000000000000a000334")
UID, OTHER_UID = EPC.hex().upper(), OTHER.hex().upper()
USER = 3
Wire = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


def driver(link: dict[str, Any], **settings: Any) -> M100:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, M100)
    return made


@pytest.mark.parametrize(
    ("wire", "mode", "style"),
    [
        (on_tcp, "poll", m100.BB_7E),
        (on_tcp, "push", m100.BB_7E),
        (on_pty, "poll", m100.AA_DD),
        (on_pty, "push", m100.AA_8E),
    ],
)
async def test_tags_are_read_by_any_marks_on_either_wire(
    wire: Wire, mode: str, style: m100.Style
) -> None:
    module = ScriptedM100(style=style, tags=[EPC])
    marks = style.name.lower().replace("..", "_")  # Told, for finding out takes seconds.
    settings = {"mode": mode, "marks": marks}
    async with wire(module.plugged) as link, running(driver(link, **settings)) as bench:
        await bench.until(lambda: bench.uids)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.device, read.uid, read.antenna) == ("gun-1", UID, 1)
    assert (read.rssi_raw, read.rssi_cdbm) == (-55, -5500)
    assert "M100 26dBm V1.0" in bench.ups[0]
    assert style.name in bench.ups[0]
    assert "26 dBm" in bench.ups[0]
    assert f"{mode}; reports no antenna, serves antenna 1" in bench.ups[0]
    assert bench.noise == []
    assert module.codes_heard(codes.SET_POWER) == module.codes_heard(codes.SET_REGION) == []


async def test_the_marks_are_found_out() -> None:
    module = ScriptedM100(style=m100.AA_DD, tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert "AA..DD" in bench.ups[0]


async def test_a_module_that_sleeps_is_woken() -> None:
    module = ScriptedM100(asleep=True, tags=[EPC])
    async with on_pty(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        module.asleep = True
        bench.readings.clear()
        await bench.until(lambda: bench.uids)
    assert bench.error is None


async def test_a_clone_that_does_not_know_the_question_is_served() -> None:
    module = ScriptedM100(knows_info=False, tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.ups[0].startswith("module of unknown type")


async def test_a_field_that_is_empty_or_noisy_in_the_air_is_idle() -> None:
    module = ScriptedM100()
    async with on_tcp(module.plugged) as link, running(driver(link, poll_ms=10)) as bench:
        for module.failure in (None, 0x20, 0x77):
            module.heard.clear()
            await bench.until(lambda: len(module.codes_heard(codes.POLL)) > 5)
        module.failure, module.tags = None, [EPC]
        await bench.until(lambda: bench.uids)
    assert bench.error is None
    assert bench.noise == []


async def test_a_module_that_refuses_to_poll_is_lost_with_its_reason() -> None:
    module = ScriptedM100(failure=codes.INVALID_COMMAND)
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "poll refused: 0x17 invalid command" in str(bench.error)
    assert not bench.ups


async def test_a_tag_that_its_own_crc_disowns_is_noise_and_never_a_read() -> None:
    module = ScriptedM100()
    wrong = m100.build_reply(m100.TagSeen(-55, m100.pc_of(EPC), EPC, 0))
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        module.before = wrong
        await bench.until(lambda: bench.noise)
        module.before, module.tags = b"", [OTHER]
        await bench.until(lambda: bench.uids)
    assert bench.uids == {OTHER_UID}
    assert "CRC" in bench.noise[0][0]


async def test_a_module_left_in_multi_poll_is_stopped_and_polled() -> None:
    module = ScriptedM100(pushes=True, tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert not module.pushes
    assert "poll;" in bench.ups[0]


async def test_a_module_that_does_not_stop_is_listened_to_and_named() -> None:
    module = ScriptedM100(pushes=True, stops=False)
    async with on_tcp(module.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: module.heard)
        module.push(EPC)
        await bench.until(lambda: bench.ups)
        module.push(OTHER)
        await bench.until(lambda: bench.uids)
    assert "does not stop" in bench.ups[0]
    assert [trouble.kind for trouble in bench.troubles] == ["left_pushing"]


async def test_a_multi_poll_that_has_ended_is_started_again() -> None:
    module = ScriptedM100()
    async with on_tcp(module.plugged) as link, running(driver(link, mode="push")) as bench:
        await bench.until(lambda: bench.ups)
        module.pushes = False
        await bench.until(lambda: module.pushes)
        module.push(EPC)
        await bench.until(lambda: bench.uids)
    assert module.codes_heard(codes.MULTI_POLL)[0] == bytes.fromhex("22ffff")
    assert bench.error is None


async def test_power_and_region_are_written_once_and_only_when_different() -> None:
    module = ScriptedM100(tags=[EPC])
    asked = {"power_dbm": 20, "region": "EU"}
    async with on_tcp(module.plugged) as link:
        for _ in range(2):
            async with running(driver(link, **asked)) as bench:
                await bench.until(lambda: bench.uids)
                assert "20 dBm" in bench.ups[0]
    assert module.codes_heard(codes.SET_POWER) == [bytes.fromhex("07d0")]
    assert module.codes_heard(codes.SET_REGION) == [b"\x03"]


async def test_a_refused_power_is_named_with_what_the_unit_takes() -> None:
    module = ScriptedM100(tags=[EPC])
    async with on_tcp(module.plugged) as link, running(driver(link, power_dbm=23)) as bench:
        await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert "power 23 dBm refused" in str(bench.error)
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "power_refused"
    assert "26 dBm" in bench.error.trouble.zh
    assert "20, 26" in bench.error.trouble.en
    assert not bench.readings


async def test_a_refused_region_is_named() -> None:
    module = ScriptedM100(tags=[EPC], keeps_region=True)
    async with on_tcp(module.plugged) as link, running(driver(link, region="CN900")) as bench:
        await bench.until(lambda: bench.error)
    assert "region 0x01 CN900 refused" in str(bench.error)
    assert not bench.readings


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_memory_is_written_read_back_and_read(wire: Wire) -> None:
    module = ScriptedM100(tags=[EPC, OTHER], pushes=True, misses=1)
    area = MemoryArea("user", 2, 3, uid=UID, password=0x1234)
    async with wire(module.plugged) as link:
        made = driver(link)
        assert isinstance(made, TagMemory)
        assert isinstance(made, TagMemoryWriter)
        await made.write_memory(Bench().context, area, b"abcdef")
        module.misses = 1
        assert await made.read_memory(Bench().context, area) == b"abcdef"
    assert module.memory[EPC, USER][4:10] == b"abcdef"
    assert (OTHER, USER) not in module.memory
    assert m100.decode_memory(module.codes_heard(codes.WRITE)[0]).password == 0x1234
    assert module.codes_heard(codes.SELECT_MODE)[0] == b"\x02"


async def test_the_select_is_told_again_to_a_module_that_slept() -> None:
    module = ScriptedM100(tags=[EPC])
    async with on_tcp(module.plugged) as link:
        made = driver(link)
        module.memory[EPC, 2] = bytearray(range(24))
        module.misses = 2
        tid = await made.read_memory(Bench().context, MemoryArea("tid", 0, 12))
    assert tid == bytes(range(24))
    assert len(module.codes_heard(codes.SET_SELECT)) == len(module.codes_heard(codes.READ)) == 3


async def test_a_tag_whose_epc_was_written_is_found_by_its_new_one() -> None:
    module = ScriptedM100(tags=[EPC])
    module.memory[EPC, 1] = bytearray(b"\0\0\x30\0" + EPC)
    async with on_tcp(module.plugged) as link:
        area = MemoryArea("epc", 2, 6, uid=UID)
        await driver(link).write_memory(Bench().context, area, OTHER)
    assert module.tags == [OTHER]


@pytest.mark.parametrize(
    ("module", "area", "said"),
    [
        (ScriptedM100(), MemoryArea("user", 0, 1), "no tag"),
        (ScriptedM100(tags=[EPC, OTHER]), MemoryArea("user", 0, 1), "several tags"),
        (ScriptedM100(tags=[EPC]), MemoryArea("user", 0, 1, uid=OTHER_UID), "not in the field"),
        (ScriptedM100(tags=[EPC]), MemoryArea("user", 0, 0), "words"),
        (ScriptedM100(tags=[EPC]), MemoryArea("user", 0, 33), "words"),
        (ScriptedM100(tags=[EPC]), MemoryArea("user", 0, 32), "0xA3 read: memory overrun"),
        (ScriptedM100(tags=[EPC], misses=9), MemoryArea("user", 0, 1), "0x09 read fail"),
        (ScriptedM100(tags=[EPC], locked=True), MemoryArea("user", 0, 1), "memory locked"),
        (ScriptedM100(failure=codes.INVALID_COMMAND), MemoryArea("user", 0, 1), "poll refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_memory_that_cannot_be_had_whole_is_refused_in_words(
    module: ScriptedM100, area: MemoryArea, said: str
) -> None:
    async with on_tcp(module.plugged) as link:
        with pytest.raises(DriverError, match=said):
            await driver(link).read_memory(Bench().context, area)


async def test_a_write_that_did_not_stick_or_names_nobody_is_refused() -> None:
    module = ScriptedM100(tags=[EPC], forgets_writes=True)
    area = MemoryArea("user", 0, 1, uid=UID)
    async with on_tcp(module.plugged) as link:
        made = driver(link)
        with pytest.raises(DriverError, match="wrote 6162, read back 0000"):
            await made.write_memory(Bench().context, area, b"ab")
        with pytest.raises(DriverError, match="must name its tag"):
            await made.write_memory(Bench().context, MemoryArea("user", 0, 1), b"ab")
        with pytest.raises(DriverError, match="bytes for"):
            await made.write_memory(Bench().context, area, b"abc")
        module.locked = True
        with pytest.raises(DriverError, match="0xB4 write: memory locked"):
            await made.write_memory(Bench().context, area, b"ab")


@pytest.mark.parametrize(
    "wrong",
    [{"mode": "scan"}, {"power_dbm": 40}, {"region": "XX"}, {"marks": "cc"}, {"antennas": [1]}],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"link": {"tcp": "127.0.0.1:4001"}, **wrong})


def test_the_question_of_detect_changes_nothing() -> None:
    for hello in DRIVER.hellos:
        assert m100.decode_command(hello.question).code == codes.INFO
