"""Records: sealed, chained, gap-free, written once."""

import asyncio
import hashlib
import json
from pathlib import Path

import apsw
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gatewayd.shapes.kinds import RecordKind
from gatewayd.store.chain import FIRST_PREVHASH, Head, Issuer, broken, content_hash, parse, seal
from gatewayd.store.model import Cylinder, Record
from tests.support.stores import NOON, STATION, ZONE, chain_breaks, draft, open_store, permit

ISSUER = Issuer(STATION, ZONE)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


async def test_a_record_is_the_envelope_of_the_contract(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    record = await store.append(draft(record_id="0198", data={"net_g": 14_500}))
    await store.close()
    envelope = json.loads(record.body)
    digest = envelope.pop("hash")
    assert envelope == {
        "specversion": "1.0",
        "id": "0198",
        "source": "/stations/3701000042/rigs/rig-1",
        "type": "gatewayd.fill.v1",
        "time": "2026-08-01T12:00:00.000+08:00",
        "datacontenttype": "application/json",
        "sequence": 1,
        "prevhash": "0" * 64,
        "data": {"net_g": 14_500},
    }
    assert digest == hashlib.sha256(rfc8785.dumps(envelope)).hexdigest()
    assert (record.sequence, record.id, record.kind, record.rig_id) == (1, "0198", "fill", "rig-1")


async def test_every_record_names_the_hash_before_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    bodies = [json.loads((await store.append(draft())).body) for _ in range(5)]
    assert [body["sequence"] for body in bodies] == [1, 2, 3, 4, 5]
    hashes = [FIRST_PREVHASH, *(body["hash"] for body in bodies)]
    assert [body["prevhash"] for body in bodies] == hashes[:-1]
    assert chain_breaks(store) == []
    await store.close()


@given(st.dictionaries(_TEXT, JSON))
def test_the_hash_is_that_of_an_independent_computation(data: dict[str, object]) -> None:
    sealed = seal(draft(data=data), data, issuer=ISSUER, head=Head())
    envelope = parse(sealed.record.body)
    assert sealed.record.body.encode() == rfc8785.dumps(envelope)
    digest = envelope.pop("hash")
    assert digest == hashlib.sha256(rfc8785.dumps(envelope)).hexdigest() == sealed.hash
    assert content_hash(envelope | {"hash": "x", "signature": "y"}) == digest
    assert broken(sealed.record, Head()) is None


@given(st.data())
def test_no_changed_byte_of_a_record_goes_unnoticed(data: st.DataObject) -> None:
    body = seal(draft(), {"net_g": 14_500, "name": "济南"}, issuer=ISSUER, head=Head()).record.body
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda c: c != body[at]))
    changed = body[:at] + other + body[at + 1 :]
    same = seal(draft(), {}, issuer=ISSUER, head=Head()).record
    record = Record(1, json.loads(body)["id"], same.kind, same.rig_id, changed)
    problem = broken(record, Head())
    assert problem is not None or json.loads(changed) == json.loads(body)


async def test_the_same_draft_again_returns_the_committed_record(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=False)
    fill = draft(counts_fill_of="c1")
    first = await store.append(fill)
    again = await asyncio.gather(*(store.append(fill) for _ in range(5)))
    assert set(again) == {first}
    assert store.last_sequence() == 1
    entry = store.cylinder("c1")
    assert entry is not None
    assert entry.fills_done == 1
    await store.close()


async def test_a_fill_is_counted_on_its_cylinder_in_the_same_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1", fills_done=41), Cylinder("c2")], replace=False)
    counts = [
        json.loads((await store.append(draft(counts_fill_of=code))).body)["data"].get("fill_count")
        for code in ("c1", "c2", "c2", "unknown")
    ]
    assert counts == [42, 1, 2, None]
    await store.close()


async def test_a_record_moves_the_last_total_of_its_rig_only(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.set_total_g("rig-2", 5)
    await store.append(draft(rig_id="rig-1", total_after_g=4_294_967_295))
    await store.append(draft("refusal", rig_id="rig-2"))
    totals = [store.last_total_g(rig) for rig in ("rig-1", "rig-2", "rig-3")]
    assert totals == [4_294_967_295, 5, None]
    await store.close()


async def test_records_are_found_by_sequence_kind_and_rig(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    kinds: tuple[RecordKind, ...] = ("fill", "refusal", "alarm", "fill", "refusal")
    made = [await store.append(draft(kind, rig_id=f"rig-{n % 2}")) for n, kind in enumerate(kinds)]
    assert store.records() == tuple(made)
    assert store.records(after_sequence=3) == tuple(made[3:])
    assert store.records(limit=2) == tuple(made[:2])
    assert store.records(kind="fill") == (made[0], made[3])
    assert store.records(kind="refusal", rig="rig-0") == (made[4],)
    assert store.newest_records(limit=2) == tuple(made[3:])
    assert store.record(2) == store.record(made[1].id) == made[1]
    assert store.record("x") is None
    await store.close()


async def test_a_committed_record_can_be_neither_changed_nor_deleted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.append(draft())
    await store.close()
    connection = apsw.Connection(str(tmp_path / "gatewayd.db"))
    for sql in ("UPDATE records SET body = '{}'", "DELETE FROM records"):
        with pytest.raises(apsw.ConstraintError, match="a committed record"):
            connection.execute(sql)
    connection.close()


async def test_a_permit_is_resolved_exactly_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    right = permit(permit_no=9)
    await store.issue(right)
    await store.issue(right)
    assert store.pending_permits("rig-1") == (right,)
    assert store.pending_permits("rig-2") == ()
    assert (store.last_permit_no("rig-1"), store.last_permit_no("rig-2")) == (9, 0)
    fill = draft(record_id=right.record_id)
    first = await store.resolve(right.id, "posted", fill)
    assert store.pending_permits("rig-1") == ()
    assert await store.resolve(right.id, "posted", fill) == first
    with pytest.raises(AssertionError):
        await store.resolve(right.id, "posted", draft())
    with pytest.raises(AssertionError):
        await store.resolve("no such permit", "posted", fill)
    assert (store.last_sequence(), store.healthy) == (1, True)
    await store.close()


async def test_two_permits_cannot_end_in_one_record(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first, second = permit("rig-1"), permit("rig-2")
    await store.issue(first)
    stolen = type(second)(
        **{n: getattr(second, n) for n in second.__slots__} | {"record_id": first.record_id}
    )
    with pytest.raises(AssertionError):
        await store.issue(stolen)
    assert store.pending_permits("rig-2") == ()
    await store.close()


async def test_a_rig_has_at_most_one_pending_permit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first = permit()
    await store.issue(first)
    with pytest.raises(AssertionError):
        await store.issue(permit(permit_no=2))
    assert (store.pending_permits("rig-1"), store.last_permit_no("rig-1")) == ((first,), 1)
    await store.close()


async def test_a_permit_pending_at_a_restart_is_found_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    rights = [permit(f"rig-{n}", permit_no=n) for n in (1, 2)]
    for right in rights:
        await store.issue(right)
    await store.close()
    store = open_store(tmp_path)
    assert [store.pending_permits(f"rig-{n}") for n in (1, 2)] == [(rights[0],), (rights[1],)]
    assert store.pending_permits("rig-1")[0].issued_at == NOON
    await store.close()


async def test_a_cursor_never_moves_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for _ in range(3):
        await store.append(draft())
    for through in (2, 1, 0):
        await store.acknowledge("platform", through)
        assert store.cursor("platform") == 2, through
    await store.close()


async def test_waiting_for_a_record_ends_with_its_commit(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = [group.create_task(store.wait_for(n)) for n in (0, 0, 1)]
        await store.set_total_g("rig-1", 1)
        assert not any(task.done() for task in waiting)
        await store.append(draft())
        await asyncio.gather(*waiting[:2])
        assert not waiting[2].done()
        await store.append(draft())
    await store.wait_for(1)
    await store.close()
