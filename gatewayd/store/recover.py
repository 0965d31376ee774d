"""Records out of a damaged store: first as its tables give them, then page by page.

Every record proves itself by its hash, so that it does not matter how it was found.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from gatewayd.store import rows
from gatewayd.store.behind import commits_behind
from gatewayd.store.links import Link, proven
from gatewayd.store.pages import PageFile

PROBED_MAX = 100_000
"""Sequences in a row that are asked for one by one behind a damaged page."""

_UNREADABLE = (apsw.Error, UnicodeDecodeError)
"""How a damaged row makes itself known."""
_SEQUENCE_MAX = 2**50
"""No store counts so far; a number above is damage."""

_STREAM = f"SELECT {rows.RECORD_COLUMNS} FROM records WHERE sequence > ? ORDER BY sequence"  # noqa: S608 - our names
_ONE = f"SELECT {rows.RECORD_COLUMNS} FROM records WHERE sequence = ?"  # noqa: S608 - our names
_HIGHEST = (
    "SELECT seq FROM sqlite_sequence WHERE name = 'records'",
    "SELECT max(sequence) FROM records",
    "SELECT max(sequence) FROM cursors",
    "SELECT max(sequence) FROM records WHERE kind = 'alarm'",
    "SELECT max(filled_sequence, crossed_sequence) FROM lives ORDER BY 1 DESC LIMIT 1",
    "SELECT max(sequence) FROM gaps",
    "SELECT sequence FROM pruned",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A record that proves itself, and whether the tables still had it or only a page."""

    body: str
    link: Link
    from_page: bool = False


def open_damaged(path: Path) -> apsw.Connection | None:
    """A connection that changes nothing; None when SQLite cannot even open the file."""
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except apsw.Error:
        return None
    return connection


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest sequence that anything in a store names.

    `sure` when its own counter does, and no log is torn that may have counted further.
    """

    sequence: int = 0
    sure: bool = False


def highest(path: Path, connection: apsw.Connection | None) -> Highest:
    """Where a damaged store's records ended, as far as it can tell."""
    told = [_number(connection, sql) for sql in _HIGHEST] if connection is not None else []
    known = [number for number in told if number is not None]
    if not known:
        return Highest()
    told[0] = 0 if connection is not None and _never_counted(connection) else told[0]
    sure = told[0] == max(known) and not _torn(path, connection)
    return Highest(max(known), sure=sure)


def _never_counted(connection: apsw.Connection) -> bool:
    """Whether the counter can be read and says that no record was ever numbered."""
    with suppress(*_UNREADABLE):
        wrong = connection.execute("PRAGMA quick_check('sqlite_sequence')").get
        counted = connection.execute(
            "SELECT count(*) FROM sqlite_sequence WHERE name = 'records'"
        ).get
        return bool(wrong == "ok" and counted == 0)
    return False


def _torn(path: Path, connection: apsw.Connection | None) -> bool:
    try:
        return connection is not None and commits_behind(path, connection) > 1
    except _UNREADABLE:
        return True


def _number(connection: apsw.Connection, sql: str) -> int | None:
    with suppress(*_UNREADABLE):
        found: Any = connection.execute(sql).get
        return found if isinstance(found, int) and 0 <= found <= _SEQUENCE_MAX else None
    return None


Spoilt = Callable[[int, str], None]
"""Hears of a row that is there and does not prove itself: its sequence and its text."""


def _unheard(_sequence: int, _body: str) -> None:
    """Nobody asks."""


def recover(
    path: Path, connection: apsw.Connection | None, spoilt: Spoilt = _unheard
) -> Iterator[Found]:
    """Every record that can be read, most of them in order; the same one may come again.

    The log is always looked through: SQLite passes over what lies behind a torn frame. All pages are
    when the tables did not give every record below the highest.
    """
    seen = 0
    end = highest(path, connection)
    if connection is not None:
        for found in _by_tables(connection, end.sequence, spoilt):
            seen += 1
            yield found
    every = connection is None or not end.sure or seen < _expected(connection, end.sequence)
    with PageFile.open(path) as pages:
        for record, proof in pages.records() if every else pages.log_records():
            yield Found(record.body, proof, from_page=True)


def _expected(connection: apsw.Connection, last: int) -> int:
    """How many records there should be; at least so many, when damage hides what was deleted."""
    gone = _number(connection, "SELECT coalesce(sum(sequence - from_sequence + 1), 0) FROM gaps")
    pruned = _number(connection, "SELECT sequence FROM pruned")
    return last - (gone or 0) - (pruned or 0)


def _by_tables(connection: apsw.Connection, last: int, spoilt: Spoilt) -> Iterator[Found]:
    after = 0
    while True:
        try:
            for row in connection.execute(_STREAM, (after,)):
                after = max(after, int(row[0])) if isinstance(row[0], int) else after
                yield from _found(row, spoilt)
        except _UNREADABLE:
            pass
        else:
            return
        row = _next_readable(connection, after, last)
        if row is None:
            return
        after = int(row[0])
        yield from _found(row, spoilt)


def _next_readable(connection: apsw.Connection, after: int, last: int) -> rows.Row | None:
    """The first record behind a damaged page that can be asked for by its sequence."""
    for sequence in range(after + 1, min(last, after + PROBED_MAX) + 1):
        with suppress(*_UNREADABLE):
            found: rows.Row | None = connection.execute(_ONE, (sequence,)).fetchone()
            if found is not None:
                return found
    return None


def _found(row: rows.Row, spoilt: Spoilt) -> Iterator[Found]:
    record = rows.record(row)
    body: object = record.body
    proof = proven(record) if isinstance(body, str) else None
    if proof is None:
        spoilt(record.sequence, str(body))
        return
    yield Found(record.body, proof)
