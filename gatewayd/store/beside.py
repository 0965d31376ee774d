"""Writes from the command line, with or without a running daemon: one short transaction each.

The daemon's next read sees what was written; its own commits wait while this one is made.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import cylinders, database, rows, writes
from gatewayd.store.model import Cylinder, ImportCounts

T = TypeVar("T")


def import_cylinders(
    path: Path,
    entries: Sequence[Cylinder],
    *,
    station_id: str,
    replace: bool,
    columns: Collection[str] = rows.CYLINDER_COLUMNS,
    quota_mb: int = database.QUOTA_MB,
) -> ImportCounts:
    """Upsert cylinders by code, only their `columns`, or replace the whole archive.

    Creates the store when there is none. Raises StoreError, and then nothing changed.
    """
    if not database.exists(path):
        _create(path, station_id)
    return _write(
        path,
        lambda connection: cylinders.merge(connection, columns=columns, replace=replace),
        station_id=station_id,
        quota_mb=quota_mb,
        prepare=lambda connection: cylinders.stage(connection, entries),
    )


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


def _write(
    path: Path,
    run: Callable[[apsw.Connection], T],
    *,
    station_id: str,
    quota_mb: int,
    prepare: Callable[[apsw.Connection], None] | None = None,
) -> T:
    """Run `prepare` before and `run` inside one transaction, all or nothing."""
    connection = database.connect_to_write(path, quota_mb=quota_mb)
    try:
        database.check_station(path, connection, station_id)
        if prepare is not None:
            prepare(connection)
        # IMMEDIATE: a transaction that begins by reading could not wait for the daemon's.
        connection.execute("BEGIN IMMEDIATE")
        result = run(connection)
        connection.execute("COMMIT")
    except apsw.Error as exc:
        raise database.store_error(path, exc) from exc
    finally:
        database.roll_back(connection)
        connection.close()
    return result


def _create(path: Path, station_id: str) -> None:
    """Make the store, unless another process did so while we came to own it."""
    owner = database.Ownership.take(path)
    try:
        if not database.exists(path):
            database.create(path, station_id=station_id)
    finally:
        owner.release()
