"""Writes from the command line, with or without a running daemon: short transactions only.

The daemon's next read sees what was written; its own commits wait while one is made.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from gatewayd.clock import Clock, SystemClock
from gatewayd.errors import RejectedError, StoreError
from gatewayd.store import database, people, retired, retiring, rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.clock import vouch
from gatewayd.store.merge import Merge, next_version
from gatewayd.store.model import Cylinder, ImportCounts, Record, RecordDraft
from gatewayd.store.orders import CarryOut, Done, Order
from gatewayd.store.rebuild import VERSIONS_RESERVED, Also, Progress, Rebuild
from gatewayd.store.staging import Staging
from gatewayd.store.upgrade import upgrade_if_free

T = TypeVar("T")

DIRECT_MAX = 2_000
"""Changes that one transaction may make: the daemon's commits wait while it lasts."""
RETIRED_SHOWN_MAX = 100
"""Cells listed that use something retired again; of the rest only the rows are counted."""


def import_cylinders(
    path: Path,
    entries: Iterable[Cylinder],
    *,
    station_id: str,
    replace: bool,
    columns: Sequence[str] = rows.CYLINDER_COLUMNS,
    quota_mb: int = database.QUOTA_MB,
) -> ImportCounts:
    """Upsert cylinders by code, only their `columns`, or replace the whole archive.

    Codes are distinct. Creates the store when there is none. Raises StoreError, and then nothing
    changed.
    """
    with Staging.open(path) as staging:
        staging.begin(columns)
        staging.add_cylinders(entries)
        staging.seal()
        options = ImportOptions(station_id, replace=replace, quota_mb=quota_mb)
        return import_staged(staging, options, clock=SystemClock())


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Whose store it is, whether the rest of the archive goes, and what an upstream calls it.

    With `dry_run` it is only counted what would change. With a `source_version` entries that have
    a newer one stay as they are. More than `direct_max` changes build a new table. Rows that use a
    retired code or tag again are refused, named by `origin`, unless `reuse` says why they may.
    `also` writes more in the very transaction in which the archive changes.
    """

    station_id: str
    replace: bool
    quota_mb: int = database.QUOTA_MB
    source_version: int | None = None
    dry_run: bool = False
    direct_max: int = DIRECT_MAX
    origin: str = "import"
    reuse: str = ""
    also: Also | None = None


def _quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""


def import_staged(
    staging: Staging, options: ImportOptions, *, clock: Clock, progress: Progress = _quiet
) -> ImportCounts:
    """Make sealed entries part of the archive, all or nothing, also while the daemon runs.

    Few changes are one transaction, many a new table that takes the place of the old one.
    Raises StoreError, or RejectedError for what was retired, and then nothing changed.
    """
    path = staging.path
    if options.dry_run and not database.exists(path):
        return ImportCounts(staging.count, 0, 0, 0)
    _prepare(path, options.station_id)
    connection = database.connect_to_write(path, quota_mb=options.quota_mb)
    try:
        database.check_station(path, connection, options.station_id)
        staging.attach(connection)
        merge = Merge(
            staging.columns,
            options.replace,
            next_version(connection) + VERSIONS_RESERVED,
            rows.utc(clock.wall()),
            options.source_version,
        )
        progress("compare", 0, staging.count)
        counts = merge.plan(connection, "staged")
        retiring.plan(connection, merge, "staged")
        if not options.reuse:
            _refuse_retired(connection, options.origin)
        if not options.dry_run:
            rebuild = Rebuild(
                connection, merge, clock, progress, reuse=options.reuse, also=options.also
            )
            _carry_out(connection, rebuild, counts, options)
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    finally:
        database.roll_back(connection)
        connection.close()
    return counts


def _refuse_retired(connection: apsw.Connection, origin: str) -> None:
    """A retired code or tag may name nothing again unless a person says so."""
    found = retiring.back_in_use(connection, RETIRED_SHOWN_MAX)
    if not found:
        return
    lines = [
        f"{origin}:row {back.row}, column {back.column}: {back.value} was retired with cylinder "
        f"{back.code} ({back.reason}); expected one that was never used; if it was retired by "
        "mistake, import with --reuse-retired and the reason"
        for back in found
    ]
    rows_told = retiring.count(connection)
    lines.append(f"{origin}: nothing was imported; rows with a retired code or tag: {rows_told}")
    raise RejectedError("\n".join(lines))


def _carry_out(
    connection: apsw.Connection, rebuild: Rebuild, counts: ImportCounts, options: ImportOptions
) -> None:
    changes = connection.execute(
        "SELECT (SELECT count(*) FROM changed) + (SELECT count(*) FROM gone)"
    ).get
    if changes > options.direct_max:
        rebuild.run(counts)
        return
    rebuild.clear()
    # IMMEDIATE: a transaction that begins by reading could not wait for the daemon's.
    connection.execute("BEGIN IMMEDIATE")
    direct = dataclasses.replace(rebuild.merge, version=next_version(connection))
    direct.apply(connection)
    retiring.apply(connection, direct.at, reuse=options.reuse)
    direct.confirm(connection, counts)
    if options.also is not None:
        options.also(connection, counts)
    database.require_room(connection)
    connection.execute("COMMIT")


def retry_dead(
    path: Path,
    *,
    station_id: str,
    upstream: str | None,
    sequences: Sequence[int],
    quota_mb: int = database.QUOTA_MB,
) -> int:
    """Ask for dead letters to be sent again; returns how many will be. Raises StoreError."""
    if not database.exists(path):
        raise StoreError(f"{path}: no store here yet; `gatewayd run` creates it")
    return _write(
        path,
        lambda connection: writes.retry_dead(connection, upstream, sequences),
        station_id=station_id,
        quota_mb=quota_mb,
    )


def vouch_for_clock(
    path: Path,
    draft: RecordDraft,
    *,
    issuer: Issuer,
    quota_mb: int = database.QUOTA_MB,
) -> Record:
    """A person says that the clock is right at `draft.time`; the record of it is `draft`.

    A running daemon believes the clock again when it looks at the store next. Raises StoreError.
    """
    if not database.exists(path):
        raise StoreError(f"{path}: no store here yet; `gatewayd run` creates it")

    def run(connection: apsw.Connection) -> Record:
        vouch(connection, rows.utc(draft.time))
        return writes.append(connection, draft, issuer)

    return _write(path, run, station_id=issuer.station_id, quota_mb=quota_mb)


def order(
    path: Path,
    carry_out: CarryOut,
    given: Order,
    *,
    issuer: Issuer,
    quota_mb: int = database.QUOTA_MB,
) -> Done:
    """Carry out a hold, release, lock or unlock of `orders`, with its record. Raises StoreError.

    A running daemon sees it when it looks at the store next, within a tick. Creates the store when
    there is none: what somebody locks before the first start is locked at it.
    """
    _prepare(path, issuer.station_id)
    return _write(
        path,
        lambda connection: carry_out(connection, issuer, given),
        station_id=issuer.station_id,
        quota_mb=quota_mb,
    )


def retire_all(
    path: Path, named: Sequence[tuple[retired.Kind, Order]], options: ImportOptions, issuer: Issuer
) -> ImportCounts:
    """Retire these codes and tags, all or nothing. Raises StoreError."""
    _prepare(path, issuer.station_id)
    run = partial(retired.carry_out, issuer=issuer, named=named, dry_run=options.dry_run)
    return _write(path, run, station_id=issuer.station_id, quota_mb=options.quota_mb)


def answer_alarm(
    path: Path, draft: RecordDraft, *, issuer: Issuer, quota_mb: int = database.QUOTA_MB
) -> Record:
    """A person answers for an alarm: `draft`, with the alarm as it is with that.

    A running daemon takes it over when it looks at the store next. Raises RejectedError when the
    alarm is over or happened again since it was looked at, StoreError.
    """
    alarm = draft.alarm
    assert alarm is not None, draft

    def run(connection: apsw.Connection) -> Record:
        sql = "SELECT record_id, cleared_at FROM alarms WHERE kind = ? AND subject = ?"
        found = connection.execute(sql, (alarm.kind, alarm.subject)).fetchone()
        if found != (alarm.record_id, None):
            raise RejectedError(
                f"{alarm.kind} {alarm.subject}: it changed meanwhile; look at it again with "
                "`gatewayd alarms`"
            )
        return writes.append(connection, draft, issuer)

    return _write(path, run, station_id=issuer.station_id, quota_mb=quota_mb)


def upsert_operators(path: Path, change: people.Change, options: ImportOptions) -> ImportCounts:
    """Change the list of operators, all or nothing. Raises StoreError, RejectedError."""
    _prepare(path, options.station_id)
    return _write(
        path,
        lambda connection: people.carry_out(connection, change, dry_run=options.dry_run),
        station_id=options.station_id,
        quota_mb=options.quota_mb,
    )


def _write(path: Path, run: Callable[[apsw.Connection], T], *, station_id: str, quota_mb: int) -> T:
    """Run `run` inside one transaction, all or nothing."""
    upgrade_if_free(path)
    connection = database.connect_to_write(path, quota_mb=quota_mb)
    try:
        database.check_station(path, connection, station_id)
        connection.execute("BEGIN IMMEDIATE")
        result = run(connection)
        connection.execute("COMMIT")
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    finally:
        database.roll_back(connection)
        connection.close()
    return result


def _prepare(path: Path, station_id: str) -> None:
    """See that there is a store of this version."""
    if database.exists(path):
        upgrade_if_free(path)
    else:
        _create(path, station_id)


def _create(path: Path, station_id: str) -> None:
    """Make the store, unless another process did so while we came to own it."""
    owner = database.Ownership.take(path)
    try:
        if not database.exists(path):
            database.create(path, station_id=station_id)
    finally:
        owner.release()
