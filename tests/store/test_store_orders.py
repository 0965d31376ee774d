"""Holds and locks with their records: who and why, once, from inside the daemon and from beside."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gatewayd.errors import StoreError
from gatewayd.ids import new_id
from gatewayd.store import beside, orders
from gatewayd.store.chain import Issuer
from gatewayd.store.model import Cylinder
from gatewayd.store.orders import CarryOut, Done, Order
from gatewayd.store.reads import Reader
from gatewayd.store.store import Store
from tests.support.stores import NOON, STATION, ZONE, chain_breaks, open_store

ISSUER = Issuer(STATION, ZONE)


def _order(subject: str, reason: str, by: str = "SAMR") -> Order:
    return Order(new_id(), subject, reason, by, "cli", NOON)


def _data(store: Reader | Store) -> list[dict[str, Any]]:
    found = [json.loads(record.body) for record in store.records()]
    return [{"type": each["type"], "source": each["source"], **each["data"]} for each in found]


async def test_a_hold_and_its_release_are_records_with_who_and_why(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=True)
    assert await store.order(orders.hold, _order("c1", "recall")) == Done(changed=True)
    assert await store.order(orders.hold, _order("c1", "recall", "other")) == Done(changed=False)
    assert (await store.order(orders.release, _order("c1", "found good", "Li Si"))).changed
    assert not (await store.order(orders.release, _order("c1", "again"))).changed
    held, released = _data(store)
    assert held == {
        "type": "gatewayd.hold.v1",
        "source": f"/stations/{STATION}",
        "station_id": STATION,
        "event": "held",
        "cylinder": {"code": "c1"},
        "reason": "recall",
        "by": {"who": "SAMR", "how": "cli", "why": "recall"},
    }
    assert (released["event"], released["held_for"]) == ("released", "recall")
    assert [one.held_by for one in store.holds("c1")] == ["SAMR"]
    assert store.open_holds() == ()
    assert chain_breaks(store) == []
    await store.close()


async def test_a_lock_stands_until_it_is_unlocked_and_both_are_records(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.rig_lock("rig-1") is None
    for reason in ("drill", "drill", "accident"):
        await store.order(orders.lock, _order("rig-1", reason))
    lock = store.rig_lock("rig-1")
    assert lock is not None
    assert (lock.reason, lock.locked_by, lock.locked_at) == ("accident", "SAMR", NOON)
    assert store.rig_locks() == (lock,)
    await store.order(orders.unlock, _order("rig-1", "over", "Li Si"))
    assert (store.rig_lock("rig-1"), store.rig_locks()) == (None, ())
    found = _data(store)
    assert [each["event"] for each in found] == ["locked", "locked", "unlocked"]
    assert found[2]["locked_for"] == "accident"
    assert found[2]["source"] == f"/stations/{STATION}/rigs/rig-1"
    await store.close()


async def test_what_the_gateway_found_stands_beside_whatever_it_is_locked_for_later(
    tmp_path: Path,
) -> None:
    """Who has mended the hose unlocks it, and must have read why the gateway had locked it."""
    store = open_store(tmp_path)
    await store.order(orders.lock, _order("rig-1", "mixed up", orders.GATEWAY))
    for reason in ("hose", "brake", "brake"):
        await store.order(orders.lock, _order("rig-1", reason))
    lock = store.rig_lock("rig-1")
    assert lock is not None
    assert (lock.reason, lock.locked_by) == ("mixed up; brake", "SAMR")
    assert [each["reason"] for each in _data(store)] == [
        "mixed up",
        "mixed up; hose",
        "mixed up; brake",
    ]
    await store.order(orders.unlock, _order("rig-1", "looked"))
    await store.order(orders.lock, _order("rig-1", "hose"))
    assert [each.reason for each in store.rig_locks()] == ["hose"], "that was answered for"
    await store.close()


@pytest.mark.parametrize("work", [orders.hold, orders.release, orders.lock, orders.unlock])
async def test_the_same_order_again_changes_nothing(work: CarryOut, tmp_path: Path) -> None:
    """A commit of which nobody heard is tried again, also after somebody undid it."""
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("x")], replace=True)
    undoes: dict[CarryOut, CarryOut] = {
        orders.hold: orders.release,
        orders.release: orders.hold,
        orders.lock: orders.unlock,
        orders.unlock: orders.lock,
    }
    undo = undoes[work]
    if work in {orders.release, orders.unlock}:
        await store.order(undo, _order("x", "first"))
    given = _order("x", "why")
    assert (await store.order(work, given)).changed
    await store.order(undo, _order("x", "back"))
    before = (len(_data(store)), store.holds("x"), store.rig_locks())
    assert not (await store.order(work, given)).changed
    assert (len(_data(store)), store.holds("x"), store.rig_locks()) == before
    await store.close()


async def test_from_beside_the_daemon_they_join_the_same_chain(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.import_cylinders([Cylinder("c1")], replace=True)
    seen = store.data_version()
    assert store.data_version() == seen
    for work, subject in ((orders.hold, "c1"), (orders.lock, "rig-1"), (orders.hold, "c2")):
        done = beside.order(store.path, work, _order(subject, "why"), issuer=ISSUER)
        assert done == Done(changed=True, known=subject != "c2")
    assert store.data_version() != seen
    await store.order(orders.unlock, _order("rig-1", "over"))
    assert store.rig_locks() == ()
    cylinder = store.cylinder("c1")
    assert cylinder is not None
    assert cylinder.hold == "why"
    assert [each["event"] for each in _data(store)] == ["held", "locked", "held", "unlocked"]
    assert chain_breaks(store) == []
    await store.import_cylinders([Cylinder("c2")], replace=False)
    held = store.cylinder("c2")
    assert held is not None
    assert held.hold == "why", "held before it was known"
    await store.close()


async def test_before_the_first_start_and_only_at_the_own_station(tmp_path: Path) -> None:
    path = tmp_path / "gatewayd.db"
    assert beside.order(path, orders.lock, _order("rig-1", "why"), issuer=ISSUER).changed
    with Reader.open(path) as store:
        assert [lock.rig_id for lock in store.rig_locks()] == ["rig-1"]
    with pytest.raises(StoreError, match="belongs to station"):
        beside.order(path, orders.lock, _order("rig-1", "y"), issuer=Issuer("other", ZONE))


async def test_one_cylinders_records_are_found_by_its_code(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for n in range(30):
        order = Order(new_id(), f"c{n % 3}", f"why {n}", "b", "cli", NOON + timedelta(minutes=n))
        await store.order(orders.hold, order)
    found = [json.loads(one.body)["data"]["reason"] for one in store.records_of("c1")]
    assert found == [f"why {n}" for n in range(1, 30, 3)]
    first = store.records_of("c1", limit=4)
    rest = store.records_of("c1", after_sequence=first[-1].sequence)
    assert (*first, *rest) == store.records_of("c1")
    assert store.records_of("nobody") == ()
    plan = store._rows(
        "EXPLAIN QUERY PLAN SELECT 1 FROM records WHERE iif(json_valid(body), "
        "json_extract(body, '$.data.cylinder.code'), NULL) = 'c1' AND sequence > 0"
    )
    assert "USING INDEX records_by_cylinder" in str(plan).replace("COVERING ", "")
    await store.close()
