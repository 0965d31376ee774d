"""A log that is torn in its middle: which tables are older than the records that were found behind it.

SQLite reads a log up to its first torn frame. Records behind that come out of single pages; tables
do not: what a commit behind the tear wrote into them is gone.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import apsw

from gatewayd.store.chain import FIRST_PREVHASH
from gatewayd.store.pages import PageFile

_FRAMES_READ: Final = slice(16, 20)
"""Where the index of a log says how many of its frames count (walformat.html, section 2.1)."""
_WRITE_FORMAT: Final = 18
_WITH_LOG: Final = b"\x02"
"""Where a file says how it is written, and that it is with a log (fileformat2.html, section 1.3.3)."""
_PAGES: Final = (
    "SELECT DISTINCT pageno, coalesce(tbl_name, dbstat.name) FROM dbstat "
    "LEFT JOIN sqlite_schema ON sqlite_schema.name = dbstat.name"
)
_LAST: Final = "SELECT sequence, hash FROM records ORDER BY sequence DESC LIMIT 1"
_TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_FILLS: Final = (
    "SELECT rig, body FROM records WHERE sequence > ? AND kind = 'fill' ORDER BY sequence"
)
SETTLED: Final = (
    "DELETE FROM permits WHERE state = 'pending' AND record_id IN (SELECT id FROM records)"
)
"""A permit whose record is there was resolved, whatever its row says."""
_CATCH_UP: Final = (
    "INSERT INTO rigs (rig, last_permit_no, last_total_g) VALUES (?, ?, ?) ON CONFLICT (rig) DO "
    "UPDATE SET last_permit_no = max(last_permit_no, excluded.last_permit_no), "
    "last_total_g = excluded.last_total_g"
)


def frames_read(path: Path) -> int:
    """How many frames of the log of an open store count. May raise OSError."""
    index = path.with_name(f"{path.name}-shm").read_bytes()
    return int.from_bytes(index[_FRAMES_READ], sys.byteorder)


def commits_behind(path: Path, connection: apsw.Connection) -> int:
    """How many commits the log holds behind where SQLite stopped to read it.

    One is what a power cut leaves; with more, something durable is gone. May raise apsw.Error.
    """
    found = connection.execute(_LAST).fetchone()
    last, digest = found or (0, FIRST_PREVHASH)
    try:
        frames = frames_read(path)
        with PageFile.open(path) as pages:
            records = pages.commits_behind(frames, int(last), str(digest))
            return max(records, pages.durable_behind(frames))
    except OSError:
        return 0


def torn(path: Path, connection: apsw.Connection) -> bool:
    """Whether the log of a store lost something durable, also beside a daemon that writes into it.

    What was written between two looks looks like a tear in one of them. May raise apsw.Error.
    """
    try:
        looks = {(frames_read(path), commits_behind(path, connection) > 1) for _ in range(2)}
    except OSError:
        return False
    return len(looks) == 1 and looks.pop()[1]


def lacks_its_log(path: Path) -> bool:
    """Whether a file says that it has a log beside it, and there is none, or an empty one.

    So does a store that was stopped in order; a copy of a running one has lost its newest records.
    Ask before SQLite has opened it, which makes an empty log. Raises OSError.
    """
    log = path.with_name(f"{path.name}-wal")
    with path.open("rb") as file:
        header = file.read(_WRITE_FORMAT + 1)
    has_log = header[_WRITE_FORMAT:] == _WITH_LOG
    return has_log and not (log.exists() and log.stat().st_size)


def older_tables(path: Path, connection: apsw.Connection | None) -> frozenset[str]:
    """The tables that a commit behind the tear wrote; every one when that cannot be told."""
    if connection is None:
        return frozenset()
    try:
        with PageFile.open(path) as pages:
            written = pages.written_behind(frames_read(path))
    except OSError:
        return frozenset()  # There is no log that could be torn.
    if not written:
        return frozenset()
    try:
        found = connection.execute(_PAGES).fetchall()
    except (apsw.Error, UnicodeDecodeError):
        return _every(connection)
    return frozenset(str(table) for page, table in found if page in written)


def _every(connection: apsw.Connection) -> frozenset[str]:
    try:
        return frozenset(str(name) for (name,) in connection.execute(_TABLES))
    except (apsw.Error, UnicodeDecodeError):
        return frozenset()  # Then nothing of them is carried either.


def catch_up(fresh: apsw.Connection, last: int) -> None:
    """Take totaliser and permit number of each rig from its fills above `last`.

    What they say has flowed is booked; by the older totaliser it would be booked once more.
    """
    for rig, body in fresh.execute(_FILLS, (last,)).fetchall():
        data: dict[str, Any] = json.loads(str(body))["data"]
        number, total_g = data.get("permit_no"), data.get("total_after_g")
        if isinstance(total_g, int):
            fresh.execute(_CATCH_UP, (rig, number if isinstance(number, int) else 0, total_g))
