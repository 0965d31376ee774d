"""Every driver that hangs is noticed, and none that only waits: over the whole table of drivers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from drivers.contract import DriverType, Reading
from drivers.dialog import ASKED_TIMES_MAX
from drivers.liveness import LIVELY_S, TURN_S
from drivers.rfid.pushes import PUSH_SILENT_S_MAX
from drivers.rfid.thingmagic import HEARTBEATS_MISSED_S
from drivers.suite.freezing import Freezable
from gatewayd.settings.drivers import driver_table
from gatewayd.stillness import LOOKS
from gatewayd.supervise import DeviceStatus, Supervisor
from tests.drivers.idle_devices import ELSEWHERE, IDLE
from tests.drivers.kits import KITS
from tests.drivers.kits_in_part import KITS_IN_PART
from tests.support.patient_loop import LoopClock, stall
from tests.support.waiting import until

LOOK_S = 2.5 * TURN_S
"""The time in which each must have turned twice."""
NEVER_ASKED = [kit.name for kit in (*KITS, *KITS_IN_PART) if not kit.answers]
"""Silent for hours while all is well."""
SILENT = {"barcode.serial", "barcode.tcp", "barcode.hid_pos", "barcode.keyboard", "rfid.wiegand"}


@dataclass
class Watched:
    """One driver under its supervisor, as the daemon has it."""

    name: str
    kind: DriverType
    driver: Freezable
    supervisor: Supervisor
    statuses: list[DeviceStatus] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    @property
    def is_up(self) -> bool:
        return self.supervisor.status.state == "up"


@asynccontextmanager
async def _supervised(only: Sequence[str] = ()) -> AsyncIterator[list[Watched]]:
    """Every driver at rest, and up."""
    found: list[Watched] = []
    async with AsyncExitStack() as stack:
        for name, kind, idle in IDLE:
            if only and name not in only:
                continue
            driver = Freezable(await stack.enter_async_context(idle()))
            statuses: list[DeviceStatus] = []
            readings: list[Reading] = []
            supervisor = Supervisor(
                driver,
                clock=LoopClock(),
                emit=readings.append,
                on_status=statuses.append,
                lively_s=kind.lively_s,
            )
            found.append(Watched(name, kind, driver, supervisor, statuses, readings))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.supervisor.run()) for each in found]
            await until(lambda: all(each.is_up for each in found))
            yield found
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def test_every_driver_says_after_how_long_it_hangs_and_is_tried() -> None:
    """One that does not is told from a hung one by nobody, and may not be installed."""
    table = driver_table()
    assert {kind.name for _, kind, _ in IDLE} | set(ELSEWHERE) == set(table.names)
    assert {name for name in table.names if not table.get(name).lively_s} == set()


async def test_every_driver_turns_at_rest_and_one_that_is_frozen_is_lost_and_begun_again() -> None:
    async with _supervised() as found:
        began_s = asyncio.get_running_loop().time()
        await asyncio.sleep(LOOK_S)  # The time in which they must have moved.
        for each in found:
            moves = [at_s for at_s in each.driver.moves if at_s >= began_s]
            assert len(moves) >= 2, (each.name, moves)
            assert max(b - a for a, b in pairwise(moves)) < TURN_S + 0.5, (each.name, moves)
            assert each.is_up, (each.name, each.supervisor.status)
            each.driver.frozen = True
        said = [len(each.readings) for each in found]
        for _ in range(LOOKS - 1):
            await _a_look_later()
        assert [each.name for each in found if not each.is_up] == []
        assert [len(each.readings) for each in found] == said, "no sample looks fresh meanwhile"
        await _a_look_later()
        await _a_look_later()
        for each in found:
            lost = [status.error or "" for status in each.statuses if status.state == "down"]
            assert "hangs" in "".join(lost[:1]), (each.name, each.statuses)
        await until(lambda: all(each.is_up for each in found))


async def _a_look_later() -> None:
    """Time passes, and everybody has a turn."""
    stall(LIVELY_S / LOOKS)
    for _ in range(3):
        await asyncio.sleep(0)


async def test_one_that_is_silent_for_minutes_is_up_all_the_same() -> None:
    async with _supervised(NEVER_ASKED) as found:
        assert {each.kind.name for each in found} >= SILENT, NEVER_ASKED
        for _ in range(round(5 * LIVELY_S / TURN_S)):
            stall(TURN_S)
            await asyncio.sleep(0.002)  # A turn for everybody.
        for each in found:
            assert [status.state for status in each.statuses] == ["connecting", "up"], each.name


async def test_a_process_that_stood_still_is_no_driver_that_hangs() -> None:
    async with _supervised(NEVER_ASKED) as found:
        for _ in range(3):
            stall(3 * LIVELY_S)
            await asyncio.sleep(0.1)  # A turn for everybody.
        for each in found:
            assert [status.state for status in each.statuses] == ["connecting", "up"], each.name


def test_the_longest_pause_that_settings_allow_is_no_hang() -> None:
    assert max(PUSH_SILENT_S_MAX, HEARTBEATS_MISSED_S) + ASKED_TIMES_MAX < LIVELY_S
    table = driver_table()
    for name in table.names:
        known = table.get(name).settings.model_json_schema()["properties"]
        longest_ms = sum(
            known.get(key, {}).get("maximum", 0) for key in ("poll_ms", "timeout_ms", "gap_ms")
        )
        assert 2 * longest_ms / 1000 <= LIVELY_S, name
