"""A flow meter on Modbus beside the rigs, from its registers to the alarm with both numbers.

The meter is simulated and speaks the real protocol; driver, supervisor, store and alarms are real.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from drivers.contract import MeterSample
from drivers.meter.modbus import DRIVER
from gatewayd.cli.root import main
from gatewayd.settings.upkeep import ShiftsSettings
from gatewayd.shifts.witnesses import Witnesses
from gatewayd.sim.meter import SimMeter
from gatewayd.sim.wires import TcpWire
from gatewayd.supervise import Supervisor
from protocols import registers
from protocols.register_weights import Site
from protocols.registers import Profile
from tests.alarms.control_room import ControlRoom
from tests.drivers.meter.test_meter_modbus import settings
from tests.drivers.scale.test_modbus_scale import PROFILES
from tests.support.shapes import against_record
from tests.support.stores import STATION, ZONE, chain_breaks, draft
from tests.support.waiting import until

TONNE_G = 1_000_000
KG = Site("kg")
FLOAT = """
id: float
title: {zh: 甲, en: a}
source: made for a test
serves: [meter]
mass: {unit: kg, decimals: 0}
meter: {total: total}
points:
  total: {address: 0, type: float32, mass: true, doc: d}
"""
PROMASS = PROFILES["endress-promass83"]
SIEMENS = PROFILES["siemens-mass6000"]


@dataclass
class Line:
    """A meter in the pipe to two rigs, read over the wire, and the books of the station."""

    room: ControlRoom
    meter: SimMeter
    witnesses: Witnesses
    heard: list[MeterSample]
    spoken: int = 0

    async def fill(self, net_g: int, flowed_g: int | None = None) -> None:
        """Gas goes through the meter into a cylinder, and a record says how much."""
        self.meter.flow(net_g if flowed_g is None else flowed_g)
        await self.room.store.append(draft(data={"net_g": net_g}, rig_id="rig-1"))
        await self.seen()

    async def seen(self) -> None:
        """The driver has read what stands in the registers now."""
        await until(partial(self._told, self.meter.shown_g))

    def _told(self, total_g: int | None) -> bool:
        return bool(self.heard) and self.heard[-1].total_g == total_g

    async def pass_h(self, hours: float) -> None:
        """It says the same every half a minute, until somebody looks at the end."""
        for _ in range(round(hours * 120)):
            self.room.clock.advance(seconds=30)
            self.witnesses.take(self.heard[-1])
        await self.witnesses.look()

    def closed(self) -> list[dict[str, Any]]:
        return [data for data in self.room.data() if "step_g" in data and "device" in data]

    def alarms(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.room.data() if each.get("code") == kind]


@asynccontextmanager
async def line(room: ControlRoom, meter: SimMeter, **changed: Any) -> AsyncIterator[Line]:
    """At noon, with shifts at eight and twenty; differences above 1 kg are told."""
    told = {"device": "meter-1", "kind": "flow_total", "limit_g": 1_000, "limit_permille": 0}
    made = ShiftsSettings.model_validate({"witness": [told | changed]}, strict=False)
    resting: dict[str, tuple[str | None, int | None]] = {"rig-1": (None, 0), "rig-2": (None, 0)}
    witnesses = Witnesses(
        made,
        STATION,
        ZONE,
        store=room.store,
        board=room.board,
        alarms=room.alarms,
        clock=room.clock,
        flowing=lambda: resting,
        tell=lambda _device, _trouble: None,
    )
    pipe = Line(room, meter, witnesses, [])
    await witnesses.look()
    wire = TcpWire(meter.device.device)
    await wire.plug()
    profile: Profile = meter.device.profile
    set_ = settings(profile.id, {"tcp": wire.address}, mass_unit=meter.site.unit)
    driver = DRIVER.make("meter-1", set_, {profile.id: profile})

    def emit(reading: Any) -> None:
        pipe.heard.append(reading)
        witnesses.take(reading)

    supervisor = Supervisor(driver, clock=room.clock, emit=emit, on_status=lambda _: None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await pipe.seen()
        yield pipe
        task.cancel()
    wire.unplug()


@pytest.mark.parametrize("profile", [SIEMENS, PROMASS], ids=lambda profile: profile.id)
async def test_meter_and_records_agree_and_then_differ_with_both_numbers(
    room: ControlRoom, profile: Profile
) -> None:
    site = KG if profile is PROMASS else None
    async with line(room, SimMeter(profile, 9_999_980_000, site)) as pipe:
        for _ in range(3):
            await pipe.fill(14_500)
        await pipe.pass_h(8.1)
        (data,) = pipe.closed()
        assert abs(data["difference_g"]) <= data["step_g"]
        assert (data["net_g"], data["agrees"], data["why"]) == (43_500, True, "")
        assert pipe.alarms("shift_mismatch") == []
        await pipe.fill(14_500, flowed_g=15_750)
        await pipe.pass_h(12)
        data = pipe.closed()[-1]
        assert (data["net_g"], data["agrees"], data["why"]) == (14_500, False, "")
        assert abs(data["flowed_g"] - 15_750) <= data["step_g"]
    (alarm,) = pipe.alarms("shift_mismatch")
    assert alarm["subject"] == "meter-1"
    assert f"records 14500 g, meter-1 {data['flowed_g']} g" in alarm["detail"]
    assert (alarm["values"]["net_g"], alarm["values"]["flowed_g"]) == (14_500, data["flowed_g"])
    assert chain_breaks(room.store) == []
    for record in room.store.records(kind="witness"):
        assert against_record(record.body) == []


@pytest.mark.parametrize(
    ("now_g", "why", "detail"),
    [
        (0, "went_back", "its totaliser went back by 5014500 g"),
        (TONNE_G * 900, "jumped", "its totaliser moved by 894985500 g at once, it was set"),
    ],
)
async def test_a_total_that_somebody_set_is_not_compared_but_told(
    room: ControlRoom, tmp_path: Path, now_g: int, why: str, detail: str
) -> None:
    text = f'station: {{id: "{STATION}", media: [LPG]}}\nstore: {{path: gatewayd.db}}\n'
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    async with line(room, SimMeter(SIEMENS, 5 * TONNE_G)) as pipe:
        await pipe.fill(14_500)
        pipe.meter.set(now_g)
        await pipe.seen()
        await pipe.fill(14_500)
        await pipe.pass_h(8.1)
        (data,) = pipe.closed()
        assert (data["why"], data["agrees"], data["difference_g"]) == (why, None, None)
        (alarm,) = pipe.alarms("totaliser_went_back")
        assert (alarm["subject"], detail in alarm["detail"]) == ("meter-1", True)
        assert "records 29000 g; not comparable" in alarm["detail"]
        assert pipe.alarms("shift_mismatch") == []
        run = CliRunner().invoke(main, ["shifts", "-c", str(tmp_path), "--lang", "en"])
        assert "? meter-1" in run.stdout
        assert "not comparable: its totaliser" in run.stdout
        # The next shift begins with what the meter shows now, and is whole again.
        await pipe.fill(9_000)
        await pipe.pass_h(12)
        assert (pipe.closed()[-1]["why"], pipe.closed()[-1]["difference_g"]) == ("", 0)


@pytest.mark.parametrize(("limit_g", "why"), [(62, "coarse"), (63, "")])
async def test_a_float_that_is_coarser_than_the_limit_proves_nothing(
    room: ControlRoom, limit_g: int, why: str
) -> None:
    """At 1,000 t a float32 of kilograms moves in steps of 62.5 g."""
    meter = SimMeter(registers.load(FLOAT, "float"), 1_000 * TONNE_G)
    async with line(room, meter, limit_g=limit_g) as pipe:
        await pipe.fill(14_500)
        await pipe.pass_h(8.1)
        (data,) = pipe.closed()
        assert (data["step_g"], data["why"], data["agrees"]) == (63, why, None if why else True)
        assert data["flowed_g"] == 14_500


async def test_a_meter_that_reports_an_error_is_a_silence(room: ControlRoom) -> None:
    async with line(room, SimMeter(SIEMENS, 5 * TONNE_G)) as pipe:
        await pipe.fill(14_500)
        await pipe.pass_h(1)
        pipe.meter.device.set("error_pending", value=True)
        await pipe.seen()
        await pipe.pass_h(1)
        pipe.meter.device.set("error_pending", value=False)
        await pipe.seen()
        await pipe.pass_h(6.1)
        (data,) = pipe.closed()
        assert (data["why"], data["agrees"], data["net_g"]) == ("silent", None, 14_500)
        assert data["silent_s"] >= 3_600
