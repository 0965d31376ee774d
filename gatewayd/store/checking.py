"""Whether a store is what was written into it: SQLite's pages, then our own promises.

A damaged store must not be found out by the first fill of the day.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import apsw

from gatewayd.logs import logger
from gatewayd.store import database, rows
from gatewayd.store.behind import commits_behind
from gatewayd.store.links import Link, proven
from gatewayd.store.reads import Reads

CHECK_S_MAX = 20.0
"""How long pages are looked at when a store is opened: about 5 GB from a fast disk, 2 GB at 100 MB/s.
What is left then is believed, and found out by the read that meets it."""
TAIL = 100
"""The newest records, whose chain is proven at every opening; `records verify` proves all."""
_STEPS = 1_000
"""SQLite's steps between two looks at the time."""

log = logger("store")


def check(
    path: Path, *, seconds: float = CHECK_S_MAX, monotonic: Callable[[], float] = time.monotonic
) -> bool:
    """Look at the whole store, also an older one; changes nothing. The caller owns it.

    False = the pages were too many for the time. Raises DamagedError, or StoreError when it cannot
    be read or is not ours.
    """
    connection = database.connect_to_upgrade(path)
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        whole = _pages(connection, path, monotonic() + seconds, monotonic)
        wrong = next(_promises(connection), None) or _torn(connection, path)
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    except UnicodeDecodeError as exc:
        raise database.damaged(path, str(exc)) from exc
    finally:
        connection.close()
    if wrong is not None:
        raise database.damaged(path, wrong)
    if not whole:
        log.warning("store.checked_in_part", store=str(path), seconds=seconds)
    return whole


def _torn(connection: apsw.Connection, path: Path) -> str | None:
    behind = commits_behind(path, connection)
    return f"its log is torn: {behind} commits behind the tear" if behind > 1 else None


def _pages(
    connection: apsw.Connection, path: Path, until: float, monotonic: Callable[[], float]
) -> bool:
    connection.set_progress_handler(lambda: monotonic() > until, _STEPS)
    try:
        found = connection.execute("PRAGMA quick_check(1)").get
    except apsw.InterruptError:
        return False
    finally:
        connection.set_progress_handler(None)
    if found != "ok":
        raise database.damaged(path, str(found))
    return True


def _promises(connection: apsw.Connection) -> Iterator[str]:
    """What must hold in every store of ours and does not."""
    new = database.version(connection) >= database.SCHEMA_VERSION
    yield from _missing(connection, new=new)
    yield from _tail(connection, new=new)
    yield from (why for sql, why in _NEVER if connection.execute(sql).get)
    for group in _AT_START if new else ("rigs",):
        try:
            require_readable(connection, group)
        except ValueError as exc:
            yield f"{group} cannot be read: {exc}"


def require_readable(connection: apsw.Connection, group: str) -> None:
    """Raise ValueError where rows of a group that every start reads say nothing sound."""
    read = _AT_START.get(group)
    if read is None:
        return
    try:
        read(Reads(Path(connection.db_filename("main")), connection))
    except (TypeError, AssertionError) as exc:
        raise ValueError(repr(exc)) from exc


_AT_START: Final[Mapping[str, Callable[[Reads], object]]] = {
    "rigs": lambda reads: list(map(reads.pending_permits, reads.rigs_with_pending_permits())),
    "alarms": lambda reads: reads.alarms(standing=False),
    "locks": Reads.rig_locks,
    "clock": Reads.clock_mark,
    "operators": lambda reads: (tuple(reads.operators()), reads.all_sessions()),
    "checks": Reads.all_checks,
    "sightings": Reads.sightings,
}
"""Whoever reads these would end of them, at each start or at each cylinder anew."""

_NEVER = (
    (
        (
            "SELECT 1 FROM permits JOIN records ON records.id = permits.record_id "
            "WHERE state = 'pending'"
        ),
        "a permit is pending whose record is there",
    ),
    (
        (
            "SELECT 1 FROM cursors WHERE sequence < 0 OR sequence > "
            "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)"
        ),
        "an upstream has taken what was never recorded",
    ),
    (
        "SELECT 1 FROM dead_letters LEFT JOIN records USING (sequence) WHERE records.id IS NULL",
        "a dead letter has no record",
    ),
)
"""Questions whose answer must be none, and what it means when there is one."""

FITTED: Final = (
    "DELETE FROM dead_letters WHERE sequence NOT IN (SELECT sequence FROM records);"
    "DELETE FROM cursors WHERE sequence NOT BETWEEN 0 AND (SELECT max(sequence) FROM ("
    "SELECT max(sequence) AS sequence FROM records UNION ALL SELECT max(sequence) FROM gaps))"
)
"""Makes it so of what is taken over into another store: records may not have come along. An upstream
without its cursor is sent everything again, with the same ids."""


def _missing(connection: apsw.Connection, *, new: bool) -> Iterator[str]:
    """Whether there are as many records as were numbered."""
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").get or 0
    last = connection.execute("SELECT coalesce(max(sequence), 0) FROM records").get
    if given != last:
        yield f"records end at {last}, {given} were numbered"
    mark, lost = 0, 0
    if new:
        mark = connection.execute("SELECT sequence FROM pruned").get
        sql = "SELECT coalesce(sum(sequence - from_sequence + 1), 0) FROM gaps "
        lost = connection.execute(f"{sql}WHERE sequence > ? AND sequence < ?", (mark, last)).get
    count = connection.execute("SELECT count(*) FROM records WHERE sequence > ?", (mark,)).get
    if count != last - mark - lost:
        yield f"{count} records are there, {last - mark - lost} should be"


def _tail(connection: apsw.Connection, *, new: bool) -> Iterator[str]:
    """Whether the newest records follow each other untouched."""
    sql = (
        f"SELECT {rows.RECORD_COLUMNS} FROM records "  # noqa: S608 - our names
        "WHERE sequence > ? ORDER BY sequence DESC LIMIT ?"
    )
    mark = connection.execute("SELECT sequence FROM pruned").get if new else 0
    newest = [rows.record(row) for row in connection.execute(sql, (mark, TAIL))]
    before: Link | None = None
    for record in reversed(newest):
        found = proven(record)
        if found is None:
            yield f"record {record.sequence}: its content was changed"
            return
        if before is not None and _breaks(before, found):
            yield f"record {record.sequence}: it does not follow record {before.sequence}"
        before = found


def _breaks(before: Link, after: Link) -> bool:
    """Whether two neighbours are not linked; between others a gap was noted."""
    return after.sequence == before.sequence + 1 and after.prevhash != before.hash
