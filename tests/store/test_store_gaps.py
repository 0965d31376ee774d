"""Missing records: which may go, how the chain goes on behind them, and that nothing else may."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner

from gatewayd.cli.root import main
from gatewayd.store import gaps
from gatewayd.store.chain import parse
from gatewayd.store.gaps import Gap
from gatewayd.store.links import link, proven
from gatewayd.store.model import Record
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from gatewayd.store.verifying import Verified, verify
from tests.support.stores import STATION, draft, open_store

DB = "gatewayd.db"


async def _store(folder: Path, records: int = 9) -> Store:
    store = open_store(folder)
    for _ in range(records):
        await store.append(draft(data={"note": '"hash":"no", 罐 \\ "datacontenttype":'}))
    return store


@contextmanager
def _sql(folder: Path) -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(str(folder / DB))) as connection:
        yield connection


def _verified(folder: Path) -> Verified:
    with Reader.open(folder / DB) as reader:
        quick = verify(reader, quick=True)
        assert verify(reader) == quick
        return quick


def _mark(connection: apsw.Connection, through: int, upstreams: str = '["platform"]') -> None:
    connection.execute(
        "UPDATE pruned SET sequence = ?1, upstreams = ?2, pruned_at = 'now', "
        "hash = (SELECT hash FROM records WHERE sequence = ?1)",
        (through, upstreams),
    )


async def test_only_records_below_the_mark_may_go(tmp_path: Path) -> None:
    store = await _store(tmp_path)
    await store.acknowledge("platform", 6, dead=[(3, "refused")])
    await store.close()
    with _sql(tmp_path) as sql:
        for through, upstreams in ((7, '["platform"]'), (5, '["platform", "new"]'), (9, "[]")):
            with pytest.raises(apsw.ConstraintError, match="every upstream has taken"):
                _mark(sql, through, upstreams)
        with pytest.raises(apsw.ConstraintError, match="never lost"):
            sql.execute("DELETE FROM records WHERE sequence = 1")
        _mark(sql, 5)
        for forbidden in ("sequence = 6", "sequence = 3", "sequence > 0"):
            with pytest.raises(apsw.ConstraintError, match="never lost"):
                sql.execute(f"DELETE FROM records WHERE {forbidden}")  # noqa: S608 - our words
        for forged in (
            "UPDATE pruned SET sequence = 2",
            "UPDATE pruned SET sequence = 6, hash = 'x'",
        ):
            with pytest.raises(apsw.ConstraintError, match="every upstream has taken"):
                sql.execute(forged)
        with pytest.raises(apsw.ConstraintError, match="never forgotten"):
            sql.execute("DELETE FROM pruned")
        sql.execute("DELETE FROM records WHERE sequence IN (1, 2, 4, 5)")
    found = _verified(tmp_path)
    assert (found.ok, found.records, found.pruned.head.sequence, found.head.sequence) == (
        True,
        5,
        5,
        9,
    )
    store = open_store(tmp_path)
    assert (await store.append(draft())).sequence == 10
    await store.close()
    assert _verified(tmp_path).ok


async def test_a_record_that_is_changed_or_missing_above_the_mark_is_named(tmp_path: Path) -> None:
    store = await _store(tmp_path)
    await store.acknowledge("platform", 6, dead=[(3, "refused")])
    await store.close()
    with _sql(tmp_path) as sql:
        _mark(sql, 5)
        sql.execute("DROP TRIGGER records_are_never_lost; DROP TRIGGER records_never_change")
        sql.execute("DELETE FROM records WHERE sequence IN (1, 2, 4, 5, 7)")
    assert _verified(tmp_path).problem == "record 8: sequence 7 is missing, the next is 8"
    with _sql(tmp_path) as sql:
        sql.execute("UPDATE records SET body = replace(body, 'rig-1', 'rig-2') WHERE sequence = 3")
    assert _verified(tmp_path).problem == "record 3: its content was changed"


async def test_a_gap_is_told_and_what_is_left_must_fit_around_it(tmp_path: Path) -> None:
    store = await _store(tmp_path)
    after = store.record(6)
    assert after is not None
    prevhash = parse(after.body)["prevhash"]
    await store.close()
    gap = Gap(4, 5, prevhash, "2026-08-01T04:00:00+00:00", "gatewayd.db.damaged-x")
    with _sql(tmp_path) as sql:
        sql.execute("DROP TRIGGER records_are_never_lost")
        sql.execute("DELETE FROM records WHERE sequence IN (4, 5)")
        gaps.note(sql, gap)
    found = _verified(tmp_path)
    assert (found.ok, found.problem, found.lost, found.head.sequence) == (False, None, (gap,), 9)
    with Reader.open(tmp_path / DB) as reader:
        assert [reader.waiting(through) for through in (0, 3, 4, 5, 9)] == [7, 4, 4, 4, 0]
    with _sql(tmp_path) as sql:
        sql.execute("UPDATE gaps SET hash = 'another'")
    assert "the record before it has another" in str(_verified(tmp_path).problem)


async def test_the_chain_goes_on_behind_a_gap_at_its_end(tmp_path: Path) -> None:
    store = await _store(tmp_path, records=2)
    last = store.record(2)
    assert last is not None
    await store.close()
    with _sql(tmp_path) as sql:
        gaps.note(sql, Gap(3, 1_002, parse(last.body)["hash"], "now", "gone"))
    store = open_store(tmp_path)
    assert (await store.append(draft())).sequence == 1_003
    assert store.waiting(2) == 1
    await store.close()
    assert _verified(tmp_path).problem is None
    words = ["records", "verify", "--store", str(tmp_path / DB)]
    told = CliRunner().invoke(main, [*words, "--json"])
    lost = [{"from": 3, "to": 1_002, "noted_at": "now", "file": "gone"}]
    found = json.loads(told.stdout)
    assert (told.exit_code, found["ok"], found["problem"], found["lost"]) == (1, False, None, lost)
    plain = CliRunner().invoke(main, words)
    assert "3 to 1002: lost with gone (now)" in plain.output
    assert "every record that is here is right" in plain.output


async def test_when_a_gap_was_noted_is_told_in_the_time_of_the_station(tmp_path: Path) -> None:
    """By the configuration, else by the newest record; also of a copy whose records were changed."""
    noted = "2026-08-31T18:30:05.123456+00:00"
    store = await _store(tmp_path, records=2)
    last = store.record(2)
    assert last is not None
    await store.close()
    with _sql(tmp_path) as sql:
        gaps.note(sql, Gap(3, 4, parse(last.body)["hash"], noted, "gone"))
    store = open_store(tmp_path)
    await store.append(draft())
    await store.close()
    site = tmp_path / "gateway.yaml"
    site.write_text(f'station: {{id: "{STATION}", timezone: Asia/Urumqi}}\n', "utf-8")
    of_copy = ("records", "verify", "--store", str(tmp_path / DB))
    assert _told(*of_copy) == "3 to 4: lost with gone (2026-09-01T02:30:05+08:00)"
    here = ("-c", str(tmp_path), "records", "verify")
    assert _told(*here) == "3 to 4: lost with gone (2026-09-01T00:30:05+06:00)"
    with _sql(tmp_path) as sql:
        sql.execute("DROP TRIGGER records_never_change")
        sql.execute("UPDATE records SET body = 'no record' WHERE sequence = 5")
    assert "after 2 good records" in _told(*of_copy, line=-1)


def _told(*words: str, line: int = 0) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1, result.output
    return result.output.splitlines()[line]


async def test_a_record_proves_itself_by_its_text(tmp_path: Path) -> None:
    store = await _store(tmp_path, records=1)
    await store.append(draft(rig_id=""))
    await store.append(draft(rig_id="points/gate"))
    for record in store.records():
        assert proven(record) is not None
        assert proven(Record(record.sequence, record.id, "fill", "else", record.body)) is None
        assert proven(Record(99, record.id, record.kind, record.rig_id, record.body)) is None
    (one, *_) = store.records()
    for at in range(len(one.body)):
        changed = one.body[:at] + chr(ord(one.body[at]) ^ 1) + one.body[at + 1 :]
        assert link(changed) is None, at
    assert link("") is link("{}") is link("[]") is None
    spaced = one.body.replace(",", ", ")
    assert link(spaced) is None, "text inside values changed too"
    await store.close()
