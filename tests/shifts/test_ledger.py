"""A shift is closed once, with both numbers, whatever happens around its end."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.settings.upkeep import ShiftsSettings
from gatewayd.shifts.ledger import Ledger
from tests.alarms.control_room import ControlRoom, control_room
from tests.support.stores import STATION, ZONE, chain_breaks, draft

TOTAL_G = 4_294_960_000
"""It wraps in the first shift."""


class Line:
    """One rig at rest, its totaliser, and the ledger that looks at it."""

    def __init__(self, room: ControlRoom, **settings: Any) -> None:
        self.room = room
        self.total_g: int | None = TOTAL_G
        self.ledger = Ledger(
            ShiftsSettings(**settings),
            STATION,
            ZONE,
            store=room.store,
            board=room.board,
            alarms=room.alarms,
            clock=room.clock,
            resting=self.resting,
        )

    def resting(self) -> dict[str, int]:
        return {} if self.total_g is None else {"rig-1": self.total_g}

    async def fill(
        self, net_g: int, flowed_g: int | None = None, outcome: str = "completed"
    ) -> None:
        assert self.total_g is not None
        self.total_g = (self.total_g + (net_g if flowed_g is None else flowed_g)) % 2**32
        data = {"net_g": net_g, "outcome": outcome}
        await self.room.store.append(draft(data=data, total_after_g=self.total_g))
        await self.room.store.append(draft(rig_id="rig-2", data=data))

    async def pass_h(self, hours: float) -> None:
        self.room.clock.advance(seconds=hours * 3600)
        await self.ledger.look()

    def closed(self) -> list[dict[str, Any]]:
        return [data for data in self.room.data() if "difference_g" in data]


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    """At noon, with shifts at eight and twenty; the books begin with the first look."""
    async with control_room(tmp_path) as room:
        made = Line(room)
        await made.ledger.look()
        yield made


async def test_a_shift_that_adds_up_is_a_record_and_no_alarm(line: Line) -> None:
    for net_g in (14_500, 14_480, 0):
        await line.fill(net_g)
    await line.fill(740, outcome="unauthorised")
    await line.pass_h(7.9)
    assert line.closed() == []
    await line.pass_h(0.2)
    (data,) = line.closed()
    assert (data["fills"], data["net_g"], data["flowed_g"]) == (4, 29_720, 29_720)
    assert (data["difference_g"], data["agrees"], data["unauthorised_g"]) == (0, True, 740)
    assert data["from"] == "2026-08-01T08:00:00+08:00"
    assert data["to"] == "2026-08-01T20:00:00+08:00"
    assert (line.room.board.get("rigs/rig-1/shift") or {})["difference_g"] == 0
    assert line.room.alarms.standing == ()
    await line.pass_h(1)
    assert len(line.closed()) == 1
    assert chain_breaks(line.room.store) == []


@pytest.mark.parametrize(("flowed_g", "alarmed"), [(500, False), (501, True), (-501, True)])
async def test_a_difference_above_the_limit_is_an_alarm_with_both_numbers(
    line: Line, flowed_g: int, *, alarmed: bool
) -> None:
    await line.fill(14_500, 14_500 + flowed_g)
    await line.pass_h(9)
    (data,) = line.closed()
    assert (data["difference_g"], data["agrees"]) == (flowed_g, not alarmed)
    told = [each for each in line.room.data() if each.get("code") == "shift_mismatch"]
    assert len(told) == alarmed
    if alarmed:
        assert told[0]["values"]["net_g"] == 14_500
        assert told[0]["values"]["flowed_g"] == 14_500 + flowed_g
        assert "14500 g" in told[0]["detail"]


async def test_a_fill_after_a_close_that_failed_costs_no_alarm(line: Line) -> None:
    """The alarm was raised with a close that could not be kept; the next close has it recorded."""
    await line.fill(14_500, 16_000)
    line.room.store._writer._connection.execute("PRAGMA query_only = 1")
    await line.pass_h(9)
    line.room.store._writer._connection.execute("PRAGMA query_only = 0")
    assert (line.closed(), line.room.alarms.stands("shift_mismatch", "rig-1")) == ([], True)
    await line.fill(2_000)
    await line.pass_h(0.1)
    assert [data["net_g"] for data in line.closed()] == [16_500]
    told = [each for each in line.room.data() if each.get("code") == "shift_mismatch"]
    assert [(each["action"], each["values"]["net_g"]) for each in told] == [("raised", 16_500)]


async def test_a_large_shift_may_differ_by_its_permille(tmp_path: Path) -> None:
    async with control_room(tmp_path) as room:
        line = Line(room, limit_g=100, limit_permille=10)
        await line.ledger.look()
        await line.fill(1_000_000, 1_009_000)
        await line.pass_h(9)
        assert line.closed()[0]["agrees"]


async def test_a_rig_that_fills_is_closed_when_it_rests(line: Line) -> None:
    total_g, line.total_g = line.total_g, None
    await line.pass_h(9)
    assert line.closed() == []
    line.total_g = total_g
    await line.fill(14_500)
    await line.pass_h(0.1)
    assert [data["net_g"] for data in line.closed()] == [14_500]


async def test_shifts_that_nobody_closed_are_closed_as_one(line: Line) -> None:
    await line.fill(14_500)
    await line.pass_h(24 * 3)
    (data,) = line.closed()
    assert (data["to"], data["net_g"]) == ("2026-08-04T08:00:00+08:00", 14_500)
    await line.fill(1_000)
    await line.pass_h(9)
    assert [data["net_g"] for data in line.closed()] == [14_500, 1_000]


async def test_a_clock_that_was_set_forward_and_back_loses_no_gram(line: Line) -> None:
    await line.fill(14_500)
    await line.pass_h(24 * 365 * 4)
    line.room.clock.advance(seconds=-24 * 365 * 4 * 3600)
    await line.fill(2_000)
    await line.pass_h(0.1)
    await line.pass_h(9)
    assert [data["net_g"] for data in line.closed()] == [14_500, 2_000]
    assert all(data["agrees"] for data in line.closed())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_death_at_the_commit_closes_it_once_all_the_same(
    tmp_path: Path, *, after: bool
) -> None:
    async with control_room(tmp_path) as room:
        line = Line(room)
        await line.ledger.look()
        await line.fill(14_500, 16_000)
        died = [0]

        def hook() -> bool:
            died[0] += 1
            if died[0] > after:
                raise apsw.IOError("the process is dead")
            return False

        room.store._writer._connection.set_commit_hook(hook)
        await line.pass_h(9)
        clock, total_g = room.clock, line.total_g
    async with control_room(tmp_path, clock) as room:
        line = Line(room)
        line.total_g = total_g
        await line.pass_h(0.1)
        await line.pass_h(0.1)
        assert [data["difference_g"] for data in line.closed()] == [1_500]
        codes = [data["code"] for data in room.data() if "code" in data]
        assert codes == ["shift_mismatch"]
        assert {alarm.kind for alarm in room.alarms.standing} == {"shift_mismatch"}


async def test_without_shifts_nothing_is_closed(tmp_path: Path) -> None:
    async with control_room(tmp_path) as room:
        line = Line(room, starts=())
        await line.fill(14_500)
        await line.pass_h(24)
        assert line.closed() == []


async def test_the_command_line_shows_them(line: Line, tmp_path: Path) -> None:
    text = f'station: {{id: "{STATION}", media: [LPG]}}\nstore: {{path: gatewayd.db}}\n'
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    await line.fill(14_500, 16_000)
    await line.pass_h(9)
    run = CliRunner().invoke(main, ["shifts", "-c", str(tmp_path), "--json"])
    assert run.exit_code == 0, run.output
    (shown,) = json.loads(run.stdout)["shifts"]
    assert shown["difference_g"] == 1_500
    run = CliRunner().invoke(
        main, ["shifts", "-c", str(tmp_path), "--rig", "rig-1", "--lang", "zh"]
    )
    assert run.stdout.startswith("! rig-1")
    assert "相差 1500" in run.stdout


def test_a_shift_may_not_begin_twice_or_out_of_order() -> None:
    for starts in (("20:00", "08:00"), ("08:00", "08:00"), ("24:00",), ("8:00",)):
        with pytest.raises(ValueError, match="starts"):
            ShiftsSettings(starts=starts)
