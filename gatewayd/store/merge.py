"""What an import does to the archive, in SQL: the same sentences for a few entries and for all.

`incoming` (and its `incoming_tags`) is what a file or an upstream says, staged in a temporary table
or in a scratch file that is attached. `i` is an entry of it, `c` the one that the archive has.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from gatewayd.store import database, retiring, rows
from gatewayd.store.model import ImportCounts

STAGE = f"""
CREATE TABLE {{schema}}.incoming ("row" INTEGER PRIMARY KEY, {", ".join(rows.CYLINDER_COLUMNS)});
CREATE TABLE {{schema}}.incoming_tags (uid, code, "row");
"""
INDEX = """
CREATE INDEX {schema}.incoming_by_code ON incoming (code);
CREATE INDEX {schema}.incoming_tags_by_uid ON incoming_tags (uid, code);
"""
_PLAN = """
CREATE TABLE {schema}.changed (code PRIMARY KEY, kind) WITHOUT ROWID;
CREATE TABLE {schema}.gone (code PRIMARY KEY) WITHOUT ROWID;
"""
_OWN = ("version", "changed_at", "source_version")
COLUMNS = ", ".join((*rows.CYLINDER_COLUMNS, *_OWN))
_KEPT = "coalesce(c.source_version > :source, 0)"
"""An upstream has said something newer about this entry."""
_HELD = "(SELECT reason FROM holds h WHERE h.code = i.code AND h.released_at IS NULL)"
CYLINDER_TAGS = rows.CYLINDER_COLUMNS.index("tag_uids")
_FROM = "FROM incoming i LEFT JOIN cylinders c ON c.code = i.code"


@dataclass(frozen=True, slots=True)
class Merge:
    """How entries that have `columns` go into the archive; with `replace` the rest of it goes.

    `version` is what changed entries get, `at` when (UTC), `source_version` the upstream's own.
    """

    columns: tuple[str, ...]
    replace: bool
    version: int
    at: str
    source_version: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it has every column of the contract, so that the archive is confirmed."""
        return set(self.columns) >= set(rows.CONTRACT_COLUMNS)

    def values(self, **more: Any) -> dict[str, Any]:
        """The bindings of every sentence here."""
        return {
            "version": self.version,
            "at": self.at,
            "source": self.source_version,
            "replace": self.replace,
            **more,
        }

    def taken(self, where: str) -> str:
        """Select the entries that incoming ones become, new or known, in the order of COLUMNS."""
        new = self.new()
        changed = f"c.code IS NULL OR {self._differs()}"
        own = (
            f"CASE WHEN {changed} THEN :version ELSE c.version END",
            f"CASE WHEN {changed} THEN :at ELSE c.changed_at END",
            "coalesce(:source, c.source_version)",
        )
        return f"SELECT {', '.join((*new.values(), *own))} {_FROM} WHERE NOT {_KEPT} AND {where}"

    def staying(self, where: str) -> str:
        """Select the entries that are not touched, in the order of COLUMNS."""
        columns = ", ".join(f"c.{name}" for name in (*rows.CYLINDER_COLUMNS, *_OWN))
        return (
            f"SELECT {columns} FROM cylinders c LEFT JOIN incoming i ON i.code = c.code "  # noqa: S608 - our names
            f"WHERE ((i.code IS NULL AND NOT :replace) OR {_KEPT}) AND {where}"
        )

    def new(self) -> dict[str, str]:
        """Every column of an entry that `i` says something about."""
        new = {n: f"{'i' if n in self.columns else 'c'}.{n}" for n in rows.CYLINDER_COLUMNS}
        # The station counts fills itself; a file that does not know the count does not reset it.
        new["fills_done"] = f"coalesce({new['fills_done']}, c.fills_done)"
        new["hold"] = f"coalesce({_HELD}, {new['hold']})"
        return new | {"code": "i.code", "tag_uids": f"coalesce({new['tag_uids']}, '')"}

    def _differs(self) -> str:
        new = self.new()
        return " OR ".join(f"c.{name} IS NOT {new[name]}" for name in new if name != "code")

    def plan(self, connection: apsw.Connection, schema: str) -> ImportCounts:
        """Note which entries would change or go; only `schema` is written. Codes are distinct."""
        connection.execute(_PLAN.format(schema=schema))
        kind = (
            f"CASE WHEN c.code IS NULL THEN 'added' WHEN {self._differs()} THEN 'updated' "
            "WHEN :source > coalesce(c.source_version, -1) THEN 'confirmed' END AS kind"
        )
        connection.execute(
            f"INSERT INTO {schema}.changed SELECT * FROM (SELECT i.code, {kind} {_FROM} "  # noqa: S608 - our names
            f"WHERE NOT {_KEPT} ORDER BY i.code) WHERE kind IS NOT NULL",
            self.values(),
        )
        if self.replace:
            connection.execute(
                f"INSERT INTO {schema}.gone SELECT c.code FROM cylinders c "  # noqa: S608 - our names
                f"LEFT JOIN incoming i ON i.code = c.code WHERE i.code IS NULL AND NOT {_KEPT}",
                self.values(),
            )
        return self._counts(connection)

    def _counts(self, connection: apsw.Connection) -> ImportCounts:
        found = connection.execute("SELECT kind, count(*) FROM changed GROUP BY kind")
        kinds = {str(kind): int(count) for kind, count in found}
        total = connection.execute("SELECT count(*) FROM incoming").get
        outdated = 0
        if self.source_version is not None:
            sql = f"SELECT count(*) {_FROM} WHERE {_KEPT}"
            outdated = connection.execute(sql, self.values()).get
        added, updated = kinds.get("added", 0), kinds.get("updated", 0)
        removed = connection.execute("SELECT count(*) FROM gone").get
        return ImportCounts(added, updated, total - added - updated - outdated, removed, outdated)

    def apply(self, connection: apsw.Connection) -> None:
        """Make what is planned so, inside the caller's transaction."""
        affected = "SELECT code FROM changed UNION ALL SELECT code FROM gone"
        before = tag_rows(connection, "cylinders", affected)
        connection.execute("DELETE FROM cylinders WHERE code IN (SELECT code FROM gone)")
        names = COLUMNS.split(", ")[1:]
        sets = ", ".join(f"{name} = excluded.{name}" for name in names)
        taken = self.taken("i.code IN (SELECT code FROM changed)")
        connection.execute(
            f"INSERT INTO cylinders ({COLUMNS}) {taken} ON CONFLICT (code) DO UPDATE SET {sets}",
            self.values(),
        )
        retag(connection, "cylinder_tags", before, tag_rows(connection, "cylinders", affected))

    def confirm(self, connection: apsw.Connection, counts: ImportCounts) -> None:
        """Note the new version of the archive, and that its source has spoken."""
        last = connection.execute("SELECT version FROM archive").get
        assert last < self.version, (last, self.version)
        changed = bool(counts.added or counts.updated or counts.removed)
        connection.execute(
            "UPDATE archive SET version = iif(:changed, :version, version), "
            "removed_version = iif(:removed, :version, removed_version), "
            "confirmed_at = iif(:whole, :at, confirmed_at)",
            self.values(changed=changed, removed=counts.removed > 0, whole=self.whole),
        )


def tag_rows(connection: apsw.Connection, table: str, codes: str) -> list[tuple[str, str]]:
    """Normalised uid and code of every tag of the entries that `codes` selects."""
    found = connection.execute(
        f"SELECT tag_uids, code FROM {table} WHERE code IN ({codes})"  # noqa: S608 - our names
    )
    return [(uid, code) for text, code in found for uid in rows.normal_uids(text)]


def retag(
    connection: apsw.Connection,
    table: str,
    before: Sequence[tuple[str, str]],
    after: Sequence[tuple[str, str]],
) -> None:
    """Put tags where they are now."""
    connection.executemany(f"DELETE FROM {table} WHERE uid = ? AND code = ?", before)  # noqa: S608 - our names
    connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", after)  # noqa: S608 - our names


def next_version(connection: apsw.Connection) -> int:
    """The version of the next change of the archive."""
    return int(connection.execute("SELECT version + 1 FROM archive").get)


def upsert(
    connection: apsw.Connection,
    entries: Sequence[rows.Row],
    *,
    columns: tuple[str, ...],
    replace: bool,
    at: str,
    source_version: int | None = None,
) -> ImportCounts:
    """A few entries (rows of CYLINDER_COLUMNS, codes distinct) inside the caller's transaction.

    Raises StoreError when only the reserve would be left.
    """
    connection.execute(STAGE.format(schema="temp"))
    connection.executemany(
        f"INSERT INTO temp.incoming VALUES ({', '.join('?' * (len(rows.CYLINDER_COLUMNS) + 1))})",  # noqa: S608 - our names
        ((number, *entry) for number, entry in enumerate(entries)),
    )
    tags = CYLINDER_TAGS if "tag_uids" in columns else None
    connection.executemany(
        "INSERT INTO temp.incoming_tags VALUES (?, ?, ?)",
        (
            (uid, entry[0], number)
            for number, entry in enumerate(entries)
            for uid in (rows.normal_uids(entry[tags]) if tags else ())
        ),
    )
    connection.execute(INDEX.format(schema="temp"))
    merge = Merge(columns, replace, next_version(connection), at, source_version)
    counts = merge.plan(connection, "temp")
    retiring.plan(connection, merge, "temp")
    merge.apply(connection)
    retiring.apply(connection, at)
    merge.confirm(connection, counts)
    back = retiring.count(connection)
    for name in ("incoming", "incoming_tags", "changed", "gone", *retiring.TABLES):
        connection.execute(f"DROP TABLE temp.{name}")
    database.require_room(connection)
    return dataclasses.replace(counts, retired=back)
