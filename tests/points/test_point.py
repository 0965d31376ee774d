"""A scan point with a real store and the shipped pack: what is scanned is judged, written, shown."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest

from gatewayd.alarms import words
from gatewayd.board import Board
from gatewayd.ids import new_id
from gatewayd.points.point import SCANS_WAITING_MAX, UNREAD_AFTER_S, Point
from gatewayd.points.scan import Desk
from gatewayd.rigs.assess import Bench, at_rig
from gatewayd.rigs.history import History
from gatewayd.rigs.model import PROGRAM, Identity
from gatewayd.rigs.sightings import Sightings
from gatewayd.store.model import RecordDraft, StoredAlarm
from gatewayd.store.passing import Passing
from tests.points.gate import JUDGED, Gate, settings, standing
from tests.rigs.bench import LEGAL, OVERDUE, STATION, UID, bench
from tests.rigs.bench import standing as on_scale
from tests.rigs.desk import open_store
from tests.support.stores import NOON, draft


async def test_what_comes_is_judged_recorded_and_shown(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **JUDGED) as gate:
        gate.scan(f"http://teshe.org.cn/Q?id={LEGAL.code}")
        (record,) = await gate.recorded(1)
        assert record["type"] == "gatewayd.movement.v1"
        assert record["source"] == f"/stations/{STATION.id}/points/gate"
        data = record["data"]
        assert (data["direction"], data["accepted"], data["stage"]) == ("in", True, "receive")
        assert data["cylinder"]["code"] == LEGAL.code
        shown = gate.picture()
        assert (shown["state"], shown["verdict"], shown["record"]) == (
            "ready",
            "allow",
            record["id"],
        )
        assert shown["message"] == {"zh": "已入站登记", "en": "received"}
        assert gate.store.life(LEGAL.code).crossed_sequence == 1


async def test_a_cylinder_that_is_refused_at_receiving_has_come_all_the_same(
    tmp_path: Path,
) -> None:
    bad = replace(OVERDUE, status="lost")
    async with standing(tmp_path, "receiving", **JUDGED) as gate:
        await gate.store.import_cylinders([bad], replace=False)
        gate.scan(bad.code)
        (record,) = await gate.recorded(1)
        codes = [found["code"] for found in record["data"]["verdict"]["findings"]]
        assert (record["data"]["accepted"], codes) == (False, ["NOT_ENABLED"])
        assert gate.picture()["message"]["zh"] == "不得放行"
        assert gate.store.life(bad.code).crossed_sequence == 1


@pytest.mark.parametrize("rules", [{}, JUDGED])
@pytest.mark.parametrize("kind", ["receiving", "dispatch", "storage", "repair"])
async def test_an_unknown_code_is_recorded_and_does_not_pass(
    tmp_path: Path, kind: str, rules: dict[str, Any]
) -> None:
    async with standing(tmp_path, kind, **rules) as gate:
        gate.scan("0110109999")
        (record,) = await gate.recorded(1)
        data = record["data"]
        assert (data["accepted"], data["read"]) == (False, "0110109999")
        assert data["cylinder"]["code"] == "0110109999"
        codes = [found["code"] for found in data["verdict"]["findings"]]
        assert codes
        assert "CODE_UNKNOWN" in codes or kind == "dispatch"
        assert gate.store.sightings() == ()


async def test_what_leaves_must_hold_no_more_than_it_may(tmp_path: Path) -> None:
    async with standing(tmp_path, "dispatch", **JUDGED) as gate:
        for expected, net_g in (("allow", 14_900), ("deny", 14_911)):
            filled = Passing(LEGAL.code, filled_g=net_g)
            await gate.store.append(replace(draft(), passing=filled))
            before = len(gate.records())
            gate.clock.advance(seconds=60)
            gate.scan(LEGAL.code)
            records = await gate.recorded(before + 1)
            data = records[-1]["data"]
            assert data["verdict"]["decision"] == expected, data["verdict"]
            assert gate.store.life(LEGAL.code).left_since_fill == (expected == "allow")


async def test_an_overfilled_cylinder_leaves_once_somebody_has_answered_for_it(
    tmp_path: Path,
) -> None:
    """As the alarm says: the excess is out and it was weighed again."""
    async with standing(tmp_path, "dispatch", **JUDGED) as gate:
        values, at = {"safe_net_g": 14_800}, gate.clock.wall()
        alarm = StoredAlarm(
            "overfilled", LEGAL.code, "rig-1", "critical", at, new_id(), 1, "", values
        )
        raised = words.draft(alarm, "raised", station_id=STATION.id, at=at)
        filled = Passing(LEGAL.code, filled_g=15_200)
        await gate.store.append(replace(draft(), passing=filled, also=(raised,)))
        gate.scan(LEGAL.code)
        data = (await gate.recorded(3))[-1]["data"]
        assert data["verdict"]["decision"] == "deny"
        answered = words.answer(alarm, by="li", note="weighed", at=at)
        await gate.store.append(words.draft(answered, "acknowledged", station_id=STATION.id, at=at))
        life = gate.store.life(LEGAL.code)
        assert (life.filled_g, life.filled_at) == (14_800, NOON), "filled when it was filled"
        gate.clock.advance(seconds=60)
        gate.scan(LEGAL.code)
        data = (await gate.recorded(5))[-1]["data"]
        assert data["verdict"]["decision"] == "allow", data["verdict"]


async def test_what_was_never_filled_here_may_not_leave_by_those_rules(tmp_path: Path) -> None:
    async with standing(tmp_path, "dispatch", **JUDGED) as gate:
        gate.scan(LEGAL.code)
        (record,) = await gate.recorded(1)
        assert "DATA_MISSING" in [f["code"] for f in record["data"]["verdict"]["findings"]]


@pytest.mark.parametrize(
    ("kind", "record_kind", "crosses"),
    [
        ("receiving", "movement", True),
        ("dispatch", "movement", True),
        ("storage", "movement", False),
        ("issue", "issue", True),
        ("inspection", "inspection", False),
        ("repair", "repair", False),
    ],
)
async def test_every_kind_writes_its_record(
    tmp_path: Path, kind: str, record_kind: str, *, crosses: bool
) -> None:
    async with standing(tmp_path, kind) as gate:
        gate.scan(LEGAL.code)
        (record,) = await gate.recorded(1)
        assert record["type"] == f"gatewayd.{record_kind}.v1"
        assert record["data"]["accepted"]
        assert bool(gate.store.life(LEGAL.code).crossed_sequence) == crosses


async def test_repeats_are_one_scan_and_a_lingering_tag_too(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage", repeat_s=5) as gate:
        for _ in range(20):
            gate.scan(LEGAL.code)
            gate.tag(UID)
            gate.clock.advance(seconds=1)
            await asyncio.sleep(0)
        await gate.recorded(1)
        gate.clock.advance(seconds=5)
        gate.scan(LEGAL.code)
        await gate.recorded(2)


async def test_the_tag_and_the_label_of_one_cylinder_are_one_scan(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        gate.tag(UID)
        gate.scan("0110100001")
        gate.tag("FFFF", antenna=1)
        (record,) = await gate.recorded(1)
        assert record["data"]["read_as"] == "tag"


async def test_a_cylinder_that_stands_on_a_rig_does_not_pass(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        gate.sightings.stands("rig-1", LEGAL.code)
        gate.scan(LEGAL.code)
        (record,) = await gate.recorded(1)
        (found,) = record["data"]["verdict"]["findings"]
        assert (found["code"], found["values"]["elsewhere"]) == ("CODE_DUPLICATE", "rig-1")
        assert gate.sightings.elsewhere("rig-1", LEGAL.code) == "points/gate"


async def test_two_cylinders_behind_one_tag_are_ambiguous(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        await gate.store.import_cylinders([replace(LEGAL, code="TWIN")], replace=False)
        gate.tag(UID)
        (record,) = await gate.recorded(1)
        assert [f["code"] for f in record["data"]["verdict"]["findings"]] == ["AMBIGUOUS"]


async def test_scans_wait_for_a_store_that_is_locked_and_none_is_lost(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        other = apsw.Connection(str(tmp_path / "gatewayd.db"))
        other.execute("BEGIN IMMEDIATE")
        gate.scan(LEGAL.code)
        gate.scan(OVERDUE.code)
        await gate.until(lambda: gate.picture().get("fault") == "store")
        assert gate.picture()["waiting"] == 2
        other.execute("ROLLBACK")
        other.close()
        await gate.until(lambda: gate.store.last_sequence() == 2)
        codes = [record["data"]["cylinder"]["code"] for record in gate.records()]
        assert codes == [LEGAL.code, OVERDUE.code]
        await gate.until(lambda: gate.picture()["state"] == "ready")


async def test_what_waits_is_bounded_and_what_is_refused_is_counted(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        for number in range(SCANS_WAITING_MAX + 3):
            gate.scan(f"X{number:05d}")
        await gate.recorded(SCANS_WAITING_MAX)
        assert gate.picture()["lost"] == 3
        gate.scan(f"X{SCANS_WAITING_MAX:05d}")
        await gate.recorded(SCANS_WAITING_MAX + 1)


async def test_a_device_that_is_lost_is_shown(tmp_path: Path) -> None:
    async with standing(tmp_path, "storage") as gate:
        gate.point.device("qr-9", "down")
        await gate.until(lambda: gate.picture().get("fault") == "qr-9")
        gate.point.device("qr-9", "up")
        await gate.until(lambda: gate.picture()["state"] == "ready")


async def test_a_cylinder_is_filled_again_only_after_it_left(tmp_path: Path) -> None:
    """REPEAT_FILL from the store's own records, where the gate of the station is watched."""
    async with standing(tmp_path, "dispatch") as gate:
        judge_at = replace(bench(), sources=(History(gate.store, gate_is_watched=True),))
        blind = replace(bench(), sources=(History(gate.store, gate_is_watched=False),))
        who, wall = Identity("one", LEGAL), gate.clock.wall()

        def reasons(at: Bench) -> list[str]:
            return [f.code for f in at_rig(at, who, on_scale(), wall)[0].findings]

        assert reasons(judge_at) == []
        fill: RecordDraft = replace(draft(), time=wall, passing=Passing(LEGAL.code, 14_000))
        await gate.store.append(fill)
        assert reasons(judge_at) == ["REPEAT_FILL"]
        assert reasons(blind) == []
        gate.scan(LEGAL.code)
        await gate.recorded(2)
        assert reasons(judge_at) == []


async def test_what_cannot_be_read_is_shown_with_what_to_do_and_recorded_by_nobody(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path, "receiving", **JUDGED) as gate:
        gate.garbled("qr-1")
        gate.garbled()
        await gate.until(lambda: gate.picture().get("verdict") == "deny")
        shown = gate.picture()
        (found,) = shown["findings"]
        assert (found["code"], found["values"]["seen"]) == ("UNREADABLE", "NOREAD")
        assert found["values"]["device"] == "qr-9"
        assert (shown["record"], shown["message"]["zh"]) == (None, "不得放行")
        gate.clock.advance(seconds=3)
        gate.garbled()
        gate.scan(LEGAL.code)
        await gate.recorded(1)
        assert gate.picture()["verdict"] == "allow"


async def test_what_was_shown_last_stays_for_a_moment(tmp_path: Path) -> None:
    async with standing(tmp_path, "receiving", **JUDGED) as gate:
        gate.scan(OVERDUE.code)
        (record,) = await gate.recorded(1)
        gate.clock.advance(seconds=UNREAD_AFTER_S - 0.1)
        gate.garbled()
        gate.clock.advance(seconds=0.1)
        gate.garbled("gun-9")
        await gate.until(lambda: gate.picture()["record"] is None)
        (found,) = gate.picture()["findings"]
        assert found["values"]["device"] == "gun-9", "the scanner came a moment too soon"
        assert [each["id"] for each in gate.records()] == [record["id"]]


class Slipping(Sightings):
    """Places with a bug that shows when a cylinder passes."""

    slips = True

    def passes(self, place: str, code: str) -> None:
        if self.slips:
            raise ZeroDivisionError(f"{place} {code}")
        super().passes(place, code)


async def test_a_point_that_a_bug_ended_does_not_say_that_it_is_ready(tmp_path: Path) -> None:
    store, clock = await open_store(tmp_path)
    desk = Desk("gate", settings("receiving"), STATION, (), ())
    board, sightings = Board(), Slipping(clock)
    point = Point(desk, store=store, board=board, clock=clock, sightings=sightings)
    for device in ("qr-9", "gun-9"):
        point.device(device, "up")
    gate = Gate(point, store, clock, board, sightings)
    gate.tag(UID)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await point.run()
        shown = gate.picture()
        assert (shown["state"], shown["fault"], shown["waiting"]) == ("fault", PROGRAM, 1)
    sightings.slips = False
    point.stop()
    await point.run()
    shown = gate.picture()
    assert (shown["state"], shown["fault"], shown["waiting"]) == ("ready", None, 0)
    assert len(gate.records()) == 1, "the scan was kept"
    await store.close()
