"""The way to PostgreSQL: the only file that knows asyncpg, imported when one is configured."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import asyncpg

from gatewayd.errors import UpstreamError
from gatewayd.upstreams.aside import aside, heed
from gatewayd.upstreams.postgresql import MappedRow, Row, Rows
from gatewayd.upstreams.postgresql_settings import PostgresqlSettings
from gatewayd.upstreams.refused import RefusedError
from gatewayd.upstreams.tls import TlsSettings

PERMANENT = ("22", "23", "P0001")
"""SQLSTATE: data exception, integrity constraint violation, raised by a trigger (PostgreSQL 15,
appendix A). Everything else may pass: no right, no table, no room, read-only, restarting."""
_HINTS = {
    "42P01": "; make the table: config/upstreams/postgresql.sql, or the mapping's own",
    "42P10": "; the column of record.id needs a unique index",
}
LEAVE_S_MAX = 1.0
WORDS_MAX = 200
COLUMNS = ("id", "station", "sequence", "rig", "kind", "time", "record")


class PostgresqlWire:
    """One connection, for as long as it lasts."""

    def __init__(self, connection: Any, table: str, answer_s_max: float) -> None:
        self.gone = asyncio.Event()
        self.why = ""
        self._connection = connection
        self._answer_s_max = answer_s_max
        places = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
        # The table's name is checked by its settings; values travel beside the statement.
        self._insert = (
            f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({places}) "  # noqa: S608 - see above
            "ON CONFLICT (id) DO NOTHING"
        )
        connection.add_termination_listener(self._lost)

    def _lost(self, _connection: object) -> None:
        self.lose("the server closed the connection")

    def lose(self, why: str) -> None:
        """This connection is over; the first reason stays."""
        if not self.gone.is_set():
            self.why = why
            self.gone.set()

    async def insert(self, rows: Rows) -> None:
        """All of them committed; raises RefusedError, or UpstreamError when it is lost."""
        if self.gone.is_set():
            raise UpstreamError(self.why)
        runs = [(each, [*map(_values, of_it)]) for each, of_it in groupby(rows, self._statement)]
        try:
            # One `executemany` is one transaction by itself (asyncpg 0.22 and later).
            whole = self._connection.transaction() if len(runs) > 1 else nullcontext()
            async with asyncio.timeout(self._answer_s_max), whole:
                for statement, values in runs:
                    await self._connection.executemany(statement, values)
        except asyncpg.PostgresError as exc:
            if self._connection.is_closed():
                self._end(exc)
            raise RefusedError(_words(exc), permanent=_permanent(exc)) from exc
        except (asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as exc:
            self._end(exc)
        heed()

    def _statement(self, row: Row | MappedRow) -> str:
        return self._insert if isinstance(row, Row) else _mapped_insert(row)

    def _end(self, exc: Exception) -> None:
        """Whatever is no clear answer ends the connection: the record may be there or not."""
        heed()
        limit = f"no answer within {self._answer_s_max:g} s"
        self.lose(limit if isinstance(exc, TimeoutError) else _cut(str(exc)) or type(exc).__name__)
        self._connection.terminate()
        raise UpstreamError(self.why) from exc


def _values(row: Row | MappedRow) -> tuple[object, ...]:
    if isinstance(row, MappedRow):
        return (row.said,)
    return tuple(getattr(row, name) for name in COLUMNS)


def _mapped_insert(row: MappedRow) -> str:
    """The server makes columns of their own types out of JSON: exact decimals, dates, anything.

    What is not in the JSON is left to the default of its column.
    """
    names = ", ".join(_quoted(name) for name in row.columns)
    # The table's name is checked by its settings and the mapping; columns are quoted.
    return (
        f"INSERT INTO {row.table} ({names}) "  # noqa: S608 - see above
        f"SELECT {names} FROM json_populate_record(NULL::{row.table}, $1::json) "
        f"ON CONFLICT ({_quoted(row.key)}) DO NOTHING"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _permanent(error: asyncpg.PostgresError) -> bool:
    return str(error.sqlstate or "").startswith(PERMANENT)


def _words(error: asyncpg.PostgresError) -> str:
    text = _cut(f"{error} (SQLSTATE {error.sqlstate})")
    return text + _HINTS.get(str(error.sqlstate), "")


def _cut(text: str) -> str:
    return text if len(text) <= WORDS_MAX else f"{text[:WORDS_MAX]}…"


@asynccontextmanager
async def opened(
    settings: PostgresqlSettings, directory: Path, name: str, answer_s_max: float
) -> AsyncIterator[PostgresqlWire]:
    """A connection until the caller leaves; raises UpstreamError when none can be had."""
    tls = await _tls(settings, directory)
    try:
        async with asyncio.timeout(answer_s_max):
            connection = await asyncpg.connect(
                host=settings.host,
                port=settings.port,
                user=settings.username,
                password=settings.password or "",
                database=settings.database,
                ssl=tls or False,
                direct_tls=False,
                timeout=answer_s_max,
                server_settings={"application_name": name},
            )
    except TimeoutError as exc:
        heed()
        raise UpstreamError(f"no answer within {answer_s_max:g} s") from exc
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as exc:
        heed()
        raise UpstreamError(f"cannot connect: {_cut(str(exc)) or type(exc).__name__}") from exc
    try:
        heed()
        yield PostgresqlWire(connection, settings.table, answer_s_max)
    finally:
        await _leave(connection)


async def _leave(connection: Any) -> None:
    """Let go of the connection; what it still had to say is said again over the next one."""
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        async with asyncio.timeout(LEAVE_S_MAX):
            await connection.close()
    connection.terminate()


async def _tls(settings: PostgresqlSettings, directory: Path) -> ssl.SSLContext | None:
    """Read the TLS files off the loop; None without TLS. Raises UpstreamError."""
    files: TlsSettings | None = settings.tls
    if files is None:
        return None
    made: list[ssl.SSLContext] = []
    await aside(lambda: made.append(files.context(directory)), done=lambda: None)
    return made[0]
