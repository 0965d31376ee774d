import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.contract import DriverError, MemoryArea, TagRead
from drivers.liveness import STILL_LOOKS_MAX, TURN_S
from drivers.rfid import pcsc_api
from drivers.rfid.pcsc import DRIVER, STOP_WITHIN_S, Pcsc, Settings
from drivers.rfid.pcsc_watch import WAIT_MS_MAX
from drivers.suite import Bench, running
from drivers.suite.freezing import Freezable
from protocols.readers import pcsc
from tests.support.devices.pcsc import (
    PAGES,
    SLOT,
    PcscDaemon,
    ScriptedCard,
    free_port,
    missing,
)
from tests.support.patient_loop import stall

UID = "04112233445566"
NOTICED_S = 1.0
"""pcscd looks at a virtual reader every 0.4 s."""
SOCKET = "PCSCLITE_CSOCK_NAME"
"""The library reads it once in its life: all tests of a process share one path."""
pytest.importorskip("smartcard.scard", reason="pyscard is not installed")
pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def pcscd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PcscDaemon]:
    folder: Path = tmp_path_factory.mktemp("pcscd")
    before = os.environ.get(SOCKET)
    daemon = PcscDaemon(folder, free_port())
    os.environ[SOCKET] = str(daemon.socket_path)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        if before is None:
            del os.environ[SOCKET]
        else:
            os.environ[SOCKET] = before


def driver(reader: str = SLOT, **settings: Any) -> Pcsc:
    told = {"reader": reader, "repeat_ms": 50, **settings}
    made = DRIVER.make("desk-1", Settings.model_validate_json(json.dumps(told)), {})
    assert isinstance(made, Pcsc)
    return made


def area(start: int = 4, count: int = 2, uid: str = UID) -> MemoryArea:
    return MemoryArea("user", start, count, uid)


async def test_a_card_is_read_while_it_lies_there_and_not_after(pcscd: PcscDaemon) -> None:
    async with running(driver()) as bench:
        await bench.until(lambda: bench.ups or bench.error)
        assert bench.ups == [f"{SLOT}; one antenna, serves antenna 1"]
        assert bench.readings == []
        with ScriptedCard().lying(pcscd.port):
            await bench.until(lambda: len(bench.readings) > 3)
        await asyncio.sleep(NOTICED_S)
        bench.readings.clear()
        await asyncio.sleep(0.5)  # nothing happening is the point
        assert bench.readings == []
        with ScriptedCard(uid=bytes.fromhex("24d34f59")).lying(pcscd.port):
            await bench.until(lambda: bench.readings)
    read = bench.readings[0]
    assert isinstance(read, TagRead)
    assert (read.device, read.uid, read.antenna) == ("desk-1", "24D34F59", 1)
    assert ("host>device", pcsc.GET_UID) in bench.frames
    assert bench.error is None


async def test_a_slow_card_that_stays_is_one_identity_again_and_again(pcscd: PcscDaemon) -> None:
    async with running(driver()) as bench:
        with ScriptedCard(slow_s=0.2).lying(pcscd.port):
            await bench.until(lambda: len(bench.readings) >= 3 or bench.error)
    assert bench.error is None
    assert bench.uids == {UID}


async def test_a_card_that_tells_no_uid_is_noise(pcscd: PcscDaemon) -> None:
    card = ScriptedCard(says={pcsc.GET_UID: bytes.fromhex("6a81")})
    async with running(driver()) as bench:
        with card.lying(pcscd.port):
            await bench.until(lambda: bench.noise)
    assert bench.readings == []
    assert bench.noise[0] == ("card tells no UID: 6a81 not supported", card.atr)


async def test_a_random_uid_and_a_uid_backwards_are_told(pcscd: PcscDaemon) -> None:
    async with running(driver()) as bench:
        with ScriptedCard(uid=bytes.fromhex("08a1b2c3")).lying(pcscd.port):
            await bench.until(lambda: bench.troubles)
        assert (bench.readings, bench.troubles[0].kind) == ([], "random_uid")
        bench.troubles.clear()
        await asyncio.sleep(NOTICED_S)
        backwards = bytes.fromhex("e00401009f2625f5")[::-1]
        with ScriptedCard(uid=backwards, standard=0x0B, card=0x14).lying(pcscd.port):
            await bench.until(lambda: bench.troubles and bench.readings)
        assert bench.troubles[0].kind == "uid_reversed"
    async with running(driver(uid_order="reversed")) as bench:
        with ScriptedCard(uid=backwards, standard=0x0B, card=0x14).lying(pcscd.port):
            await bench.until(lambda: bench.readings)
    assert (bench.uids, bench.troubles) == ({"E00401009F2625F5"}, [])


async def test_pages_are_read_and_written_and_compared(pcscd: PcscDaemon) -> None:
    context, desk, card = Bench().context, driver(), ScriptedCard()
    await asyncio.sleep(NOTICED_S)
    with card.lying(pcscd.port):
        await _read_when_there(desk, area())
        for card.le_max in (16, 4):
            assert await desk.read_memory(context, area()) == b"\x04" * 4 + b"\x05" * 4
        last = await desk.read_memory(context, area(start=PAGES - 1, count=1))
        assert last == bytes((PAGES - 1,)) * 4
        await desk.write_memory(context, area(), b"ABCDEFGH")
        assert card.pages[4:6] == [b"ABCD", b"EFGH"]
        card.ignores_writes = True
        for wanted, data, said in (
            (area(), b"12345678", r"wrote .* read back"),
            (area(uid=""), b"ABCDEFGH", "uid is empty"),
            (area(start=1), b"ABCDEFGH", "lock bits"),
            (area(), b"short", "2 blocks of 4 bytes"),
            (area(uid="00"), b"ABCDEFGH", "is not in the field"),
        ):
            with pytest.raises(DriverError, match=said):
                await desk.write_memory(context, wanted, data)
        with pytest.raises(DriverError, match="6a82 block not found"):
            await desk.read_memory(context, area(start=99))
        with pytest.raises(DriverError, match="a card has 0 to 255"):
            await desk.read_memory(context, area(start=255))


def held(bench: Bench) -> set[bytes | str]:
    """What was told of the memory of the card that lies there."""
    told = (read.contents for read in bench.readings if isinstance(read, TagRead))
    return {each.data or each.why for each in told if each is not None}


async def test_what_a_card_holds_comes_with_it_from_its_first_sighting_on(
    pcscd: PcscDaemon,
) -> None:
    """And anew when it comes back: somebody may have written to it meanwhile."""
    card = ScriptedCard()
    await asyncio.sleep(NOTICED_S)
    async with running(driver(), Bench(memory=area(uid=""))) as bench:
        for data in (b"ABCDEFGH", b"written."):
            card.pages[4:6] = [data[:4], data[4:]]
            with card.lying(pcscd.port):
                await bench.until(lambda: len(bench.readings) > 2)
            assert held(bench) == {data}
            first = bench.readings[0]
            assert isinstance(first, TagRead)
            assert first.contents is not None
            await asyncio.sleep(NOTICED_S)
            bench.readings.clear()
    assert bench.error is None


async def test_a_card_without_such_memory_is_told_and_says_why(pcscd: PcscDaemon) -> None:
    await asyncio.sleep(NOTICED_S)
    beyond = area(start=PAGES, uid="")
    async with running(driver(), Bench(memory=beyond)) as bench:
        with ScriptedCard().lying(pcscd.port):
            await bench.until(lambda: held(bench), 60)
    (why,) = held(bench)
    assert isinstance(why, str)
    assert f"read of block {PAGES} failed" in why
    assert bench.uids == {UID}


async def test_memory_that_needs_a_key_is_refused(pcscd: PcscDaemon) -> None:
    desk = driver()
    await asyncio.sleep(NOTICED_S)
    with (
        ScriptedCard(card=0x0001).lying(pcscd.port),
        pytest.raises(DriverError, match="without a key"),
    ):
        await _read_when_there(desk, area())
    await asyncio.sleep(NOTICED_S)
    with pytest.raises(DriverError, match="no tag in the field"):
        await desk.read_memory(Bench().context, area())


async def _read_when_there(desk: Pcsc, wanted: MemoryArea) -> bytes:
    """The daemon notices a card within half a second."""
    for _ in range(40):
        try:
            return await desk.read_memory(Bench().context, wanted)
        except DriverError as exc:
            if "no tag" not in str(exc):
                raise
            await asyncio.sleep(0.1)  # pcscd looks no sooner
    raise AssertionError("the card was never noticed")


async def test_a_name_of_several_readers_is_refused_and_they_are_named(pcscd: PcscDaemon) -> None:
    del pcscd
    async with running(driver("scripted")) as bench:
        await bench.until(lambda: bench.error)
    assert "several readers match 'scripted': Scripted 00 00, Scripted 00 01" in str(bench.error)


async def test_a_reader_that_is_not_plugged_in_is_waited_for_then_lost(pcscd: PcscDaemon) -> None:
    del pcscd
    async with running(driver("ACR122U")) as bench:
        await bench.until(lambda: bench.error)
    assert "no reader 'ACR122U' is plugged in; there are: Scripted 00 00" in str(bench.error)
    assert bench.ups == []


async def test_a_stop_never_waits_for_a_card(pcscd: PcscDaemon) -> None:
    del pcscd
    for after_s in (0.0, 0.05, 0.3):
        started = time.monotonic()
        async with running(driver()):
            await asyncio.sleep(after_s)
        assert time.monotonic() - started < after_s + STOP_WITHIN_S + 0.5


async def test_a_daemon_that_dies_is_unavailable_and_read_again_when_back(
    pcscd: PcscDaemon,
) -> None:
    async with running(driver()) as bench:
        await bench.until(lambda: bench.ups)
        pcscd.stop()
        await bench.until(lambda: bench.error)
    assert "unavailable" in str(bench.error)
    async with running(driver()) as bench:
        await bench.until(lambda: bench.error)
    assert bench.error is not None
    assert "pcscd does not run" in str(bench.error)
    assert "apt-get install pcscd" in str(bench.error)
    assert bench.error.trouble is not None
    assert bench.error.trouble.kind == "unavailable"
    pcscd.start()
    with ScriptedCard().lying(pcscd.port):
        async with running(driver()) as bench:
            await bench.until(lambda: bench.readings or bench.error)
    assert bench.uids == {UID}


async def test_a_daemon_that_stands_still_is_a_lost_reader_and_read_again_when_it_goes_on(
    pcscd: PcscDaemon,
) -> None:
    """The thread hangs in the library for real: nobody answers its last question."""
    assert pcscd.process is not None
    desk = Freezable(driver())
    async with running(desk) as bench:
        await bench.until(lambda: bench.ups and len(desk.moves) >= 2)
        pcscd.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(2 * WAIT_MS_MAX / 1000)  # Now its question has been asked.
            for _ in range(STILL_LOOKS_MAX + 1):
                stall(TURN_S)
                await asyncio.sleep(0.02)  # time passes by the stall; who waits gets a turn
            await bench.until(lambda: bench.error)
            assert "a call has not come back for 10 s" in str(bench.error)
            assert bench.error is not None
            assert bench.error.trouble is not None
            assert bench.error.trouble.kind == "call_hangs"
        finally:
            pcscd.process.send_signal(signal.SIGCONT)
    with ScriptedCard().lying(pcscd.port):
        async with running(driver()) as again:
            await again.until(lambda: again.readings or again.error)
    assert again.uids == {UID}


def test_without_pyscard_the_driver_says_what_to_install() -> None:
    with pytest.raises(DriverError, match=r"unavailable: pyscard is not installed.*pip install"):
        pcsc_api.load("smartcard.absent")


@pytest.mark.parametrize("wrong", [{"repeat_ms": 1}, {"uid_order": "x"}, {"link": {}}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate_json(json.dumps(wrong))
