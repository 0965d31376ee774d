"""A card reader whose driver hangs in mid-fill: the lease stands still, and the rig names the device."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.liveness import LIVELY_S
from drivers.suite import on_tcp
from drivers.suite.freezing import Freezable
from drivers.suite.stage import on_stage
from gatewayd.stillness import LOOKS
from gatewayd.supervise import Supervisor
from tests.drivers.kits import KITS
from tests.rigs.desk import Desk, at_desk
from tests.support.patient_loop import LoopClock, stall
from tests.support.waiting import until

READER = next(kit for kit in KITS if kit.driver.name == "rfid.wiegand")
"""It speaks when a card is shown, and is silent for hours while all is well."""
DEVICE = "gun-1"
"""The one that the rig requires."""


@asynccontextmanager
async def _reader_at(desk: Desk) -> AsyncIterator[Freezable]:
    """The driver of the rig's reader, run as the daemon runs it."""
    async with on_stage(READER, on_tcp) as stage:
        driver = Freezable(READER.make(stage.link))
        supervisor = Supervisor(
            driver,
            clock=LoopClock(),
            emit=desk.rig.take,
            on_status=lambda status: desk.rig.device(DEVICE, status.state),
            lively_s=READER.driver.lively_s,
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(supervisor.run())
            await until(lambda: supervisor.status.state == "up")
            yield driver
            task.cancel()


async def test_a_reader_whose_driver_hangs_closes_the_gate_and_is_named(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk, _reader_at(desk) as reader:
        await desk.bring()
        await desk.phase("permitted")
        desk.gate.start()
        await desk.phase("filling")
        reader.frozen = True
        for _ in range(LOOKS + 1):
            assert desk.rig.state.withdrawn is None, "not before it is sure"
            stall(LIVELY_S / LOOKS)
            await desk.look()
        assert desk.rig.state.withdrawn == "device_lost"
        renewed = desk.gate.calls.count("renew")
        await desk.until(lambda: desk.kinds() != [])
        assert desk.records()[0]["data"]["end_reason"] == "device_lost"
        assert desk.gate.sample.permit_echo == 0
        assert desk.gate.calls.count("renew") == renewed
