import json
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagRead
from drivers.rfid.hf import DRIVER, Hf, Settings
from drivers.suite import Bench, on_tcp, running
from protocols.readers.hf import FAMILIES, FamilyName
from tests.support.devices.hf import ScriptedHf

TAG = bytes.fromhex("e00401009f2625f5")
OTHER = bytes.fromhex("e007000012c01480")
UID = TAG.hex().upper()
READABLE: tuple[FamilyName, ...] = ("feig", "ti_s6350", "uhfreader_hf")
EVERY: tuple[FamilyName, ...] = tuple(FAMILIES)


def driver(link: dict[str, Any], family: str = "ti_s6350", **settings: Any) -> Hf:
    told = {"link": link, "family": family, **settings}
    made = DRIVER.make("hf-1", Settings.model_validate_json(json.dumps(told)), {})
    assert isinstance(made, Hf)
    return made


def area(start: int = 4, count: int = 2, uid: str = UID) -> MemoryArea:
    return MemoryArea("user", start, count, uid)


@pytest.mark.parametrize("family", EVERY)
async def test_a_reader_says_who_it_is_and_what_it_sees(family: FamilyName) -> None:
    reader = ScriptedHf(family, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, family)) as bench:
        await bench.until(lambda: bench.readings)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.device, read.uid, read.antenna) == ("hf-1", UID, 1)
    assert bench.ups[0].startswith(FAMILIES[family].title)
    assert "ISO 15693; reports no antenna, serves antenna 1" in bench.ups[0]
    assert bench.noise == []


async def test_several_tags_are_several_and_named() -> None:
    reader = ScriptedHf("uhfreader_hf", tags=[TAG, OTHER])
    async with on_tcp(reader.plugged) as link, running(driver(link, "uhfreader_hf")) as bench:
        await bench.until(lambda: bench.troubles)
    assert bench.uids == {UID, OTHER.hex().upper()}
    assert bench.troubles[0].kind == "several_tags"


async def test_a_round_with_a_collision_names_nobody() -> None:
    slot = bytes(2) + TAG[::-1]
    reader = ScriptedHf(says=bytes.fromhex("006001000200") + slot)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.troubles)
        with pytest.raises(DriverError, match="answered at once"):
            await driver(link).read_memory(Bench().context, area())
    assert bench.readings == []
    assert bench.troubles[0].kind == "several_tags"


async def test_a_uid_backwards_is_told_and_put_right_by_its_setting() -> None:
    reader = ScriptedHf(tags=[TAG[::-1]])
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link)) as bench:
            await bench.until(lambda: bench.troubles)
        assert bench.troubles[0].kind == "uid_reversed"
        assert "uid_order: reversed" in bench.troubles[0].en
        async with running(driver(link, uid_order="reversed")) as again:
            await again.until(lambda: again.readings)
        assert again.uids == {UID}
        assert again.troubles == []
        async with running(driver(link, uid_order="reversed")) as bench:
            reader.tags = [TAG]
            await bench.until(lambda: any("as_told" in t.en for t in bench.troubles))


async def test_a_uid_without_e0_is_noise() -> None:
    reader = ScriptedHf(tags=[bytes(range(8))])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.noise)
    assert bench.readings == []
    assert "without E0" in bench.noise[0][0]


async def test_an_old_feig_reader_is_asked_in_the_standard_protocol() -> None:
    reader = ScriptedHf("feig", tags=[TAG], envelope=1)
    async with on_tcp(reader.plugged) as link, running(driver(link, "feig")) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.uids == {UID}


async def test_more_tags_than_one_feig_reply_holds_are_fetched() -> None:
    reader = ScriptedHf("feig")
    reader.says = b"\xb0\x94\x01\x03\x00" + TAG
    async with on_tcp(reader.plugged) as link, running(driver(link, "feig")) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.error is None


async def test_a_reader_that_refuses_to_look_is_lost_with_its_words() -> None:
    reader = ScriptedHf("feig", says=b"\xb0\x82")
    async with on_tcp(reader.plugged) as link, running(driver(link, "feig")) as bench:
        await bench.until(lambda: bench.error)
    assert "refuses to look: 0x82 command not available" in str(bench.error)
    assert bench.ups == []


async def test_trouble_in_the_air_is_no_error() -> None:
    reader = ScriptedHf("feig", says=b"\xb0\x83")
    async with on_tcp(reader.plugged) as link, running(driver(link, "feig")) as bench:
        await bench.until(lambda: len(reader.heard) > 8)
        reader.says, reader.tags = None, [TAG]
        await bench.until(lambda: bench.uids)
    assert bench.error is None


async def test_frames_of_another_reader_on_the_bus_are_not_ours() -> None:
    reader = ScriptedHf("feig", tags=[TAG], address=7)
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link, "feig", address=3)) as bench:
            await bench.until(lambda: bench.error)
        assert "no FEIG OBID reader answers" in str(bench.error)
        async with running(driver(link, "feig", address=7)) as bench:
            await bench.until(lambda: bench.uids)


@pytest.mark.parametrize("family", READABLE)
async def test_blocks_are_read_and_written_and_compared(family: FamilyName) -> None:
    reader = ScriptedHf(family, tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        context = Bench().context
        hf = driver(link, family)
        assert await hf.read_memory(context, area()) == b"\x04" * 4 + b"\x05" * 4
        await hf.write_memory(context, area(), b"ABCDEFGH")
        assert reader.blocks(TAG)[4:6] == [b"ABCD", b"EFGH"]
        assert await hf.read_memory(context, area(uid="")) == b"ABCDEFGH"
        reader.ignores_writes = True
        with pytest.raises(DriverError, match=r"wrote .* read back"):
            await hf.write_memory(context, area(), b"12345678")


async def test_memory_of_nobody_or_of_several_is_refused() -> None:
    reader = ScriptedHf()
    async with on_tcp(reader.plugged) as link:
        context, hf = Bench().context, driver(link)
        with pytest.raises(DriverError, match="no tag in the field"):
            await hf.read_memory(context, area(uid=""))
        reader.tags = [TAG, OTHER]
        with pytest.raises(DriverError, match="several tags in the field"):
            await hf.read_memory(context, area(uid=""))
        assert await hf.read_memory(context, area(count=1)) == b"\x04" * 4
        with pytest.raises(DriverError, match="is not in the field"):
            await hf.read_memory(context, area(uid="E004010000000000"))
        with pytest.raises(DriverError, match="uid is empty"):
            await hf.write_memory(context, area(uid=""), b"ABCDEFGH")
        with pytest.raises(DriverError, match="2 blocks of 4 bytes"):
            await hf.write_memory(context, area(), b"short")
        with pytest.raises(DriverError, match="block not available"):
            await hf.read_memory(context, area(start=99))
        with pytest.raises(DriverError, match="a tag has 0 to 255"):
            await hf.read_memory(context, area(start=255))
        with pytest.raises(DriverError, match="bank user"):
            await hf.read_memory(context, MemoryArea("epc", 0, 1))


async def test_a_family_without_block_commands_says_so() -> None:
    reader = ScriptedHf("idtronic", tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        with pytest.raises(DriverError, match="not known for this family"):
            await driver(link, "idtronic").read_memory(Bench().context, area())


def test_the_serial_line_is_set_as_the_family_is_sold() -> None:
    def link(family: str, **told: Any) -> Any:
        return driver({"serial": "/dev/ttyS0", **told}, family)._settings.link

    assert (link("feig").baud, link("feig").parity) == (38_400, "even")
    assert link("feig", parity="none", baud=9600).parity == "none"
    assert link("ti_s6350").baud == 57_600


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "chafon"},
        {"family": "ti_s6350", "air": "iso14443a"},
        {"family": "feig", "address": 256},
        {"family": "feig", "uid_order": "backwards"},
        {"family": "feig", "poll_ms": 1},
        {},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate_json(json.dumps({"link": {"tcp": "a:1"}, **wrong}))
