"""Damage of every kind of page: put aside, taken over as far as it is sound, and never hidden."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from gatewayd.errors import DamagedError, StoreError
from gatewayd.store import checking, rebirth, swap
from gatewayd.store.reads import Reader
from gatewayd.store.verifying import Verified, verify
from tests.support.damage import (
    CYLINDERS,
    DB,
    DELIVERED,
    PAGE,
    RECORDS,
    Made,
    flipped,
    garbled,
    make,
    pages,
    put_aside,
    reopen,
    run_make,
    zeroed,
)
from tests.support.stores import draft, open_store, permit

KILLS, KILL_STEP_S, WHOLE_S = 10, 0.012, 20.0
AT = "2026-08-01T04:00:00+00:00"
CHECK = "INSERT INTO checks VALUES ('cylinder', 'c', 'f', 'prefill', 'rig-1', 'r',"
PAGE_RECORDS_MAX = 24
"""As many small records as one page and its neighbours in a tree of this size hold."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return run_make(tmp_path_factory.mktemp("whole"))


def _look(folder: Path) -> tuple[Verified, dict[int, str]]:
    with Reader.open(folder / DB) as reader:
        return verify(reader), {record.sequence: record.body for record in reader.records()}


async def _opened(made: Made, folder: Path, damage: Callable[[Path], None]) -> Verified:
    """Damage a copy, open it as the daemon does, and see that nothing is hidden or used twice."""
    path = made.copy_to(folder)
    damage(path)
    damaged = path.read_bytes()
    store = reopen(folder)
    archive, aside = store.cylinder_count(), put_aside(folder)
    assert archive in (0, CYLINDERS)
    if archive:
        assert dict(store.cylinder("0000000007").known())["code"] == "0000000007"  # type: ignore[union-attr]
    assert (await store.append(draft())).sequence > RECORDS
    await store.close()
    found, bodies = _look(folder)
    assert found.problem is None
    for sequence, body in made.bodies.items():
        lost = any(gap.from_sequence <= sequence <= gap.sequence for gap in found.lost)
        assert (bodies.get(sequence) == body) != lost, sequence
    if aside:
        assert [file.read_bytes() for file in aside] == [damaged]
        alarms = [body for body in bodies.values() if '"code":"store_damaged"' in body]
        assert len(alarms) == 1
        assert aside[0].name in alarms[0]
    return found


async def test_damage_of_every_kind_of_page_is_survived_and_told(
    made: Made, tmp_path: Path
) -> None:
    kinds, ways = pages(made.path), (zeroed, garbled, flipped)
    quarantined = 0
    for turn, ((name, kind), numbers) in enumerate(sorted(kinds.items())):
        for way in ways if name == "records" else ways[turn % 3 : turn % 3 + 1]:
            folder = tmp_path / f"{name}-{kind}-{way.__name__}"
            page = numbers[len(numbers) // 2]
            found = await _opened(made, folder, lambda path, w=way, p=page: w(path, p))  # type: ignore[misc]
            quarantined += bool(put_aside(folder))
            lost = sum(gap.records for gap in found.lost if gap.sequence <= RECORDS)
            assert lost <= PAGE_RECORDS_MAX, (name, kind, way.__name__, found.lost)
            if name not in ("records", "sqlite_schema"):
                assert lost == 0, (name, kind)
    assert quarantined >= len(kinds) // 2


async def test_a_file_cut_anywhere_goes_on_with_what_is_left(made: Made, tmp_path: Path) -> None:
    size = made.path.stat().st_size
    for turn, kept in enumerate((0, 100, PAGE, size // 3 + 7, size - PAGE, size - 1)):

        def cut(path: Path, kept: int = kept) -> None:
            with path.open("r+b") as file:
                file.truncate(kept)

        folder = tmp_path / str(turn)
        found = await _opened(made, folder, cut)
        assert put_aside(folder)
        if kept == 0:
            assert found.head.sequence > 1_000_000_000, "nothing tells where it ended: by the time"
            _all_locked(folder)


def _all_locked(folder: Path) -> None:
    """Nobody knows any more which rigs were locked, and the alarm says what else is gone."""
    with Reader.open(folder / DB) as reader:
        assert {lock.rig_id for lock in reader.rig_locks()} == {"rig-1", "rig-2"}
        (alarm,) = reader.alarms(standing=True)
    assert {"locks", "archive", "operators", "alarms"} <= set(alarm.values["not_taken_over"])
    assert "跳过的编号" in alarm.detail, "nobody made so many records as seem to be lost"


async def test_a_lost_schema_page_loses_no_record_and_locks_every_rig(
    made: Made, tmp_path: Path
) -> None:
    found = await _opened(made, tmp_path / "x", lambda path: garbled(path, 1))
    (gap,) = found.lost
    assert gap.from_sequence == RECORDS + 1
    assert gap.records == rebirth.SEQUENCES_SKIPPED
    store = reopen(tmp_path / "x")
    assert store.cylinder_count() == 0
    assert {lock.rig_id for lock in store.rig_locks()} == {"rig-1", "rig-2"}
    await store.close()


async def test_what_is_sound_goes_along(made: Made, tmp_path: Path) -> None:
    page = pages(made.path)["records_by_cylinder", "leaf"][0]
    found = await _opened(made, tmp_path / "x", lambda path: zeroed(path, page))
    assert found.ok
    store = reopen(tmp_path / "x")
    assert store.cylinder_count() == CYLINDERS
    assert store.cursor("platform") == DELIVERED
    assert [letter.sequence for letter in store.dead_letters()] == [3]
    assert [right.id for right in store.pending_permits("rig-1")] == [made.permit_id]
    assert store.last_total_g("rig-1") == RECORDS - 5
    assert [lock.rig_id for lock in store.rig_locks()] == ["rig-2"]
    assert {alarm.kind for alarm in store.alarms(standing=True)} == {"overfilled", "store_damaged"}
    held = store.cylinder("0000000007")
    assert held is not None
    assert held.hold == "recall"
    await store.close()


async def test_without_its_rigs_a_store_goes_on_from_its_fills(tmp_path: Path) -> None:
    """No permit number comes twice, and gas that flowed behind the last fill is still seen to have."""
    (tmp_path / "x").mkdir()
    store = open_store(tmp_path / "x")
    for number, total_g in ((6, 900), (7, 15_400)):
        data = {"net_g": 500, "permit_no": number, "total_after_g": total_g}
        await store.append(draft(data=data, total_after_g=total_g))
    await store.issue(permit("rig-1", 8))
    await store.close()
    zeroed(tmp_path / "x" / DB, pages(tmp_path / "x" / DB)["rigs", "leaf"][0])
    fresh = reopen(tmp_path / "x")
    (alarm,) = fresh.alarms(standing=True)
    assert alarm.values["not_taken_over"] == ["rigs"]
    assert (fresh.last_permit_no("rig-1"), fresh.last_total_g("rig-1")) == (7, 15_400)
    assert not fresh.pending_permits("rig-1")
    await fresh.close()


async def test_an_archive_without_its_holds_is_no_archive(made: Made, tmp_path: Path) -> None:
    page = pages(made.path)["holds", "leaf"][0]
    found = await _opened(made, tmp_path / "x", lambda path: garbled(path, page))
    assert found.ok
    store = reopen(tmp_path / "x")
    assert store.cylinder_count() == 0
    (alarm,) = (a for a in store.alarms(standing=True) if a.kind == "store_damaged")
    assert alarm.values["not_taken_over"] == ["archive"]
    await store.close()


async def test_a_changed_record_is_found_at_the_opening_and_not_taken_over(
    made: Made, tmp_path: Path
) -> None:
    def change(path: Path) -> None:
        connection = apsw.Connection(str(path))
        connection.execute("DROP TRIGGER records_never_change")
        connection.execute(
            "UPDATE records SET body = replace(body, '14500', '14400') WHERE sequence = 66"
        )
        connection.close()

    found = await _opened(made, tmp_path / "x", change)
    assert [(gap.from_sequence, gap.sequence) for gap in found.lost] == [(66, 66)]


@pytest.mark.parametrize("body", ["{", "[]", "{}", "7", '{"hash": null}', "[" * 100_000], ids=len)
@pytest.mark.parametrize("back", [0, 1, RECORDS - 1])
def test_a_body_that_is_no_record_is_damage_and_no_surprise(
    made: Made, tmp_path: Path, body: str, back: int
) -> None:
    path = made.copy_to(tmp_path / "s")
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        connection.execute("DROP TRIGGER records_never_change")
        connection.execute("UPDATE records SET body = ? WHERE sequence = ?", (body, RECORDS - back))
    with pytest.raises(DamagedError, match="its content was changed"):
        checking.check(path)


async def test_without_leave_a_damaged_store_is_left_as_it_is(made: Made, tmp_path: Path) -> None:
    path = made.copy_to(tmp_path / "x")
    zeroed(path, pages(path)["records", "leaf"][0])
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(DamagedError, match=r"the store is damaged; .*restore"):
        open_store(path.parent)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


async def test_what_never_was_a_store_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / DB).write_text("station: {}\n" * 500)
    with pytest.raises(StoreError, match=r"looks like no store .*correct store\.path"):
        reopen(tmp_path)
    assert (tmp_path / DB).read_text() == "station: {}\n" * 500


async def test_a_swap_that_was_cut_is_ended_at_every_step(made: Made, tmp_path: Path) -> None:
    """The power goes before each rename: the next start ends it, with the same outcome."""
    for step in range(5):
        folder = tmp_path / str(step)
        path = made.copy_to(folder)
        path.with_name(f"{DB}-wal").write_bytes(b"log of the damaged one")
        aside, fresh = folder / f"{DB}.damaged-x", folder / f"{DB}.fresh"
        await (await asyncio.to_thread(_other, fresh)).close()
        (folder / f"{DB}.swap").write_text(f'{{"aside": "{aside.name}", "fresh": "{fresh.name}"}}')
        moves = [(path, aside), *((_with(path, p), _with(aside, p)) for p in swap.PIECES[1:2])]
        moves.append((fresh, path))
        for source, target in moves[:step]:
            source.rename(target)
        with pytest.raises(StoreError, match="start gatewayd to end that"):
            Reader.open(path)
        store = open_store(folder)
        assert store.last_sequence() == 0
        await store.close()
        assert aside.read_bytes() == made.path.read_bytes()
        assert _with(aside, "-wal").read_bytes() == b"log of the damaged one"
        assert not (folder / f"{DB}.swap").exists()


def _with(path: Path, piece: str) -> Path:
    return path.with_name(path.name + piece)


def _other(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a store
    folder = path.parent / "other"
    folder.mkdir()
    store = open_store(folder)
    (folder / DB).rename(path)
    return store


def test_kill_9_while_a_store_is_put_aside_loses_nothing(made: Made, tmp_path: Path) -> None:
    page = pages(made.path)["records_by_cylinder", "leaf"][0]
    states = set()
    for turn in range(KILLS):
        path = made.copy_to(tmp_path / str(turn))
        zeroed(path, page)
        damaged = path.read_bytes()
        command = [sys.executable, "-m", "tests.store.reopening_child", str(path.parent)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None
            child.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(turn * KILL_STEP_S if turn < KILLS - 1 else WHOLE_S)
            child.kill()
        states.add((path.with_name(f"{DB}.fresh").exists(), bool(put_aside(path.parent))))
        asyncio.run(reopen(path.parent).close())
        found, bodies = _look(path.parent)
        assert found.ok
        assert made.bodies.items() <= bodies.items()
        assert len(bodies) == RECORDS + 1, "one alarm, however often it was begun"
        assert [file.read_bytes() for file in put_aside(path.parent)] == [damaged]
    assert len(states) > 1, "killed before, within or after: more than one of these"


async def test_no_room_for_a_second_file_changes_nothing(made: Made, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no room for a second file"):
        swap.require_disk(made.path, 2**60)
    del tmp_path


async def test_a_check_that_takes_too_long_is_cut_short(tmp_path: Path) -> None:
    whole = await make(tmp_path)
    ticks = iter(range(1_000_000))
    assert not checking.check(whole.path, seconds=2, monotonic=lambda: float(next(ticks)))
    assert checking.check(whole.path)


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        ("UPDATE permits SET judged = '{half'", ["rigs"]),
        ("UPDATE permits SET issued_at = 'noon'", ["rigs"]),
        ("UPDATE alarms SET vals = '{half'", ["alarms"]),
        ("UPDATE rig_locks SET locked_at = 'noon'", ["locks"]),
        ("UPDATE clock SET latest_at = 'noon'", ["clock"]),
        ("INSERT INTO operators VALUES ('1', '', '', 'noon', '', '', '', 1)", ["operators"]),
        ("INSERT INTO sessions VALUES ('rig-1', '1', '', '', 'noon', 'noon', '')", ["operators"]),
        (f"{CHECK} 'noon', '{AT}', '[]', '{{}}', 'null', NULL, NULL)", ["checks"]),
        (f"{CHECK} '{AT}', '{AT}', '{{}}', '{{}}', 'null', NULL, NULL)", ["checks"]),
        (f"{CHECK} '{AT}', '{AT}', '[]', '[]', 'null', NULL, NULL)", ["checks"]),
        ("INSERT INTO postchecks_due VALUES ('f', 'rig-1', 'c', 'form', 'noon')", ["checks"]),
        ("INSERT INTO batches VALUES ('rig-1', '7', 'noon', 0, NULL, 0, 0)", ["checks"]),
        ("UPDATE sightings SET seen_at = 'noon'", ["sightings"]),
        ("UPDATE cursors SET sequence = -1", []),
        ("UPDATE cursors SET sequence = 1 << 60", []),
        ("INSERT INTO dead_letters VALUES ('platform', 999, 'no', '', 0)", []),
    ],
)
async def test_what_was_taken_over_is_no_damage_at_the_next_start(
    made: Made, tmp_path: Path, broken: str, lost: list[str]
) -> None:
    """Else every start would put a store aside, until the disk is full."""
    path = made.copy_to(tmp_path / "x")
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        connection.execute(broken)
    for _ in range(2):
        store = reopen(tmp_path / "x")
        (alarm,) = (a for a in store.alarms(standing=True) if a.kind == "store_damaged")
        assert alarm.values["not_taken_over"] == lost
        assert store.cursor("platform") == (DELIVERED if "cursors" not in broken else 0)
        await store.close()
    assert len(put_aside(tmp_path / "x")) == 1
