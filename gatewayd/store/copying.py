"""A copy of a store as it is at one moment, made beside a running daemon, checked before it counts."""

import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from gatewayd.errors import DamagedError, StoreError
from gatewayd.store import database
from gatewayd.store.chain import Head
from gatewayd.store.reads import Reads
from gatewayd.store.swap import free_name, require_disk, sync_file
from gatewayd.store.verifying import verify

PAGES_A_STEP = 256
"""Copied at once; 1 MB."""
PAUSE_S = 0.01
"""Left to the daemon between two steps: at most 100 MB/s."""
BACKUPS_KEPT = 3
"""Copies made before the schema was changed; the oldest goes."""
_BEFORE = "before-schema"


@dataclass(frozen=True, slots=True)
class Copied:
    """A finished copy: its size in bytes, its records, and the end of its chain."""

    file: Path
    bytes: int
    records: int
    head: Head


def copy(source: Path, target: Path) -> None:
    """Copy the store `source` as it is now to `target`, which must not exist. Raises StoreError.

    The daemon may go on writing: the copy is of one moment. A copy cut short leaves nothing.
    """
    if target.exists():
        raise StoreError(f"{target}: exists already; give another name")
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch()
        _copy_pages(source, part)
        sync_file(part)
        part.rename(target)
        database.sync_folder(target.parent)
    except apsw.Error as exc:
        raise database.store_error(source, exc) from exc
    except OSError as exc:
        raise StoreError(f"{target}: cannot be written: {exc.strerror}") from exc
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _copy_pages(source: Path, part: Path) -> None:
    pause = threading.Event()
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as old,
        closing(apsw.Connection(str(part))) as new,
    ):
        old.set_busy_timeout(database.BUSY_MS)
        new.execute("PRAGMA synchronous = OFF")
        # One moment: what is committed from here on is not seen, and never begins the copy anew.
        old.execute("BEGIN; SELECT count(*) FROM meta").fetchall()
        with new.backup("main", old, "main") as backup:
            while not backup.done:
                backup.step(PAGES_A_STEP)
                pause.wait(PAUSE_S)
        old.execute("COMMIT")
        # A copy is one file: it needs no log beside it, on whatever medium it lies.
        new.execute("PRAGMA journal_mode = DELETE").fetchall()


def prove(copied: Path) -> Copied:
    """Check every page and every record of a copy. Raises StoreError, DamagedError when it is bad."""
    connection = database.connect_to_read(copied)
    try:
        found = connection.execute("PRAGMA quick_check(1)").get
        if found != "ok":
            raise database.damaged(copied, str(found))
        chain = verify(Reads(copied, connection), quick=True)
    except apsw.Error as exc:
        raise database.store_error(copied, exc) from exc
    finally:
        connection.close()
    if chain.problem is not None:
        raise database.damaged(copied, chain.problem)
    return Copied(copied, copied.stat().st_size, chain.records, chain.head)


def back_up(source: Path, target: Path) -> Copied:
    """Copy a store and prove the copy; what is no good does not stay. Raises StoreError."""
    require_disk(target, source.stat().st_size)
    copy(source, target)
    try:
        return prove(target)
    except DamagedError:
        target.unlink()
        raise


def before_change(path: Path, *, version: int, at: datetime) -> Path:
    """Keep a store as it is before its schema is changed; the oldest of BACKUPS_KEPT goes.

    Raises StoreError, also when the disk has no room for it: then nothing may be changed.
    """
    require_disk(path, path.stat().st_size)
    target = free_name(path, f"{_BEFORE}-{version + 1}", at)
    copy(path, target)
    try:
        _count_pages(path, target)
    except StoreError:
        target.unlink()
        raise
    found = sorted(
        path.parent.glob(f"{path.name}.{_BEFORE}-*"), key=lambda file: file.stat().st_mtime
    )
    for old in found[:-BACKUPS_KEPT]:
        old.unlink()
    return target


def _count_pages(path: Path, target: Path) -> None:
    """A copy of an older schema: pages are whole, and the records are as many."""
    connection = database.connect_to_upgrade(target)
    try:
        if connection.execute("PRAGMA quick_check(1)").get != "ok":
            raise database.damaged(target, "the copy is not whole")
        copied = connection.execute("SELECT count(*), max(sequence) FROM records").fetchone()
    finally:
        connection.close()
    original = database.connect_to_upgrade(path)
    try:
        there = original.execute("SELECT count(*), max(sequence) FROM records").fetchone()
    finally:
        original.close()
    if copied != there:
        raise database.damaged(target, f"records of the copy {copied}, of the store {there}")
