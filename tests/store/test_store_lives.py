"""A cylinder's last fill, its passing of the gate and its last place outlive its records."""

from pathlib import Path

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewayd.store import passing
from gatewayd.store.model import RecordDraft
from gatewayd.store.passing import Life, Passing
from gatewayd.store.reads import Reads
from tests.support.stores import NOON, draft, open_store, permit


def _of(what: Passing, rig_id: str = "rig-1") -> RecordDraft:
    base = draft(rig_id=rig_id)
    return RecordDraft(base.id, base.kind, base.rig_id, base.time, base.data, passing=what)


async def test_a_fill_and_a_passing_of_the_gate_are_remembered(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.life("c1") == Life()
    await store.append(_of(Passing("c1", filled_g=14_500)))
    filled = store.life("c1")
    assert (filled.filled_at, filled.filled_g, filled.left_since_fill) == (NOON, 14_500, False)
    await store.append(_of(Passing("c1", crossed=True), "points/gate"))
    assert store.life("c1").left_since_fill
    await store.append(_of(Passing("c1", filled_g=500)))
    assert (store.life("c1").filled_g, store.life("c1").left_since_fill) == (500, False)
    assert store.life("c2") == Life()
    await store.close()


async def test_gas_on_top_of_a_fill_adds_to_it_until_the_cylinder_has_left(tmp_path: Path) -> None:
    """A little that leaked must not make little of what it holds: the gate judges by that."""
    store = open_store(tmp_path)
    for filled_g, holds_g in ((400, 400), (300, 700)):
        await store.append(_of(Passing("c1", filled_g=filled_g, beside=True)))
        assert store.life("c1").filled_g == holds_g
    await store.append(_of(Passing("c1", filled_g=14_500)))
    await store.append(_of(Passing("c1", filled_g=600, beside=True), "rig-2"))
    assert store.life("c1").filled_g == 15_100
    await store.append(_of(Passing("c1", crossed=True), "points/gate"))
    await store.append(_of(Passing("c1", filled_g=600, beside=True)))
    assert store.life("c1").filled_g == 600
    await store.close()


async def test_a_record_committed_twice_counts_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    one = _of(Passing("c1", filled_g=1))
    await store.append(one)
    await store.append(_of(Passing("c1", crossed=True)))
    await store.append(one)
    assert store.life("c1").left_since_fill
    await store.close()


async def test_the_source_of_a_point_is_no_rig(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    record = await store.append(_of(Passing("c1"), "points/gate-1"))
    assert '"source":"/stations/3701000042/points/gate-1"' in record.body
    await store.close()


async def test_permits_and_records_tell_where_a_cylinder_was_seen(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.issue(permit())
    await store.append(_of(Passing("c2"), "points/gate"))
    await store.append(_of(Passing("c3", filled_g=5, seen=False)))
    await store.close()
    again = open_store(tmp_path)
    found = [(seen.code, seen.place, seen.seen_at) for seen in again.sightings()]
    assert found == [("3701000001", "rig-1", NOON), ("c2", "points/gate", NOON)]
    await again.close()


def test_only_the_newest_sightings_are_kept(tmp_path: Path) -> None:
    connection = apsw.Connection(":memory:")
    schema = Path(passing.__file__).with_name("schema.sql").read_text(encoding="utf-8")
    connection.execute(schema)
    for number in range(passing.SIGHTINGS_KEPT_MAX + 3):
        passing.see(connection, f"c{number}", "rig-1", "2026-08-01T04:00:00+00:00")
    found = Reads(tmp_path, connection).sightings()
    assert len(found) == passing.SIGHTINGS_KEPT_MAX
    assert (found[0].code, found[-1].code) == ("c3", f"c{passing.SIGHTINGS_KEPT_MAX + 2}")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.one_of(st.none(), st.integers(0, 9)),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_a_life_is_what_a_walk_over_its_records_says(
    steps: list[tuple[str, int | None, bool]],
) -> None:
    connection = apsw.Connection(":memory:")
    schema = Path(passing.__file__).with_name("schema.sql").read_text(encoding="utf-8")
    connection.execute(schema)
    for sequence, (code, filled_g, crossed) in enumerate(steps, 1):
        what = Passing(code, filled_g, crossed)
        passing.note(connection, what, place="p", sequence=sequence, at=NOON.isoformat())
    reads = Reads(Path("x"), connection)
    for code in "ab":
        fills = [n for n, (c, g, _) in enumerate(steps, 1) if c == code and g is not None]
        crossings = [n for n, (c, _, x) in enumerate(steps, 1) if c == code and x]
        left = bool(crossings) and (not fills or crossings[-1] > fills[-1])
        assert reads.life(code).left_since_fill == left
        last = steps[fills[-1] - 1][1] if fills else None
        assert reads.life(code).filled_g == last
