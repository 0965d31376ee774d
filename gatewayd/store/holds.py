"""Hold a cylinder and let it go again, inside the writer's transaction; every hold is kept for good.

A held cylinder has the reason in its `hold`; no import takes it away, only a release does.
"""

import apsw

from gatewayd.store.merge import next_version

_OPEN = "code = ? AND released_at IS NULL"
FROM_IMPORT = "import"
"""Who held a cylinder whose archive entry came with a hold."""
REPLACED = "held for another reason"


def hold(connection: apsw.Connection, code: str, reason: str, by: str, at: str) -> bool:
    """Hold a cylinder; another reason takes the place of the last one. False = it is not known yet.

    An unknown code is held as soon as the archive knows it. The same again changes nothing.
    """
    assert code, "a hold names its cylinder"
    assert reason, code
    found = connection.execute(f"SELECT reason FROM holds WHERE {_OPEN}", (code,)).get  # noqa: S608 - our names
    if found != reason:
        _close(connection, code, by, at, REPLACED)
        connection.execute(
            "INSERT INTO holds (code, reason, held_by, held_at) VALUES (?, ?, ?, ?)",
            (code, reason, by, at),
        )
        _set(connection, code, reason, at)
    return bool(connection.execute("SELECT 1 FROM cylinders WHERE code = ?", (code,)).get)


def release(connection: apsw.Connection, code: str, by: str, at: str, reason: str) -> bool:
    """Let a cylinder go, so that it is judged normally again; False = nothing held it."""
    entry = connection.execute(
        "SELECT hold, changed_at FROM cylinders WHERE code = ? AND hold IS NOT NULL", (code,)
    ).fetchone()
    closed = _close(connection, code, by, at, reason)
    if entry is None:
        return closed
    if not closed:  # the hold came with the archive entry
        connection.execute(
            "INSERT INTO holds (code, reason, held_by, held_at, released_by, released_at, "
            "release_reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (code, entry[0], FROM_IMPORT, entry[1] or at, by, at, reason),
        )
    _set(connection, code, None, at)
    return True


def _close(connection: apsw.Connection, code: str, by: str, at: str, reason: str) -> bool:
    connection.execute(
        f"UPDATE holds SET released_by = ?, released_at = ?, release_reason = ? WHERE {_OPEN}",  # noqa: S608 - our names
        (by, at, reason, code),
    )
    return connection.changes() > 0


def _set(connection: apsw.Connection, code: str, reason: str | None, at: str) -> None:
    version = next_version(connection)
    connection.execute(
        "UPDATE cylinders SET hold = ?, version = ?, changed_at = ? WHERE code = ?",
        (reason, version, at, code),
    )
    connection.execute("UPDATE archive SET version = ?", (version,))
