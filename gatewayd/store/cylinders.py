"""Merge archive entries into the store: staged first, then one short transaction."""

from collections.abc import Collection, Sequence

import apsw

from gatewayd.store import database, rows
from gatewayd.store.model import Cylinder, ImportCounts

_COLUMNS = ", ".join(rows.CYLINDER_COLUMNS)
_STAGE = f"""
DROP TABLE IF EXISTS temp.incoming;
DROP TABLE IF EXISTS temp.incoming_tags;
CREATE TEMP TABLE incoming ({_COLUMNS}, PRIMARY KEY (code)) WITHOUT ROWID;
CREATE TEMP TABLE incoming_tags (uid, code, PRIMARY KEY (uid, code)) WITHOUT ROWID;
"""
_ADD = f"INSERT INTO temp.incoming VALUES ({', '.join('?' * len(rows.CYLINDER_COLUMNS))})"  # noqa: S608 - our names
_KEPT_WHEN_EMPTY = "fills_done"
"""The station counts fills itself; a file that does not know the count does not reset it."""


def stage(connection: apsw.Connection, cylinders: Sequence[Cylinder]) -> None:
    """Put the new entries into temporary tables, which lock nobody out. Codes are distinct."""
    connection.execute("SAVEPOINT stage")  # one transaction, of temporary tables only
    connection.execute(_STAGE)
    connection.executemany(_ADD, (rows.cylinder_row(value) for value in cylinders))
    connection.executemany(
        "INSERT OR IGNORE INTO temp.incoming_tags VALUES (?, ?)", rows.tag_rows(cylinders)
    )
    connection.execute("RELEASE stage")


def merge(connection: apsw.Connection, *, columns: Collection[str], replace: bool) -> ImportCounts:
    """Upsert what is staged, only its `columns`; with `replace` the rest of the archive goes.

    Runs inside the caller's transaction. Raises StoreError when only the reserve would be left.
    """
    removed = _remove_others(connection) if replace else 0
    total = connection.execute("SELECT count(*) FROM temp.incoming").get
    added = connection.execute(
        "SELECT count(*) FROM temp.incoming WHERE code NOT IN (SELECT code FROM cylinders)"
    ).get
    connection.execute(_upsert([name for name in columns if name != "code"]))
    updated = connection.changes() - added
    if "tag_uids" in columns:
        _merge_tags(connection)
    connection.execute("DROP TABLE temp.incoming; DROP TABLE temp.incoming_tags")
    database.require_room(connection)
    return ImportCounts(added, updated, total - added - updated, removed)


def _remove_others(connection: apsw.Connection) -> int:
    gone = "WHERE code NOT IN (SELECT code FROM temp.incoming)"
    connection.execute(f"DELETE FROM cylinder_tags {gone}")  # noqa: S608 - our names
    connection.execute(f"DELETE FROM cylinders {gone}")  # noqa: S608 - our names
    return connection.changes()


def _upsert(columns: Sequence[str]) -> str:
    """Rows that would not change are not written: importing the same file twice costs no disk."""
    if not columns:
        return f"INSERT OR IGNORE INTO cylinders SELECT {_COLUMNS} FROM temp.incoming"  # noqa: S608 - our names
    new = {name: f"excluded.{name}" for name in columns}
    if _KEPT_WHEN_EMPTY in new:
        new[_KEPT_WHEN_EMPTY] = f"coalesce(excluded.{_KEPT_WHEN_EMPTY}, {_KEPT_WHEN_EMPTY})"
    sets = ", ".join(f"{name} = {value}" for name, value in new.items())
    differs = " OR ".join(f"cylinders.{name} IS NOT {value}" for name, value in new.items())
    return (
        f"INSERT INTO cylinders SELECT {_COLUMNS} FROM temp.incoming WHERE true "  # noqa: S608 - our names
        f"ON CONFLICT (code) DO UPDATE SET {sets} WHERE {differs}"
    )


def _merge_tags(connection: apsw.Connection) -> None:
    connection.execute(
        "DELETE FROM cylinder_tags WHERE code IN (SELECT code FROM temp.incoming) "
        "AND (uid, code) NOT IN (SELECT uid, code FROM temp.incoming_tags)"
    )
    connection.execute("INSERT OR IGNORE INTO cylinder_tags SELECT * FROM temp.incoming_tags")
