"""What a start makes of what it finds: permit, totaliser, the gate's last permit, its fills counter.

Each row is one thing that may have happened while nobody watched. Whatever it was: one record ends
the permit, every gram is in a record, and gas that nobody permitted is an alarm with its grams.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from gatewayd.store.store import Store
from tests.rigs.bench import QUIET
from tests.rigs.desk import Desk, ScriptedGate, living, open_store
from tests.support.stores import chain_breaks, permit

BEFORE_G, FILLS, NO = 1_000, 7, 3
NET_G = 14_000
ALLOWED_G = 31_000 - 16_500 + 200
RIGHT = replace(permit(), permit_no=NO, total_before_g=BEFORE_G, fills_before=FILLS)


@dataclass(frozen=True)
class Row:
    """Found at the start, and what must be in the books then: (outcome, grams) in order."""

    name: str
    permit_no: int
    flowed_g: int
    named: bool = False
    begun: int = 0
    last_net_g: int = 0
    books: tuple[tuple[str, int], ...] = ()
    alarms: tuple[str, ...] = ()
    state: str = ""


STRAY = ("unauthorised_flow",)
ROWS = (
    Row("nothing happened", permit_no=0, flowed_g=0),
    Row("gas flowed, no permit", 0, 740, begun=1, books=(("unauthorised", 740),), alarms=STRAY),
    Row("a drift is none", permit_no=0, flowed_g=20),
    Row("it leaked", 0, 5_000, books=(("unauthorised", 5_000),), alarms=STRAY),
    Row("it went back", 0, -900, alarms=("totaliser_went_back",)),
    Row("never started", NO, 0, books=(("not_started", 0),), state="voided"),
    Row("never started, and a leak", NO, 740,
        books=(("not_started", 0), ("unauthorised", 740)), alarms=STRAY, state="voided"),
    Row("filled", NO, NET_G, named=True, begun=1, last_net_g=NET_G,
        books=(("interrupted", NET_G),), state="posted"),
    Row("filled, and the masses disagree", NO, NET_G + 90, named=True, begun=1,
        last_net_g=NET_G, books=(("interrupted", NET_G),), alarms=("totaliser_mismatch",),
        state="posted"),
    Row("filled, then by hand", NO, NET_G + 6_000, named=True, begun=2, last_net_g=NET_G,
        books=(("interrupted", NET_G), ("unauthorised", 6_000)), alarms=STRAY, state="posted"),
    Row("begun, not named", NO, 9_000, begun=1, books=(("interrupted", 9_000),), state="posted"),
    Row("begun, not named, more than it holds", NO, 20_000, begun=2,
        books=(("interrupted", ALLOWED_G), ("unauthorised", 20_000 - ALLOWED_G)), alarms=STRAY,
        state="posted"),
    Row("the gate forgot all", NO, -900, begun=-FILLS, books=(("not_started", 0),),
        alarms=("totaliser_mismatch",), state="voided"),
    Row("the gate forgot its fills", NO, 9_000, begun=-FILLS,
        books=(("interrupted", 9_000),), state="posted"),
)  # fmt: skip


def _gate(row: Row) -> ScriptedGate:
    """The gate as the start finds it."""
    sample = replace(
        QUIET,
        total_g=BEFORE_G + row.flowed_g,
        fills=FILLS + row.begun,
        last_permit=NO if row.named else 2,
        last_net_g=row.last_net_g,
        end_reason=4 if row.named else 1,
        cylinder_on=False,
        gross_g=0,
    )
    return ScriptedGate(sample)


async def _earlier_life(store: Store, row: Row) -> None:
    await store.set_total_g("rig-1", BEFORE_G)
    if row.permit_no:
        await store.issue(RIGHT)


@asynccontextmanager
async def _life(folder: Path, row: Row) -> AsyncIterator[Desk]:
    """One start at what the last one left; ends as a crash does."""
    store, clock = await open_store(folder)
    try:
        async with living(store, clock, _gate(row)) as desk:
            yield desk
    finally:
        await store.close()


def _books(records: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    fills = (r["data"] for r in records if r["type"] == "gatewayd.fill.v1")
    return tuple((data["outcome"], data["net_g"]) for data in fills)


def _alarms(records: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(r["data"]["code"] for r in records if r["type"] == "gatewayd.alarm.v1")


def _at_rest(desk: Desk, row: Row) -> bool:
    last_g = desk.store.last_total_g("rig-1")
    booked = abs((last_g or 0) - BEFORE_G - row.flowed_g) <= 20
    state = desk.rig.state
    return booked and state.gate_known and state.permit is None and state.stray is None


def _judge(desk: Desk, row: Row) -> None:
    records = desk.records()
    assert _books(records) == row.books
    assert _alarms(records) == row.alarms
    assert {a.kind for a in desk.store.alarms(standing=True)} == set(row.alarms)
    for record in records:
        data = record["data"]
        if data.get("code") == "unauthorised_flow":
            assert data["values"]["while_away"] is True
            assert str(data["values"]["net_g"]) in data["detail"]
        if data.get("code") == "totaliser_mismatch":
            assert f"({BEFORE_G} g -> " in data["detail"], (
                "both readings, also of one that was lost"
            )
    if row.flowed_g > 0 and "totaliser_mismatch" not in row.alarms:
        assert abs(sum(net_g for _, net_g in row.books) - row.flowed_g) <= 20
    assert chain_breaks(desk.store) == []
    assert desk.store.pending_permits("rig-1") == ()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_a_start_books_what_it_finds(tmp_path: Path, row: Row) -> None:
    store, _ = await open_store(tmp_path)
    await _earlier_life(store, row)
    await store.close()
    async with _life(tmp_path, row) as desk:
        await desk.until(lambda: _at_rest(desk, row))
        assert desk.gate.calls[0] == "lock", "closed before anything else"
        assert "open" not in desk.gate.calls
        _judge(desk, row)
    async with _life(tmp_path, row) as desk:
        await desk.until(lambda: _at_rest(desk, row))
        for _ in range(20):
            await desk.look()
        _judge(desk, row)


def _die_at(number: int, died: list[int]) -> Callable[[], bool]:
    """From the given commit on nothing reaches the disk: the process is dead, only not yet told."""

    def hook() -> bool:
        died[0] += 1
        if died[0] >= number:
            raise apsw.IOError("the process is dead")
        return False

    return hook


async def _die(folder: Path, row: Row, number: int, *, after: bool) -> bool:
    """A life that ends before or after its commit `number`; False = it made fewer."""
    died = [0]
    async with _life(folder, row) as desk:
        hook = _die_at(number + after, died)
        desk.store._writer._connection.set_commit_hook(hook)
        for _ in range(200):
            await desk.look()
            if died[0] >= number or _at_rest(desk, row):
                break
        if after:
            await desk.look()
    return died[0] >= number


def _copy(folder: Path, number: int) -> Path:
    """What the earlier life left, once more."""
    copied = folder / f"{number}"
    copied.mkdir()
    for file in folder.glob("gatewayd.db*"):
        (copied / file.name).write_bytes(file.read_bytes())
    return copied


@pytest.mark.parametrize("row", [row for row in ROWS if row.books or row.alarms],
                         ids=lambda row: row.name)  # fmt: skip
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_start_that_dies_at_any_commit_is_made_good_by_the_next(
    tmp_path: Path, row: Row, *, after: bool
) -> None:
    store, _ = await open_store(tmp_path)
    await _earlier_life(store, row)
    await store.close()
    number = 1
    while number < 10:
        folder = _copy(tmp_path, number)
        made = await _die(folder, row, number, after=after)
        async with _life(folder, row) as desk:
            await desk.until(partial(_at_rest, desk, row))
            _judge(desk, row)
        if not made:
            break
        number += 1
    assert 1 < number < 10, "at least one commit, and an end"
