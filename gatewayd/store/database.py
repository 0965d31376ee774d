"""The database file: create, own, connect, check; and SQLite's bad news in words."""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Self

import apsw

from gatewayd.errors import DamagedError, StoreError
from gatewayd.store import belonging, room

SCHEMA_VERSION = 3
APPLICATION_ID = 0x67617479
BUSY_MS = 5_000
"""How long a connection waits for another process's transaction before it gives up."""
QUOTA_MB = 2_048
WAL_BYTES_KEPT_MAX = 67_108_864
RESERVE_BYTES = 1_048_576
"""Room kept for ending what has begun: resolving issued permits, alarms, acknowledgements."""

SWAP_NOTE = "swap"
"""`<store>.swap` says that a fresh store is taking the place of another; see `swap`."""

_MIB = 1_048_576

DAMAGED: Final = (
    "is damaged; with store.on_corrupt: quarantine a restart sets it aside and takes over what is "
    "sound; or stop gatewayd and `gatewayd restore` the last backup"
)
BACKUP_IN_PLACE: Final = (
    "{0}: a backup that was copied into the place of the store; move it elsewhere, then "
    "`gatewayd restore FILE --by NAME`, which lets no number be used twice"
)
_ADVICE: Final[tuple[tuple[type[apsw.Error], str], ...]] = (
    (apsw.FullError, "is full; free space on the disk or raise store.quota_mb"),
    (apsw.CorruptError, DAMAGED),
    (apsw.NotADBError, DAMAGED),
    (
        apsw.BusyError,
        "is locked by another process; end the backup, import or SQL shell that holds it",
    ),
    (apsw.ReadOnlyError, "is read-only; give the user of gatewayd write access to it"),
    (apsw.PermissionsError, "may not be used; give the user of gatewayd access to it"),
    (apsw.CantOpenError, "cannot be opened; check the folder and that its user is gatewayd's"),
    (apsw.IOError, "cannot be read or written; check the disk and the kernel log"),
    (apsw.NoMemError, "cannot be used: out of memory"),
)
_OUR_TABLES: Final = "SELECT count(*) FROM sqlite_schema WHERE name IN ('records', 'meta')"


def store_error(path: Path, exc: apsw.Error) -> StoreError:
    """What SQLite said, as a sentence for the person on call that says what to do."""
    for kind, advice in _ADVICE:
        if isinstance(exc, kind):
            if advice is DAMAGED:
                return damaged(path, str(exc))
            return StoreError(f"{path}: the store {advice} ({exc})")
    return StoreError(f"{path}: the store failed ({type(exc).__name__}: {exc})")


def damaged(path: Path | str, why: str) -> DamagedError:
    """The store at `path` is not what was written; `why` is what was found."""
    return DamagedError(f"{path}: the store {DAMAGED} ({why})", why)


@dataclass(frozen=True, slots=True)
class Ownership:
    """The right to be the one daemon on a store, or the one import: a lock until released."""

    file: int

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock without waiting; raises StoreError naming the process that has it."""
        return cls(
            _lock(
                path,
                "lock",
                lambda holder: (
                    f"{path}: the store is in use by process {holder}; one gatewayd per store: "
                    "stop that one first, or give this one its own store.path"
                ),
            )
        )

    @classmethod
    def take_import(cls, path: Path) -> Self:
        """The right to be the one import; beside a daemon. Raises StoreError as `take` does."""
        return cls(
            _lock(
                path,
                "import-lock",
                lambda holder: (
                    f"{path}: process {holder} is importing into this store; wait until it has "
                    "ended, then import again"
                ),
            )
        )

    def release(self) -> None:
        """Let the next process have the store. The lock file stays: removing it would race."""
        os.close(self.file)


def _lock(path: Path, kind: str, refusal: Callable[[str], str]) -> int:
    """Lock `<store>.<kind>` without waiting and write our process id into it."""
    lock = path.with_name(f"{path.name}.{kind}")
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        belonging.to_the_folder(lock)
    except OSError as exc:
        raise StoreError(
            f"{path}: cannot create {lock.name}: {exc.strerror}; create the folder and give "
            "the user of gatewayd write access to it"
        ) from exc
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(file)
        raise StoreError(refusal(holder)) from exc
    with suppress(OSError):  # For people only: a full disk keeps nobody from ending what has begun.
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def exists(path: Path) -> bool:
    """Whether there is a store at `path`; raises StoreError when only pieces of one are there."""
    wal = path.with_name(f"{path.name}-wal")
    if path.with_name(f"{path.name}.{SWAP_NOTE}").exists():
        raise StoreError(f"{path}: another store is taking its place; start gatewayd to end that")
    if not path.exists():
        if wal.exists():
            raise StoreError(f"{path}: missing, but {wal.name} is there: restore or move it aside")
        return False
    if path.stat().st_size == 0:
        raise damaged(path, "the file is empty")
    return True


def create(path: Path, *, station_id: str) -> None:
    """Make an empty store, whole or not at all. The caller owns `path`. Raises StoreError."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        connection = make(fresh, station_id=station_id)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        fresh.rename(path)
        sync_folder(path.parent)
    except apsw.Error as exc:
        raise store_error(path, exc) from exc
    except OSError as exc:
        raise StoreError(f"{path}: cannot create the store: {exc.strerror}") from exc


def make(fresh: Path, *, station_id: str) -> apsw.Connection:
    """An empty store in the place of what is left at `fresh`. May raise apsw.Error, OSError."""
    for leftover in ("", "-wal", "-journal", "-shm"):
        fresh.with_name(fresh.name + leftover).unlink(missing_ok=True)
    schema = (files("gatewayd.store") / "schema.sql").read_text(encoding="utf-8")
    connection = apsw.Connection(str(fresh))
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    with connection:
        connection.execute(schema)
        connection.execute(
            "INSERT INTO meta VALUES ('schema_version', ?), ('station_id', ?), ('probes', '0')",
            (str(SCHEMA_VERSION), station_id),
        )
    belonging.to_the_folder(fresh)
    return connection


def sync_folder(folder: Path) -> None:
    """Make a rename survive power loss."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def connect_to_write(path: Path, *, quota_mb: int, busy_ms: int = BUSY_MS) -> apsw.Connection:
    """A durable connection: FULL sync, quota in force. Raises StoreError."""
    connection = _connect(path, apsw.SQLITE_OPEN_READWRITE, busy_ms)
    try:
        page_bytes = connection.execute("PRAGMA page_size").get
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT_MAX}")
        connection.execute(f"PRAGMA max_page_count = {quota_mb * _MIB // page_bytes}")
        mode = connection.execute("PRAGMA journal_mode").get
    except apsw.Error as exc:
        connection.close()
        raise store_error(path, exc) from exc
    if mode != "wal":
        connection.close()
        raise StoreError(BACKUP_IN_PLACE.format(path))
    return connection


def connect_to_read(path: Path, *, busy_ms: int = BUSY_MS) -> apsw.Connection:
    """A connection that cannot write, beside a running daemon or alone. Raises StoreError."""
    return _connect(path, apsw.SQLITE_OPEN_READONLY, busy_ms)


def connect_to_upgrade(path: Path) -> apsw.Connection:
    """A durable connection to a store of this program or an older one. Raises StoreError."""
    return _connect(path, apsw.SQLITE_OPEN_READWRITE, BUSY_MS, oldest=1)


def _connect(path: Path, flags: int, busy_ms: int, oldest: int = SCHEMA_VERSION) -> apsw.Connection:
    try:
        connection = apsw.Connection(str(path), flags=flags)
    except apsw.Error as exc:
        raise store_error(path, exc) from exc
    try:
        connection.set_busy_timeout(busy_ms)
        _check_kind(path, connection, oldest)
    except apsw.Error as exc:
        connection.close()
        raise store_error(path, exc) from exc
    except StoreError:
        connection.close()
        raise
    return connection


def _check_kind(path: Path, connection: apsw.Connection, oldest: int) -> None:
    """Refuse a file that is not ours, from a newer program, or older than `oldest`."""
    if connection.execute("PRAGMA application_id").get != APPLICATION_ID:
        if connection.execute(_OUR_TABLES).get == 2:  # noqa: PLR2004 - records and meta
            raise damaged(path, "its header was changed")
        raise StoreError(
            f"{path}: a SQLite file, but no gatewayd store; give the right file, or correct store.path"
        )
    found = version(connection)
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: written by a newer gatewayd (schema {found}, this one knows "
            f"{SCHEMA_VERSION}); install that version again or restore the backup from before it"
        )
    if found < oldest:
        raise StoreError(
            f"{path}: written by an older gatewayd (schema {found}, this one knows "
            f"{SCHEMA_VERSION}); `gatewayd run` or `import` brings it up to date"
        )


def version(connection: apsw.Connection) -> int:
    """The schema version of a store; may raise apsw.Error, DamagedError."""
    told = _meta(connection, "schema_version")
    if not told.isdecimal():
        raise damaged(connection.db_filename("main"), f"schema {told}")
    return int(told)


def _meta(connection: apsw.Connection, key: str) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).get)


def check_station(path: Path, connection: apsw.Connection, station_id: str) -> None:
    """Refuse another station's store: its chain of records must not go on under a new name."""
    try:
        owner = _meta(connection, "station_id")
    except apsw.Error as exc:
        raise store_error(path, exc) from exc
    if owner != station_id:
        raise StoreError(
            f"{path}: the store belongs to station {owner}, the config says {station_id}; correct "
            "station.id, or move the store aside to start an empty one"
        )


def has_room(connection: apsw.Connection, *, kept: int = 0) -> bool:
    """Whether more than the reserve, and `kept` bytes above it, is left, and not only the ballast's."""
    used, limit = room.used(connection)
    return limit - used >= RESERVE_BYTES + kept and not room.on_ballast(connection)


def require_room(connection: apsw.Connection) -> None:
    """Refuse to begin anything new on the reserve; raises StoreError."""
    if not has_room(connection):
        raise StoreError(
            f"{connection.db_filename('main')}: the store is full: only the reserve for open fills "
            "is left; free the disk or raise store.quota_mb"
        )


def roll_back(connection: apsw.Connection) -> None:
    """End a failed transaction; SQLite may have done so by itself."""
    with suppress(apsw.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
