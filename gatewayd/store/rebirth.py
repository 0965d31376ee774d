"""A store that is damaged is put aside, never deleted; a fresh one takes over what is sound.

Sequences go on where the old store ended. Where nothing can tell that any more, so many are left
out that none is used twice: platforms know records by their ids, people by their numbers.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import apsw

from gatewayd import notify
from gatewayd.errors import DamagedError, StoreError
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.store import database, orders, rows, swap, writes
from gatewayd.store.carry import LOCKS, Carried, Source, carry
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft
from gatewayd.store.pages import PageFile
from gatewayd.store.recover import open_damaged

SEQUENCES_SKIPPED = 1_000_000
"""Left out where a damaged store cannot tell where it ended: more than any station makes between
two things that its file still tells."""
TAKES_S_MAX = 3_600
"""How long systemd is asked to wait: 20 s for 500,000 records of 2 kB, measured."""
_MAGIC = b"SQLite format 3\0"

log = logger("store")


@dataclass(frozen=True, slots=True)
class Damage:
    """What happened to a store: `file` is where it was put, `why` what was wrong with it."""

    file: str
    why: str
    at: datetime
    carried: Carried


@dataclass(frozen=True, slots=True)
class Remedy:
    """What is done about a damaged store, given by who knows alarms and rigs.

    `tell` words the first new record, which is an alarm. Where nobody can tell any more which rigs
    were locked, which cylinders failed a check or hold too much, all `rigs` are, for `lock_reason`.
    """

    tell: Callable[[Damage], RecordDraft]
    rigs: Sequence[str]
    lock_reason: str
    by: str = "gatewayd"


def quarantine(
    path: Path, why: DamagedError, *, issuer: Issuer, remedy: Remedy, at: datetime
) -> Damage:
    """Put the store at `path` aside and a fresh one in its place; the caller owns it.

    Raises StoreError, and then nothing has changed: no room on the disk, or a file that is no store.
    """
    if not ours(path):
        raise StoreError(f"{why}; it looks like no store of gatewayd at all: correct store.path")
    aside = swap.free_name(path, "damaged", at)
    log.error("store.damaged", store=str(path), error=str(why), aside=aside.name)
    notify.tell(f"EXTEND_TIMEOUT_USEC={TAKES_S_MAX * 1_000_000}")
    swap.require_disk(path, _size(path))
    old = open_damaged(path)
    try:
        source = Source(path, old, aside.name)
        fresh = swap.beside(path, "fresh")
        damage = _build(fresh, source, why.why, issuer=issuer, remedy=remedy, at=at)
    finally:
        if old is not None:
            old.close()
    swap.swap(path, aside=aside, fresh=fresh)
    log.warning("store.quarantined", file=aside.name, records=damage.carried.records)
    return damage


def ours(path: Path) -> bool:
    """Whether a damaged file was ever a store: nobody else's file is moved."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
        if head in (_MAGIC, b"") or path.with_name(f"{path.name}-wal").exists():
            return True
        with PageFile.open(path) as pages:
            return next(pages.records(), None) is not None
    except OSError as exc:
        raise StoreError(f"{path}: cannot be read: {exc.strerror}") from exc


def _size(path: Path) -> int:
    sizes = 0
    for piece in swap.PIECES:
        with suppress(OSError):
            sizes += path.with_name(path.name + piece).stat().st_size
    return sizes


def _build(
    fresh: Path, source: Source, why: str, *, issuer: Issuer, remedy: Remedy, at: datetime
) -> Damage:
    try:
        connection = database.make(fresh, station_id=issuer.station_id)
    except (apsw.Error, OSError) as exc:
        raise StoreError(f"{fresh}: cannot be created: {exc}") from exc
    try:
        # Nothing of this is worth anything before it is whole: it is synced once, at the end.
        connection.execute("PRAGMA journal_mode = MEMORY").fetchall()
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        stamp, first = rows.utc(at), max(0, int(at.timestamp()))
        carried = carry(source, connection, at=stamp, skipped=SEQUENCES_SKIPPED, first=first)
        damage = Damage(source.name, why, at, carried)
        told = writes.append(connection, remedy.tell(damage), issuer)
        lock_all(connection, carried, issuer, remedy, at=at)
        connection.execute(OWN_RECORD, (told.id,))
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
    except apsw.Error as exc:
        raise database.store_error(fresh, exc) from exc
    finally:
        database.roll_back(connection)
        connection.close()
    return damage


OWN_RECORD = (
    "UPDATE alarms SET record_id = ? WHERE cleared_at IS NULL "
    "AND record_id NOT IN (SELECT id FROM records)"
)
"""An alarm whose record was lost stands on by the record that says so."""


FORBIDS: Final = frozenset({LOCKS, "lives", "checks", "alarms"})
"""Groups that say what may not be filled; the archive, without which nothing is, is not among them.
`lives`: of a restore, the holds and what was retired."""
_LOCKED = "SELECT rig, reason FROM rig_locks WHERE unlocked_at IS NULL"


def lock_all(
    connection: apsw.Connection, carried: Carried, issuer: Issuer, remedy: Remedy, *, at: datetime
) -> tuple[str, ...]:
    """Nobody knows what was locked, failed or overfilled: every rig is locked until a person has looked.

    Also when what says so is from before a tear in the log. One that is locked already has this reason
    beside its own: who mends that has not looked. Returns those that had it not.
    """
    if FORBIDS.isdisjoint((*carried.groups_lost, *carried.groups_older)):
        return ()
    known = {str(rig): str(reason) for rig, reason in connection.execute(_LOCKED)}
    free = tuple(rig for rig in remedy.rigs if remedy.lock_reason not in known.get(rig, ""))
    for rig in free:
        reason = "; ".join(filter(None, (known.get(rig), remedy.lock_reason)))
        order = orders.Order(new_id(), rig, reason, remedy.by, "start", at)
        orders.lock(connection, issuer, order)
    return free
