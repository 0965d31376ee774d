"""What an import means for retired codes and tags, worked out before anything changes.

`plan` notes beside the planned changes (in the scratch file, or in temp) what is to be retired, and
which rows use something retired again; `apply` makes it so, together with the import.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apsw

from gatewayd.store import passing, rows

if TYPE_CHECKING:
    from gatewayd.store.merge import Merge

TABLES = ("retiring", "reusing")

_STATES = ", ".join(f"'{state}'" for state in passing.RETIRING)
_FROM = "FROM incoming i LEFT JOIN cylinders c ON c.code = i.code"
_MAKE = """
CREATE TABLE {schema}.retiring (kind, value, code, reason);
CREATE TABLE {schema}.reusing ("row", "column", kind, value, code, reason);
"""


@dataclass(frozen=True, slots=True)
class Back:
    """A row whose `column` uses something retired again; `code` is the cylinder that had it."""

    row: int
    column: str
    value: str
    code: str
    reason: str


def plan(connection: apsw.Connection, merge: "Merge", schema: str) -> None:
    """Note in `schema` what the import retires and what it uses again; `merge.plan` went before."""
    connection.execute(_MAKE.format(schema=schema))
    connection.executemany(
        f"INSERT INTO {schema}.retiring VALUES (?, ?, ?, ?)",  # noqa: S608 - our names
        [*_ended(connection, merge), *_replaced(connection)],
    )
    used = f"r.reused_at IS NULL AND coalesce({merge.new()['status']}, '') NOT IN ({_STATES})"
    into = f'INSERT INTO {schema}.reusing SELECT i."row"'
    connection.execute(
        f"{into}, 'code', 'code', r.value, r.code, r.reason {_FROM} "
        f"JOIN retired r ON r.kind = 'code' AND r.value = i.code WHERE {used}"
    )
    connection.execute(
        f"{into}, 'tag_uids', 'uid', r.value, r.code, r.reason FROM incoming_tags n "
        "JOIN retired r ON r.kind = 'uid' AND r.value = n.uid "
        'JOIN incoming i ON i."row" = n."row" LEFT JOIN cylinders c ON c.code = i.code '
        f"WHERE r.code <> i.code AND {used}"
    )


def _ended(connection: apsw.Connection, merge: "Merge") -> Iterator[tuple[str, str, str, str]]:
    """Codes and tags of the entries that become scrapped or cancelled."""
    new = merge.new()
    found = connection.execute(
        f"SELECT i.code, coalesce({new['tag_uids']}, ''), {new['status']} {_FROM} "  # noqa: S608 - our names
        f"WHERE i.code IN (SELECT code FROM changed) AND {new['status']} IN ({_STATES})"
    )
    for entry in found.fetchall():
        code, tag_uids, status = map(str, entry)
        yield "code", code, code, status
        for uid in rows.normal_uids(tag_uids):
            yield "uid", uid, code, status


def _replaced(connection: apsw.Connection) -> Iterator[tuple[str, str, str, str]]:
    """Codes that go while a tag of theirs stays, under a code that is new: it was recoded."""
    found = connection.execute(
        "SELECT DISTINCT t.code FROM incoming_tags n JOIN cylinder_tags t ON t.uid = n.uid "
        'JOIN gone g ON g.code = t.code JOIN incoming i ON i."row" = n."row" '
        "JOIN changed d ON d.code = i.code WHERE d.kind = 'added'"
    )
    for (code,) in found.fetchall():
        yield "code", str(code), str(code), "replaced"


def count(connection: apsw.Connection) -> int:
    """How many rows use something retired again."""
    return int(connection.execute('SELECT count(DISTINCT "row") FROM reusing').get)


def back_in_use(connection: apsw.Connection, limit: int) -> tuple[Back, ...]:
    """The first `limit` cells that use something retired again, by row."""
    sql = 'SELECT "row", "column", value, code, reason FROM reusing ORDER BY 1, 2 LIMIT ?'
    return tuple(Back(*found) for found in connection.execute(sql, (limit,)))


def apply(connection: apsw.Connection, at: str, *, reuse: str = "") -> None:
    """Retire what was planned; with a person's reason to `reuse`, take the rest back into use."""
    if reuse:
        connection.execute(
            "UPDATE retired SET reused_at = ?, reuse_reason = ? WHERE reused_at IS NULL "
            "AND ((kind, value) IN (SELECT kind, value FROM reusing) OR (kind = 'uid' "
            "AND code IN (SELECT value FROM reusing WHERE kind = 'code')))",
            (at, reuse),
        )
    found = connection.execute("SELECT kind, value, code, reason FROM retiring")
    named = [(str(kind), str(value), str(code), str(why)) for kind, value, code, why in found]
    passing.retire(connection, named, at)
