import json
from typing import Any

import pytest

from drivers.contract import DriverError, MemoryArea
from drivers.rfid.pn532 import DRIVER, Pn532, Settings
from drivers.suite import Bench, on_pty, on_tcp, running
from drivers.suite.wires import Wire
from protocols.readers.pn532 import messages
from tests.support.devices.pn532 import PAGES, ScriptedPn532

TAG = bytes.fromhex("04112233445566")
OTHER = bytes.fromhex("24d34f59")
UID = TAG.hex().upper()


def driver(link: dict[str, Any], **settings: Any) -> Pn532:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("desk-1", parsed, {})
    assert isinstance(made, Pn532)
    return made


def area(start: int = 4, count: int = 2, uid: str = UID) -> MemoryArea:
    return MemoryArea("user", start, count, uid)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_a_sleeping_chip_is_woken_and_its_tags_are_read(wire: Wire) -> None:
    chip = ScriptedPn532(tags=[TAG])
    async with wire(chip.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) > 2)
    assert bench.uids == {UID}
    assert bench.ups == ["PN532 version 1.6; reports no antenna, serves antenna 1"]
    assert bench.noise == []
    assert bench.frames[0][0] == "host>device"
    assert bench.frames[0][1].startswith(b"\x55\x55")


async def test_two_tags_are_two_and_told() -> None:
    chip = ScriptedPn532(tags=[TAG, OTHER])
    async with on_tcp(chip.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.troubles)
    assert bench.uids == {UID, OTHER.hex().upper()}
    assert bench.troubles[0].kind == "several_tags"


async def test_a_random_uid_names_nothing() -> None:
    chip = ScriptedPn532(tags=[bytes.fromhex("08a1b2c3"), TAG])
    async with on_tcp(chip.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.readings)
    assert bench.uids == {UID}
    assert bench.troubles[0].kind == "random_uid"


async def test_a_chip_that_understands_nothing_is_lost_with_a_question() -> None:
    chip = ScriptedPn532(deaf_to=frozenset({messages.SAM}))
    async with on_tcp(chip.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "does not understand SAMConfiguration; is it a PN532?" in str(bench.error)


async def test_an_echo_is_noise_and_no_answer() -> None:
    chip = ScriptedPn532(echoes=True, silent=True)
    async with on_tcp(chip.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "no PN532 answers" in str(bench.error)
    assert any("our own command" in reason for reason, _ in bench.noise)


async def test_pages_are_read_and_written_and_compared() -> None:
    chip = ScriptedPn532(tags=[TAG], eats=1)
    async with on_tcp(chip.plugged) as link:
        context, desk = Bench().context, driver(link)
        assert await desk.read_memory(context, area()) == b"\x04" * 4 + b"\x05" * 4
        last = await desk.read_memory(context, area(start=PAGES - 1, count=1))
        assert last == bytes((PAGES - 1,)) * 4
        await desk.write_memory(context, area(), b"ABCDEFGH")
        assert chip.pages(TAG)[4:6] == [b"ABCD", b"EFGH"]
        chip.ignores_writes = True
        with pytest.raises(DriverError, match=r"wrote .* read back"):
            await desk.write_memory(context, area(), b"12345678")


async def test_memory_of_the_wrong_tag_or_place_is_refused() -> None:
    chip = ScriptedPn532(tags=[TAG, OTHER])
    async with on_tcp(chip.plugged) as link:
        context, desk = Bench().context, driver(link)
        for wanted, said in (
            (area(uid=""), "several tags in the field"),
            (area(uid="04000000000000"), "is not in the field"),
            (area(start=255), "a tag has 0 to 255"),
            (MemoryArea("tid", 0, 1), "bank user"),
        ):
            with pytest.raises(DriverError, match=said):
                await desk.read_memory(context, wanted)
        for wanted, data, said in (
            (area(uid=""), b"ABCDEFGH", "uid is empty"),
            (area(), b"short", "2 pages of 4 bytes"),
            (area(start=2), b"ABCDEFGH", "lock bits"),
        ):
            with pytest.raises(DriverError, match=said):
                await desk.write_memory(context, wanted, data)
        chip.tags, chip.sel_res = [TAG], 0x08
        with pytest.raises(DriverError, match="SAK 0x08 has no pages"):
            await desk.read_memory(context, area())


async def test_a_tag_that_leaves_during_an_access_is_no_longer_spoken_to() -> None:
    chip = ScriptedPn532(tags=[TAG], eats=99)
    async with on_tcp(chip.plugged) as link:
        with pytest.raises(DriverError, match="tag did not answer in time"):
            await driver(link).read_memory(Bench().context, area())
