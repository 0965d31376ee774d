"""What one write job does inside the writer's transaction. Plain functions over a connection.

A function that raises leaves nothing behind: the writer undoes its savepoint. World errors come
out as apsw.Error or StoreError; an AssertionError means that we erred.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import apsw

from gatewayd.store import ahead, database, gaps, passing, room, rows
from gatewayd.store.chain import Issuer, seal
from gatewayd.store.filled import filled
from gatewayd.store.model import Permit, Record, RecordDraft, Resolution

MAY_USE_RESERVE = frozenset({"fill", "alarm"})
"""Kinds of records that tell what has happened already; the rest may be refused beforehand."""
TAKES_GAS_AWAY = frozenset({("lock", "locked"), ("hold", "held")})
"""Kinds and events of what closes a gate: not refused before half of the reserve is gone."""

_RECORD_BY_ID = f"SELECT {rows.RECORD_COLUMNS} FROM records WHERE id = ?"  # noqa: S608 - our names
_ISSUE = (
    f"INSERT INTO permits ({rows.PERMIT_COLUMNS}, state) "  # noqa: S608 - our names
    f"VALUES ({'?, ' * (rows.PERMIT_COLUMNS.count(',') + 1)}'pending')"
)
_COUNT_FILL = (
    "UPDATE cylinders SET fills_done = coalesce(fills_done, 0) + 1 WHERE code = ? "
    "RETURNING fills_done"
)
_SET_TOTAL = (
    "INSERT INTO rigs (rig, last_total_g) VALUES (?, ?) "
    "ON CONFLICT (rig) DO UPDATE SET last_total_g = excluded.last_total_g"
)
_SET_LAST_FILLED = (
    "INSERT INTO rigs (rig, last_filled) VALUES (?, ?) "
    "ON CONFLICT (rig) DO UPDATE SET last_filled = excluded.last_filled"
)
_SET_PERMIT_NO = (
    "INSERT INTO rigs (rig, last_permit_no) VALUES (?, ?) "
    "ON CONFLICT (rig) DO UPDATE SET last_permit_no = excluded.last_permit_no"
)

_SET_ALARM = (
    f"INSERT INTO alarms ({rows.ALARM_COLUMNS}) "  # noqa: S608 - our names
    f"VALUES ({'?, ' * rows.ALARM_COLUMNS.count(',')}?) ON CONFLICT (kind, subject) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in rows.ALARM_COLUMNS.split(", "))
    + " WHERE excluded.cleared_at IS NOT NULL OR excluded.acknowledged_at IS NOT NULL "
    "OR alarms.acknowledged_at IS NULL OR alarms.record_id <> excluded.record_id"
)
"""A record that waited longer than the answer to it does not let the alarm stand again."""


def probe(connection: apsw.Connection) -> None:
    """A write of no meaning: whether one can be made at all."""
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'probes'")


def issue(connection: apsw.Connection, permit: Permit) -> None:
    """Commit a permit as pending; the same permit again changes nothing.

    A second pending permit for one rig is our error.
    Refused with StoreError on the reserve: what could not be ended must not begin.
    """
    if connection.execute("SELECT 1 FROM permits WHERE id = ?", (permit.id,)).get:
        return
    database.require_room(connection)
    connection.execute(_ISSUE, rows.permit_row(permit))
    connection.execute(_SET_PERMIT_NO, (permit.rig_id, permit.permit_no))
    passing.see(connection, permit.cylinder_code, permit.rig_id, rows.utc(permit.issued_at))


def resolve(
    connection: apsw.Connection,
    permit_id: str,
    resolution: Resolution,
    draft: RecordDraft,
    issuer: Issuer,
) -> Record:
    """End a permit with its one record. Again with the same record id: the committed record."""
    found = connection.execute(
        "SELECT state, record_id FROM permits WHERE id = ?", (permit_id,)
    ).fetchone()
    assert found is not None, permit_id
    state, record_id = found
    assert record_id == draft.id, (permit_id, record_id, draft.id)
    if state != "pending":
        committed = _committed(connection, draft.id)
        assert committed is not None, (permit_id, state)
        return committed
    assert _committed(connection, draft.id) is None, draft.id
    connection.execute("UPDATE permits SET state = ? WHERE id = ?", (resolution, permit_id))
    return append(connection, draft, issuer)


def append(connection: apsw.Connection, draft: RecordDraft, issuer: Issuer) -> Record:
    """Write the next record; a draft whose id is committed returns the committed record.

    Only fills and alarms may use the reserve, and half of it what takes gas away: what else anybody
    asks for needs more room than that.
    """
    committed = _committed(connection, draft.id)
    if committed is not None:
        return committed
    closes = (draft.kind, draft.data.get("event")) in TAKES_GAS_AWAY
    if draft.kind not in MAY_USE_RESERVE and not (closes and room.for_closing(connection)):
        database.require_room(connection)
    data = dict(draft.data)
    if draft.counts_fill_of is not None:
        count = connection.execute(_COUNT_FILL, (draft.counts_fill_of,)).get
        data |= {} if count is None else {"fill_count": count}
        connection.execute(_SET_LAST_FILLED, (draft.rig_id, draft.counts_fill_of))
    sealed = seal(draft, data, issuer=issuer, head=gaps.head(connection))
    record = sealed.record
    connection.execute(
        "INSERT INTO records (sequence, id, rig, kind, time, prevhash, hash, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.sequence,
            record.id,
            record.rig_id,
            record.kind,
            sealed.time,
            sealed.prevhash,
            sealed.hash,
            record.body,
        ),
    )
    if draft.passing is not None:
        at = rows.utc(draft.time)
        place, sequence = draft.rig_id, record.sequence
        passing.note(connection, draft.passing, place=place, sequence=sequence, at=at)
    if draft.total_after_g is not None:
        set_total_g(connection, draft.rig_id, draft.total_after_g)
    filled(connection, draft)
    if draft.alarm is not None:
        connection.execute(_SET_ALARM, rows.alarm_row(draft.alarm))
    for each in draft.also:
        append(connection, each, issuer)
    return record


Commit: TypeAlias = Callable[[apsw.Connection, Issuer, RecordDraft], object]
"""Commits a record, with whatever belongs to it."""


def record_alone(connection: apsw.Connection, issuer: Issuer, draft: RecordDraft) -> Record:
    """Nothing else belongs to it."""
    return append(connection, draft, issuer)


def _committed(connection: apsw.Connection, record_id: str) -> Record | None:
    found = connection.execute(_RECORD_BY_ID, (record_id,)).fetchone()
    return None if found is None else rows.record(found)


def set_total_g(connection: apsw.Connection, rig_id: str, total_g: int) -> None:
    """Remember the rig's totaliser, in grams."""
    connection.execute(_SET_TOTAL, (rig_id, total_g))


def keep(connection: apsw.Connection, rig_id: str, text: str) -> None:
    """Remember a rig's own text in the place of the last one."""
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)", (rows.KEPT.format(rig_id), text)
    )


def acknowledge(
    connection: apsw.Connection,
    upstream: str,
    through_sequence: int,
    dead: Sequence[tuple[int, str]],
    at: str,
) -> None:
    """Move an upstream's cursor forward, never back, with the records it refused for good."""
    last = connection.execute("SELECT coalesce(max(sequence), 0) FROM records").get
    assert 0 <= through_sequence <= last, (upstream, through_sequence, last)
    assert all(0 < sequence <= through_sequence for sequence, _ in dead), (upstream, dead)
    connection.execute(
        "INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT (upstream) DO UPDATE SET "
        "acknowledged_at = excluded.acknowledged_at, sequence = max(sequence, excluded.sequence)",
        (upstream, through_sequence, at),
    )
    ahead.passed(connection, upstream, through_sequence)
    _bury(connection, upstream, dead, at)


def settle_retried(
    connection: apsw.Connection,
    upstream: str,
    delivered: Sequence[int],
    dead: Sequence[tuple[int, str]],
    at: str,
) -> None:
    """End retries: delivered ones are dead letters no more, refused ones are again."""
    connection.executemany(
        "DELETE FROM dead_letters WHERE upstream = ? AND sequence = ? AND retrying = 1",
        ((upstream, sequence) for sequence in delivered),
    )
    _bury(connection, upstream, dead, at)


def _bury(
    connection: apsw.Connection, upstream: str, dead: Sequence[tuple[int, str]], at: str
) -> None:
    connection.executemany(
        "INSERT INTO dead_letters (upstream, sequence, reason, refused_at) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET "
        "reason = excluded.reason, refused_at = excluded.refused_at, retrying = 0",
        ((upstream, sequence, reason, at) for sequence, reason in dead),
    )


def retry_dead(connection: apsw.Connection, upstream: str | None, sequences: Sequence[int]) -> int:
    """Ask for dead letters to be sent again: of one upstream or all, all or only `sequences`.

    Returns how many will be.
    """
    where = "retrying = 0 AND (?1 IS NULL OR upstream = ?1)"
    if sequences:
        where += f" AND sequence IN ({', '.join(str(int(sequence)) for sequence in sequences)})"
    sql = f"UPDATE dead_letters SET retrying = 1 WHERE {where}"  # noqa: S608 - integers only
    connection.execute(sql, (upstream,))
    return connection.changes()
