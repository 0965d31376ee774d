"""A backup in the place of a store: what was delivered since is not forgotten, and nothing numbered twice.

The backup decides about archive and people. What is true now, and not a choice, comes from the store
that is replaced wherever that can still be read: records made since, cursors, totalisers, permits,
locks, holds, answered checks, who is logged in, alarms. It is kept beside.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import apsw

from gatewayd.errors import DamagedError, StoreError
from gatewayd.store import belonging, carry, copying, database, recover, rows, swap, writes
from gatewayd.store.behind import SETTLED, catch_up, older_tables
from gatewayd.store.carry import Carried, Source
from gatewayd.store.chain import Issuer
from gatewayd.store.copying import Copied
from gatewayd.store.model import RecordDraft
from gatewayd.store.rebirth import OWN_RECORD, SEQUENCES_SKIPPED, Remedy, lock_all
from gatewayd.store.upgrade import upgrade

NO_BACKUP = (
    "{}: no sound backup ({}); nothing was changed. Give another one; what is left in a damaged file "
    "`gatewayd records salvage FILE` reads"
)

TAKEN_OVER = {
    carry.RIGS: carry.GROUPS[carry.RIGS],
    carry.LOCKS: carry.GROUPS[carry.LOCKS],
    "upstreams": carry.GROUPS["upstreams"],
    "alarms": carry.GROUPS["alarms"],
    "clock": carry.GROUPS["clock"],
    "lives": ("lives", "holds", "retired", "sightings"),
    "checks": carry.GROUPS["checks"],
    "sessions": ("sessions",),
}
"""What the replaced store knows better, group by group: also that a check failed, or was used up."""
_STRANGERS = "DELETE FROM sessions WHERE operator NOT IN (SELECT id FROM operators)"
"""Nobody is logged in whom the backup does not list."""
_COUNTED = (
    "UPDATE cylinders SET fills_done = told.count FROM (SELECT "
    "json_extract(body, '$.data.cylinder.code') AS code, "
    "max(json_extract(body, '$.data.fill_count')) AS count "
    "FROM records WHERE sequence > ? AND kind = 'fill' GROUP BY 1) AS told "
    "WHERE told.code = cylinders.code AND told.count > coalesce(cylinders.fills_done, 0)"
)
"""No fill since the backup is forgotten where a cylinder may be filled only so often."""
_HOLD = (
    "UPDATE cylinders SET hold = (SELECT reason FROM holds WHERE holds.code = cylinders.code "
    "AND released_at IS NULL) WHERE code IN (SELECT code FROM holds WHERE released_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the backup, where the replaced store is (None: there was none), what came over.

    `replaced_records` were made after the backup and are there again. `locked` are the rigs that were
    locked because the replaced store cannot say what was forbidden.
    """

    backup: Copied
    replaced: str | None
    replaced_records: int
    carried: Carried
    at: datetime
    locked: tuple[str, ...] = ()


Tell = Callable[[Restored], RecordDraft]
"""Words the record of a restore, which is an alarm."""


@dataclass(frozen=True, slots=True)
class Restoring:
    """How a restore is told, and what is done where the replaced store cannot say what was forbidden."""

    tell: Tell
    remedy: Remedy


def restore(path: Path, backup: Path, *, issuer: Issuer, at: datetime, way: Restoring) -> Restored:
    """Put a copy of `backup` in the place of the store at `path`; no daemon may run on it.

    Raises StoreError, and then nothing has changed.
    """
    owner = database.Ownership.take(path)
    try:
        importing = database.Ownership.take_import(path)
        try:
            swap.resume(path)
            return _restore(path, backup, issuer, at, way)
        finally:
            importing.release()
    finally:
        owner.release()


def _restore(path: Path, backup: Path, issuer: Issuer, at: datetime, way: Restoring) -> Restored:
    if path.exists() and path.samefile(backup):
        raise StoreError(f"{backup}: that is the store itself; give a backup of it")
    swap.require_disk(path, backup.stat().st_size)
    fresh = swap.beside(path, "fresh")
    proven = _take(backup, fresh, issuer.station_id, at)
    there = any(path.with_name(path.name + piece).exists() for piece in swap.PIECES)
    aside = swap.free_name(path, "replaced", at)
    with closing(database.connect_to_upgrade(fresh)) as connection:
        old = recover.open_damaged(path) if there else None
        try:
            source = Source(path, old, aside.name if there else "")
            restored = _renew(connection, source, proven, issuer=issuer, at=at, way=way)
        finally:
            if old is not None:
                old.close()
    if there:
        swap.swap(path, aside=aside, fresh=fresh)
    else:
        fresh.rename(path)
        database.sync_folder(path.parent)
    return restored


def _take(backup: Path, fresh: Path, station_id: str, at: datetime) -> Copied:
    """Copy a backup to `fresh`, bring it up to date and prove it. Raises StoreError that names it."""
    _clear(fresh)
    try:
        database.exists(backup)
        with closing(database.connect_to_upgrade(backup)) as connection:
            database.check_station(backup, connection, station_id)
        copying.copy(backup, fresh)
        belonging.to_the_folder(fresh)
        upgrade(fresh, at=at, keep=False)
        return copying.prove(fresh)
    except DamagedError as exc:
        _clear(fresh)
        why = " ".join(exc.why.split())
        raise StoreError(NO_BACKUP.format(backup, why)) from exc


def _clear(fresh: Path) -> None:
    for piece in swap.PIECES:
        fresh.with_name(fresh.name + piece).unlink(missing_ok=True)


def _renew(
    fresh: apsw.Connection,
    source: Source,
    backup: Copied,
    *,
    issuer: Issuer,
    at: datetime,
    way: Restoring,
) -> Restored:
    """Take over what is newer, and record the restore; all in one transaction."""
    try:
        fresh.execute("PRAGMA journal_mode = DELETE").fetchall()
        fresh.execute("PRAGMA synchronous = FULL")
        fresh.execute("BEGIN IMMEDIATE")
        carried = _newer(fresh, source, backup, at)
        name = source.name or None
        more = carried.records - backup.records
        restored = Restored(backup, name, more, carried, at)
        told = writes.append(fresh, way.tell(restored), issuer)
        if name is not None:
            locked = lock_all(fresh, carried, issuer, way.remedy, at=at)
            restored = replace(restored, locked=locked)
        fresh.execute(OWN_RECORD, (told.id,))
        fresh.execute("COMMIT")
        fresh.execute("PRAGMA journal_mode = WAL").fetchall()
    except apsw.Error as exc:
        raise database.store_error(source.path, exc) from exc
    finally:
        database.roll_back(fresh)
    return restored


def _newer(fresh: apsw.Connection, source: Source, backup: Copied, at: datetime) -> Carried:
    last = recover.highest(source.path, source.connection)
    same = bool(source.name) and _same_chain(source, backup)
    records = carry.records(source, fresh) if same else backup.records
    end = carry.last_record(fresh)
    tail = max(last.sequence, end)
    sure = last.sure and tail == last.sequence
    if not sure:
        tail += SEQUENCES_SKIPPED
    lost = carry.note_gaps(fresh, source, tail, rows.utc(at))
    groups_lost = [
        name
        for name, tables in TAKEN_OVER.items()
        if source.connection is None
        or not carry.carry_group(source.connection, fresh, name, tables, anew=True)
    ]
    fresh.execute(SETTLED)
    catch_up(fresh, backup.head.sequence if carry.RIGS in groups_lost else last.sequence)
    fresh.execute(_COUNTED, (backup.head.sequence,))
    fresh.execute(_HOLD)
    fresh.execute(_STRANGERS)
    torn = older_tables(source.path, source.connection)
    older = (name for name, tables in TAKEN_OVER.items() if not torn.isdisjoint(tables))
    groups_older = tuple(name for name in older if name not in groups_lost)
    return Carried(records, lost, tuple(groups_lost), last.sequence, sure, groups_older)


def _same_chain(source: Source, backup: Copied) -> bool:
    """Whether the replaced store's records go on from the backup's, or end before them."""
    if source.connection is None:
        return True
    try:
        found = source.connection.execute(
            "SELECT hash FROM records WHERE sequence = ?", (backup.head.sequence,)
        ).fetchone()
    except (apsw.Error, UnicodeDecodeError):
        return True
    return found is None or found[0] == backup.head.hash


def require_store(path: Path) -> None:
    """Refuse to back up what is not there; raises StoreError."""
    if not path.exists():
        raise StoreError(f"{path}: no store here yet; `gatewayd run` or `import` creates it")
