"""A network that gives out late what a Modbus device said: every answer has the number of its question.

What counts for `scale.modbus` counts for each driver on `drivers.plc.wire` (gates, outputs, meters,
fillers). On a serial line: `drivers/plc/test_bad_bus.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from drivers.plc.polling import SILENT_S_MAX
from drivers.scale.modbus import DRIVER
from drivers.suite import Faults, on_tcp
from gatewayd.sim.map_device import MapDevice
from tests.drivers.scale.test_modbus_scale import PROFILES, Bench, settings
from tests.support.waiting import until

TIMEOUT_S = 0.1
HELD_S = (TIMEOUT_S / 2, 3 * TIMEOUT_S, 0.7 * SILENT_S_MAX)
"""Less than one question, several, and nearly so long that the scale is lost."""
SLACK_S = 0.05
STEP_G = 10
FOLLOWING = 5


@dataclass
class Numbered(MapDevice):
    """It shows the number of the question, in steps of 10 g, and knows when it was asked."""

    said_s: list[float] = field(default_factory=list)

    def answer(self, pdu: bytes) -> bytes:
        self.said_s.append(asyncio.get_running_loop().time())
        self.set("gross", len(self.said_s))
        return super().answer(pdu)


@dataclass(frozen=True)
class Peer:
    """The line of whoever connected."""

    send: Callable[[bytes], None]


@asynccontextmanager
async def weighed(device: Numbered, faults: Faults) -> AsyncIterator[Bench]:
    """`scale.modbus` on a wire with faults; it must not be lost."""
    bench = Bench()
    async with (
        on_tcp(lambda send, _unplug: device.device(Peer(send)), faults) as link,
        asyncio.TaskGroup() as group,
    ):
        made = settings(device.profile.id, link, timeout_ms=round(TIMEOUT_S * 1000))
        task = group.create_task(DRIVER.make("scale-1", made, PROFILES).run(bench.context()))
        yield bench
        task.cancel()


async def test_what_was_held_back_is_never_taken_for_a_newer_weight() -> None:
    device, faults = Numbered(PROFILES["laumas-tlu"]), Faults()
    async with weighed(device, faults) as bench:
        for held_s in HELD_S:
            enough = len(bench.samples) + FOLLOWING
            await until(lambda count=enough: len(bench.samples) >= count)  # type: ignore[misc]
            faults.held = True
            await asyncio.sleep(held_s)  # the fault itself: so long nothing arrives
            faults.let_go()
        enough = len(bench.samples) + FOLLOWING
        await until(lambda: len(bench.samples) >= enough)
    assert "late answer dropped" in bench.noises
    for sample in bench.samples:
        assert sample.gross_g is not None, sample
        number, told_s = sample.gross_g // STEP_G, sample.at_ns / 1e9
        assert told_s - device.said_s[number - 1] <= TIMEOUT_S + SLACK_S
        assert all(told_s <= asked_s for asked_s in device.said_s[number : number + 1])
