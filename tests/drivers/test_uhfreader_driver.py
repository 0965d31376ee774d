import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import TagRead
from drivers.rfid.uhfreader import DRIVER, MISSED_POLLS_MAX, Settings, UhfReader
from protocols.readers.uhfreader import BRIDGE_HEARTBEAT, Dialect, Tag, build_inventory_reply, codes
from tests.support.readers import Bench, ScriptedReader, on_pty, on_tcp, running

TAG = Tag(bytes.fromhex("e280689400005005b2210861"), 77)
OTHER = Tag(bytes.fromhex("49440000000000000a000334"), 60)
UID, OTHER_UID = TAG.epc.hex().upper(), OTHER.epc.hex().upper()
Wire = Callable[[Any], AbstractAsyncContextManager[dict[str, Any]]]


def driver(link: dict[str, Any], **settings: Any) -> UhfReader:
    parsed = Settings.model_validate_json(json.dumps({"link": link, **settings}))
    made = DRIVER.make("gun-1", parsed, {})
    assert isinstance(made, UhfReader)
    return made


def inventories(reader: ScriptedReader) -> int:
    return sum(command.code == codes.INVENTORY for command in reader.heard)


def settings_written(reader: ScriptedReader) -> list[int]:
    writes = {codes.SET_WORK_MODE_18, codes.SET_WORK_MODE_288}
    return [command.code for command in reader.heard if command.code in writes]


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
@pytest.mark.parametrize(("dialect", "type_code"), [("18", 0x09), ("288", 0x26)])
async def test_tags_are_read_on_either_wire_in_either_dialect(
    wire: Wire, dialect: Dialect, type_code: int
) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=type_code, tags=[TAG])
    async with wire(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.device, read.uid, read.antenna) == ("gun-1", UID, 1)
    assert read.rssi_raw == (77 if dialect == "288" else None)
    assert f"dialect {dialect}" in bench.ups[0]
    assert ("antenna 1" in bench.ups[0]) == (dialect == "18")
    assert len(bench.ups) == 1
    assert bench.noise == []
    assert settings_written(reader) == []


@pytest.mark.parametrize("dialect", ["18", "288"])
async def test_a_reader_of_unknown_type_is_probed(dialect: Dialect) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=0xE7, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert f"dialect {dialect}" in bench.ups[0]
    assert "type 0xE7" in bench.ups[0]


@pytest.mark.parametrize("dialect", ["18", "288"])
async def test_a_clone_that_does_not_know_the_info_command_is_probed(dialect: Dialect) -> None:
    reader = ScriptedReader(dialect=dialect, knows_info=False, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
    assert bench.ups[0].startswith(f"UHFReader of unknown type, dialect {dialect}, poll")


@pytest.mark.parametrize("dialect", ["18", "288"])
async def test_a_reader_that_only_pushes_is_listened_to(dialect: Dialect) -> None:
    reader = ScriptedReader(dialect=dialect, silent=True)
    gun = {"mode": "push", "dialect": dialect}
    async with on_tcp(reader.plugged) as link, running(driver(link, **gun)) as bench:
        await bench.until(lambda: bench.ups)
        reader.push(TAG)
        await bench.until(lambda: bench.uids)
    assert bench.uids == {UID}


@pytest.mark.parametrize("dialect", ["18", "288"])
async def test_an_empty_field_is_idle_and_no_error(dialect: Dialect) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=0x09 if dialect == "18" else 0x26)
    async with on_tcp(reader.plugged) as link, running(driver(link, poll_ms=10)) as bench:
        await bench.until(lambda: inventories(reader) > 20)
        assert bench.error is None
    assert bench.readings == []
    assert bench.noise == []


async def test_a_round_that_failed_in_the_air_is_no_error() -> None:
    reader = ScriptedReader()
    async with on_tcp(reader.plugged) as link, running(driver(link, poll_ms=10)) as bench:
        for reader.status in (codes.NO_TAG, codes.ANTENNA_ERROR, codes.POOR_LINK, 0xE1):
            reader.heard.clear()
            await bench.until(lambda: inventories(reader) > 5)
        reader.status, reader.tags = None, [TAG]
        await bench.until(lambda: bench.uids)
    assert bench.error is None


async def test_two_tags_of_one_round_are_emitted_together() -> None:
    reader = ScriptedReader(tags=[TAG, OTHER, TAG])
    seen: list[str] = []
    together: list[tuple[str, ...]] = []

    class Watching(Bench):
        @property
        def context(self) -> Any:
            loop = asyncio.get_running_loop()

            def emit(read: Any) -> None:
                if not seen:
                    loop.call_soon(gather)  # Runs once whoever emits lets go of the loop.
                seen.append(read.uid)

            def gather() -> None:
                together.append(tuple(seen))
                seen.clear()

            made = super().context
            return type(made)(emit, made.up, made.noise, made.monotonic_ns)

    async with on_tcp(reader.plugged) as link, running(driver(link), Watching()) as bench:
        await bench.until(lambda: len(together) >= 3)
    assert set(together) == {(UID, OTHER_UID)}


async def test_a_tag_at_no_antenna_is_nobodys_where_several_are_served() -> None:
    reader = ScriptedReader()
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link, antennas=[1, 3])) as bench:
            await bench.until(lambda: bench.ups)
            reader.push(TAG, antenna_raw=0)
            await bench.until(lambda: bench.noise)
            reader.push(OTHER, antenna_raw=4)
            await bench.until(lambda: bench.readings)
        reads = [read for read in bench.readings if isinstance(read, TagRead)]
        assert {(read.uid, read.antenna) for read in reads} == {(OTHER_UID, 3)}
        assert "antenna_encoding: index" in bench.noise[0][0]
        async with running(driver(link, mode="push")) as alone:
            await alone.until(lambda: alone.ups)
            reader.push(TAG, antenna_raw=0)
            await alone.until(lambda: alone.readings)
    assert alone.uids == {UID}


async def test_antennas_are_polled_one_by_one_and_count_from_one() -> None:
    reader = ScriptedReader(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, antennas=[1, 3])) as bench:
        await bench.until(lambda: len(bench.readings) >= 4)
    reads = [read for read in bench.readings if isinstance(read, TagRead)]
    assert [read.antenna for read in reads][:4] == [1, 3, 1, 3]


async def test_garbage_wrong_checksums_and_bridge_heartbeats_cost_no_tag() -> None:
    broken = bytearray(build_inventory_reply(0, "288", [OTHER]))
    broken[-1] ^= 1
    garbage = b"\x00\x01" + bytes(broken) + BRIDGE_HEARTBEAT
    reader = ScriptedReader(tags=[TAG], before=garbage)
    async with on_tcp(reader.plugged) as link, running(driver(link, poll_ms=10)) as bench:
        await bench.until(lambda: len(bench.readings) >= 5)
    assert bench.uids == {UID}
    assert bench.error is None
    assert bench.noise[0][0] == "length byte too small"
    assert bytes(broken) in b"".join(raw for _, raw in bench.noise)


async def test_a_tag_behind_a_false_start_is_read_after_the_gap() -> None:
    reader = ScriptedReader(tags=[TAG], before=b"\xff", scan_time_100ms=5)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)


@pytest.mark.parametrize("wire", [on_tcp, on_pty])
async def test_an_unplugged_reader_is_an_error_and_runs_again_when_back(wire: Wire) -> None:
    reader = ScriptedReader(tags=[TAG])
    async with wire(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        reader.unplug()
        await bench.until(lambda: bench.error)
    async with wire(reader.plugged) as link, running(driver(link)) as again:
        await again.until(lambda: again.uids)


async def test_the_same_driver_runs_again_after_an_error() -> None:
    reader = ScriptedReader(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        gun = driver(link)
        for _ in range(3):
            async with running(gun) as bench:
                await bench.until(lambda: bench.uids)
                reader.unplug()
                await bench.until(lambda: bench.error)
                assert "closed" in str(bench.error)
    assert reader.connections == 3


async def test_nobody_at_the_other_end_is_an_error() -> None:
    async with on_tcp(ScriptedReader().plugged) as link:
        pass
    async with running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "refused" in str(bench.error)
    assert bench.ups == []


async def test_a_reader_that_never_answers_is_an_error() -> None:
    reader = ScriptedReader(silent=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.error)
    assert "no UHF reader answers at address 0" in str(bench.error)
    assert bench.ups == []


async def test_a_reader_that_falls_silent_is_lost_after_the_named_number_of_polls() -> None:
    reader = ScriptedReader(tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids)
        reader.silent = True
        await bench.until(lambda: bench.error)
    assert f"no valid answer to {MISSED_POLLS_MAX} polls" in str(bench.error)


@pytest.mark.parametrize(("told", "true"), [("18", "288"), (18, "288"), (288, "18")])
async def test_the_wrong_dialect_is_named(told: str | int, true: Dialect) -> None:
    reader = ScriptedReader(dialect=true, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, dialect=told)) as bench:
        await bench.until(lambda: bench.error)
    assert f"is it {true}?" in str(bench.error)
    assert bench.ups == []
    assert bench.readings == []


@pytest.mark.parametrize(("dialect", "type_code"), [("18", 0x09), ("288", 0x26), ("18", 0xE7)])
async def test_a_reader_left_pushing_is_put_to_polling_once(
    dialect: Dialect, type_code: int
) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=type_code, tags=[TAG], pushes=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.uids, 12)
    assert len(settings_written(reader)) == 1
    assert not reader.pushes


@pytest.mark.parametrize(("dialect", "type_code"), [("18", 0x09), ("288", 0x26)])
async def test_a_reader_that_will_not_leave_push_mode_still_yields_its_tags(
    dialect: Dialect, type_code: int
) -> None:
    reader = ScriptedReader(dialect=dialect, type_code=type_code, pushes=True, keeps_mode=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        assert ", push" in bench.ups[0]
        reader.push(TAG)
        reader.push(OTHER)
        await bench.until(lambda: bench.uids == {UID, OTHER_UID})


async def test_a_reader_switched_to_pushing_behind_our_back_still_yields_its_tags() -> None:
    reader = ScriptedReader()
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        reader.pushes = True
        reader.push(TAG)
        await bench.until(lambda: bench.uids)


async def test_push_mode_is_written_once_and_only_when_it_differs() -> None:
    reader = ScriptedReader()
    async with on_tcp(reader.plugged) as link:
        for _ in range(2):
            async with running(driver(link, mode="push")) as bench:
                await bench.until(lambda: bench.ups)
                reader.push(TAG, antenna_raw=5)
                await bench.until(lambda: bench.readings)
            antennas = [read.antenna for read in bench.readings if isinstance(read, TagRead)]
            assert antennas == [1, 3]
    assert settings_written(reader) == [codes.SET_WORK_MODE_288]


async def test_frames_of_another_reader_on_the_bus_are_not_ours() -> None:
    stranger = build_inventory_reply(7, "288", [OTHER])
    reader = ScriptedReader(address=3, tags=[TAG], before=stranger)
    async with on_tcp(reader.plugged) as link, running(driver(link, address=3)) as bench:
        await bench.until(lambda: len(bench.readings) >= 3)
    assert bench.uids == {UID}
    assert bench.noise[0] == ("frame of reader 7", stranger)


async def test_broadcast_finds_the_true_address() -> None:
    reader = ScriptedReader(address=9, tags=[TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link, address=255)) as bench:
        await bench.until(lambda: bench.uids)
    assert reader.heard[-1].address == 9


async def test_a_blank_tag_is_not_a_read() -> None:
    reader = ScriptedReader(tags=[Tag(b"", 50), TAG])
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.readings)
    assert bench.uids == {UID}


async def test_ten_thousand_sightings_in_one_burst_are_few_reads() -> None:
    reader = ScriptedReader(pushes=True, keeps_mode=True)
    async with on_tcp(reader.plugged) as link, running(driver(link)) as bench:
        await bench.until(lambda: bench.ups)
        for _ in range(10_000):
            reader.push(TAG)
        reader.push(OTHER)
        await bench.until(lambda: OTHER_UID in bench.uids)
    assert len(bench.readings) < 500
    assert bench.noise == []


async def test_a_cancelled_driver_lets_go_of_the_link() -> None:
    reader = ScriptedReader(tags=[TAG])
    async with on_tcp(reader.plugged) as link:
        async with running(driver(link)) as bench:
            await bench.until(lambda: bench.uids)
        assert bench.error is None
        async with running(driver(link)) as again:
            await again.until(lambda: again.uids)


@pytest.mark.parametrize(
    "wrong",
    [
        {"antennas": [1, 1]},
        {"antennas": [1], "dialect": "18"},
        {"antennas": [1], "dialect": 18},
        {"antennas": [0]},
        {"antennas": [9]},
        {"address": 256},
        {"poll_ms": 9},
        {"dialect": "19"},
        {"link": {"tcp": "10.0.0.1"}},
        {"link": {"serial": "ttyS0"}},
        {"speed": 1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        driver(**{"link": {"tcp": "10.0.0.1:6000"}, **wrong})


def test_a_serial_reader_speaks_at_57600_unless_told() -> None:
    link = Settings.model_validate({"link": {"serial": "/dev/ttyS0"}}).link
    assert getattr(link, "baud", None) == 57_600
    assert DRIVER.wire(Settings.model_validate({"link": {"tcp": "A:6000"}})) == "tcp:a:6000"
