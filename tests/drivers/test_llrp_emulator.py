"""Against the emulator of llrpkit: a reader nobody here wrote."""

import json
from typing import Any

import pytest
from llrpkit.emulator import LLRPEmulator
from llrpkit.emulator.core import EmulatedTag
from llrpkit.protocol import messages

from drivers.contract import DriverError, MemoryArea, TagRead
from drivers.rfid.llrp import DRIVER, LlrpReader, Settings
from drivers.suite.bench import Bench, running, until
from protocols.readers.llrp import decode, tags

EPC = bytes.fromhex("e2000017010b016210000002")
LONG = bytes.fromhex("1fb41f712ac9c37ab79d618173188324001a")
UID = EPC.hex().upper()


def emulator(port: int = 0, *epcs: bytes, **settings: Any) -> LLRPEmulator:
    lying = [EmulatedTag(epc, antennas=(1, 2), rssi_dbm=-40.0) for epc in epcs or (EPC,)]
    return LLRPEmulator(port=port, tags=lying, **settings)


def driver(port: int, **settings: Any) -> LlrpReader:
    text = json.dumps({"link": {"tcp": f"127.0.0.1:{port}"}, **settings})
    made = DRIVER.make("gun-1", Settings.model_validate_json(text), {})
    assert isinstance(made, LlrpReader)
    return made


def reported(bench: Bench) -> list[str]:
    """The tags in the frames as they came, one a report."""
    frames = [raw for direction, raw in bench.frames if direction == "device>host"]
    return [tag.epc.hex().upper() for raw in frames for tag in tags(decode(raw))]


def emitted(bench: Bench) -> list[str]:
    return [read.uid for read in bench.readings if isinstance(read, TagRead)]


async def test_its_tags_are_read_with_the_makers_fine_rssi() -> None:
    async with emulator(0, EPC, LONG) as emu, running(driver(emu.port)) as bench:
        await bench.until(lambda: len(bench.uids) == 2 and len(bench.readings) > 20)
    assert bench.uids == {UID, LONG.hex().upper()}
    for read in bench.readings:
        assert isinstance(read, TagRead)
        assert read.antenna in {1, 2}
        assert read.rssi_cdbm is not None
        assert -5000 < read.rssi_cdbm < -3000
    assert "Impinj model 700, firmware llrpkit-emu" in bench.ups[0]
    assert bench.noise == []


async def test_killed_mid_stream_and_restarted_the_rospec_is_rebuilt_and_nothing_doubled() -> None:
    emu = emulator()
    await emu.start()
    port = emu.port
    gun = driver(port)
    for restart in range(3):
        async with running(gun) as bench:
            await bench.until(lambda: len(bench.readings) > 10)
            assert [state for _, state in emu._rospecs.values()] == ["Active"]
            await emu.stop()
            await bench.until(lambda: bench.error)
        assert isinstance(bench.error, DriverError)
        assert 0 < len(emitted(bench)) <= len(reported(bench)), "a report was emitted twice"
        assert len(bench.ups) == 1, restart
        async with running(gun) as meanwhile:
            await meanwhile.until(lambda: meanwhile.error)
        assert "refused" in str(meanwhile.error)
        emu = emulator(port)
        await emu.start()
    await emu.stop()


async def test_a_stopped_driver_leaves_no_rospec_and_a_free_reader() -> None:
    async with emulator() as emu:
        for _ in range(3):
            async with running(driver(emu.port)) as bench:
                await bench.until(lambda: bench.uids)
            await until(lambda: emu._writer is None)
            assert emu._rospecs == {}


async def test_a_second_client_is_told_who_has_the_reader_and_the_first_reads_on() -> None:
    async with emulator() as emu, running(driver(emu.port)) as first:
        await first.until(lambda: first.uids)
        async with running(driver(emu.port)) as second:
            await second.until(lambda: second.error)
        assert "takes only one" in str(second.error)
        got = len(first.readings)
        await first.until(lambda: len(first.readings) > got)


async def test_its_keepalives_are_acknowledged() -> None:
    async with emulator() as emu, running(driver(emu.port, keepalive_ms=200)) as bench:
        await bench.until(lambda: emu.keepalive_acks >= 2)
        assert bench.error is None


async def test_a_request_that_is_never_answered_is_an_error() -> None:
    async with emulator() as emu:
        emu.drop_next(messages.ADD_ROSPEC)
        async with running(driver(emu.port)) as bench:
            await bench.until(lambda: bench.error)
    assert "no answer to ADD_ROSPEC" in str(bench.error)


async def test_weak_tags_are_not_seen_at_low_power() -> None:
    weak = EmulatedTag(LONG, antennas=(1,), rssi_dbm=-60.0)
    async with emulator() as emu:
        emu.tags.append(weak)
        async with running(driver(emu.port, power_dbm=10)) as bench:
            await bench.until(lambda: len(bench.readings) > 30)
    assert bench.uids == {UID}


async def test_memory_is_read_and_written_and_read_back() -> None:
    bench = Bench()
    async with emulator(0, EPC, LONG) as emu:
        gun = driver(emu.port)
        tid = await gun.read_memory(bench.context, MemoryArea("tid", 0, 4, UID))
        assert tid == b"\xe2\x80\x11\x05" + EPC[-8:-4]
        await until(lambda: emu._writer is None)
        area = MemoryArea("user", 2, 3, UID)
        await gun.write_memory(bench.context, area, b"\x12\x34\x56\x78\x9a\xbc")
        assert emu._memories[EPC][3][4:10] == b"\x12\x34\x56\x78\x9a\xbc"
        await until(lambda: emu._writer is None)
        new = MemoryArea("epc", 6, 2, UID)
        await gun.write_memory(bench.context, new, b"\xca\xfe\xba\xbe")
        assert {tag.epc for tag in emu.tags} == {EPC[:8] + b"\xca\xfe\xba\xbe", LONG}
        assert emu._accessspecs == {}
        await until(lambda: emu._writer is None)
        with pytest.raises(DriverError, match="is not in the field"):
            await gun.read_memory(bench.context, MemoryArea("tid", 0, 4, UID))
        await until(lambda: emu._writer is None)
        with pytest.raises(DriverError, match="several tags answer"):
            await gun.read_memory(bench.context, MemoryArea("tid", 0, 4))


async def test_a_tag_that_needs_a_password_opens_to_it_alone() -> None:
    bench = Bench()
    async with emulator() as emu:
        emu.set_tag_passwords(EPC, access=0x01020304)
        gun = driver(emu.port)
        with pytest.raises(DriverError, match="cannot read the user memory: Nonspecific Tag Error"):
            await gun.read_memory(bench.context, MemoryArea("user", 0, 1))
        await until(lambda: emu._writer is None)
        area = MemoryArea("user", 0, 1, UID, 0x01020304)
        await gun.write_memory(bench.context, area, b"\x00\x07")
