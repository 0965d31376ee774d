"""A tank scale and a flow meter beside the rigs: both numbers, a delivery, a silence, a restart."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from drivers.contract import WeightSample
from drivers.scale.modbus import DRIVER
from gatewayd.cli.root import main
from gatewayd.shifts.telling import alarm_of
from gatewayd.shifts.testimony import Why
from gatewayd.shifts.witnesses import UNKNOWN_S_MAX
from gatewayd.sim.map_device import MapDevice
from gatewayd.sim.wires import TcpWire
from gatewayd.supervise import Supervisor
from tests.alarms.control_room import ControlRoom
from tests.drivers.scale.test_modbus_scale import PROFILES, settings
from tests.shifts.yard import MINUTE, begun
from tests.support.shapes import against_record
from tests.support.stores import STATION, chain_breaks, draft, permit
from tests.support.waiting import until

WHYS = get_args(Why)


def _shows(heard: list[WeightSample], grams: int) -> bool:
    return heard[-1].gross_g == grams


@pytest.mark.parametrize(
    "witness", [{}, {"device": "meter-1", "kind": "flow_total"}], ids=["tank", "meter"]
)
@pytest.mark.parametrize(("lost_g", "alarmed"), [(0, False), (1_000, False), (1_001, True)])
async def test_what_the_rigs_recorded_is_held_against_it_with_both_numbers(
    room: ControlRoom, witness: dict[str, Any], lost_g: int, *, alarmed: bool
) -> None:
    yard = await begun(room, **witness)
    for rig_id in ("rig-1", "rig-2"):
        await yard.fill(14_500, rig_id=rig_id)
    yard.flow(lost_g)
    await yard.pass_h(8.1)
    (data,) = yard.closed()
    assert (data["fills"], data["net_g"], data["flowed_g"]) == (2, 29_000, 29_000 + lost_g)
    assert (data["difference_g"], data["agrees"], data["why"]) == (lost_g, not alarmed, "")
    assert (data["from"], data["to"]) == ("2026-08-01T12:00:00+08:00", "2026-08-01T20:00:00+08:00")
    device = data["device"]
    assert (room.board.get(f"witnesses/{device}/shift") or {})["difference_g"] == lost_g
    told = [each for each in room.data() if each.get("code") == "shift_mismatch"]
    assert [(a["subject"], a["values"]["net_g"], a["values"]["flowed_g"]) for a in told] == (
        [(device, 29_000, 29_000 + lost_g)] if alarmed else []
    )
    for each in told:
        assert "29000 g" in each["detail"]
        assert "30001 g" in each["detail"]
    await yard.fill(2_000)
    await yard.pass_h(12)
    assert [each["net_g"] for each in yard.closed()] == [29_000, 2_000]
    assert chain_breaks(room.store) == []


async def test_only_the_rigs_it_feeds_are_counted(room: ControlRoom) -> None:
    yard = await begun(room, rigs=["rig-2"])
    await yard.fill(14_500, rig_id="rig-2")
    await room.store.append(draft(data={"net_g": 9_000}, rig_id="rig-1"))
    await yard.pass_h(8.1)
    assert [(each["net_g"], each["difference_g"]) for each in yard.closed()] == [(14_500, 0)]


async def test_a_fill_that_runs_through_the_end_is_counted_in_both_shifts(
    room: ControlRoom,
) -> None:
    yard = await begun(room)
    running = permit()
    await room.store.issue(running)
    yard.open["rig-1"] = (running.id, 9_000)
    yard.flow(9_000)
    await yard.pass_h(8.1)
    yard.flow(5_500)
    fill = draft(record_id=running.record_id, data={"net_g": 14_500})
    await room.store.resolve(running.id, "posted", fill)
    yard.open["rig-1"] = (running.id, 14_500)  # its rig has not heard yet that it is committed
    await yard.pass_h(12)
    assert [(e["net_g"], e["difference_g"]) for e in yard.closed()] == [(9_000, 0), (5_500, 0)]


async def test_a_fill_that_nobody_knows_of_is_waited_for_and_then_said(room: ControlRoom) -> None:
    yard = await begun(room)
    await room.store.issue(permit())
    yard.open["rig-1"] = (None, None)
    await yard.pass_h(8 + UNKNOWN_S_MAX / 3600 - 0.1)
    assert yard.closed() == []
    await yard.pass_h(0.2)
    assert [(each["why"], each["agrees"]) for each in yard.closed()] == [("unknown_flow", None)]
    assert room.alarms.stands("shift_uncompared", "tank-1")


async def test_a_delivery_is_no_mismatch_but_needs_a_persons_word(room: ControlRoom) -> None:
    yard = await begun(room)
    await yard.fill(14_500)
    await yard.pass_h(1)
    yard.flow(-12_000_000)
    await yard.pass_h(7.1)
    (data,) = yard.closed()
    assert (data["why"], data["agrees"], data["difference_g"]) == ("delivery", None, None)
    assert data["risen_g"] == 12_000_000
    (alarm,) = room.alarms.standing
    assert (alarm.kind, alarm.subject, alarm.severity) == ("tank_refilled", "tank-1", "info")
    await room.alarms.acknowledge("tank_refilled", "tank-1", by="Li", note="12 t, note 4711")
    assert room.alarms.standing == ()
    await yard.fill(14_500)
    await yard.pass_h(12)
    assert yard.closed()[1]["agrees"], "the next shift is compared again"


async def test_a_witness_that_was_silent_says_so_and_guesses_nothing(room: ControlRoom) -> None:
    yard = await begun(room)
    await yard.fill(14_500)
    tank_g, yard.tank_g = yard.tank_g, None
    await yard.pass_h(0.1)
    yard.tank_g = tank_g
    await yard.fill(14_500, 20_000)
    await yard.pass_h(8)
    (data,) = yard.closed()
    assert (data["why"], data["agrees"], data["net_g"]) == ("silent", None, 29_000)
    assert data["silent_s"] > 120
    (alarm,) = room.alarms.standing
    assert (alarm.kind, alarm.subject) == ("shift_uncompared", "tank-1")
    assert f"{data['silent_s']} s" in alarm.detail


async def test_a_tank_of_unknown_weight_is_told_at_once_and_at_the_end_of_its_shift(
    room: ControlRoom,
) -> None:
    yard = await begun(room)
    await yard.fill(14_500)
    yard.unknown = "tank-1: load cell error: holding 7 = 0x0001"
    yard.speak()
    ((device, trouble),) = yard.troubles
    assert (device, trouble.kind) == ("tank-1", "weight_unknown")
    for said in (trouble.zh, trouble.en):
        assert "holding 7 = 0x0001" in said
        assert "锁定" not in said, "no rig is locked for a tank"
        assert "locked" not in said
    await yard.pass_h(8.1)
    (data,) = yard.closed()
    assert (data["why"], data["agrees"]) == ("silent", None)
    assert room.alarms.stands("shift_uncompared", "tank-1")


def test_every_shift_that_is_not_compared_is_an_alarm() -> None:
    """But those that are another alarm already: a delivery, a counter that was set."""
    names = (
        "from",
        "to",
        "device",
        "net_g",
        "risen_g",
        "jumped_g",
        "step_g",
        "limit_g",
        "silent_s",
    )
    found = {why: alarm_of({**dict.fromkeys(names, 7), "agrees": None, "why": why}) for why in WHYS}
    kinds = {why: alarm and alarm[0] for why, alarm in found.items()}
    refilled, went_back = "tank_refilled", "totaliser_went_back"
    others = {"": None, "delivery": refilled, "went_back": went_back, "jumped": went_back}
    assert kinds == {**dict.fromkeys(WHYS, "shift_uncompared"), **others}


async def test_the_command_line_shows_it_below_the_shifts(
    room: ControlRoom, tmp_path: Path
) -> None:
    text = f'station: {{id: "{STATION}", media: [LPG]}}\nstore: {{path: gatewayd.db}}\n'
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    yard = await begun(room)
    await yard.fill(14_500, 16_000)
    await yard.pass_h(8.1)
    yard.flow(-12_000_000)
    await yard.pass_h(12)
    run = CliRunner().invoke(main, ["shifts", "-c", str(tmp_path), "--json"])
    assert [each["why"] for each in json.loads(run.stdout)["witnesses"]] == ["", "delivery"]
    for rig, shown in (("rig-1", True), ("rig-9", False)):
        asked = ["shifts", "-c", str(tmp_path), "--rig", rig, "--lang", "en"]
        out = CliRunner().invoke(main, asked).stdout
        assert ("! tank-1" in out, "? tank-1" in out) == (shown, shown)
        assert ("rose by at least 12000000 g" in out) == shown
        assert ("difference 1500" in out) == shown


async def test_what_it_says_has_the_published_shape(room: ControlRoom) -> None:
    yard = await begun(room)
    await yard.pass_h(8.1)
    yard.tank_g = None
    await yard.pass_h(12)
    assert [each["why"] for each in yard.closed()] == ["", "silent"]
    for record in room.store.records(kind="witness"):
        assert against_record(record.body) == []


async def test_a_tank_scale_on_modbus_is_a_witness(room: ControlRoom) -> None:
    """The real protocol on a real socket: a simulated indicator that shows tonnes."""
    indicator = MapDevice(PROFILES["laumas-tlu"])
    indicator.set("gross", 42_000)
    indicator.set("stable", value=True)
    wire = TcpWire(indicator.device)
    await wire.plug()
    told = {"mass_unit": "kg", "decimals": 0, "adaptive": None}
    made = settings("laumas-tlu", {"tcp": wire.address}, **told)
    yard = await begun(room)
    scale = DRIVER.make("tank-1", made, PROFILES)
    heard: list[WeightSample] = []

    def emit(reading: Any) -> None:
        heard.append(reading)
        yard.witnesses.take(reading)

    supervisor = Supervisor(scale, clock=room.clock, emit=emit, on_status=lambda _: None)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run())
        await until(lambda: bool(heard))
        for kilos in (41_990, 41_970):
            indicator.set("gross", kilos)
            grams = kilos * 1_000
            await until(partial(_shows, heard, grams))
        await yard.room.store.append(draft(data={"net_g": 29_500}))
        for _ in range(481):
            room.clock.advance(seconds=MINUTE)
            yard.witnesses.take(heard[-1])
        await yard.witnesses.look()
        task.cancel()
    wire.unplug()
    (data,) = yard.closed()
    assert (data["before_g"], data["after_g"]) == (42_000_000, 41_970_000)
    assert (data["net_g"], data["difference_g"], data["agrees"]) == (29_500, 500, True)
