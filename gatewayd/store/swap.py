"""A fresh store takes the place of another, which is kept beside it. Whole after any crash.

The fresh file is complete before anything is moved. A note beside the store says what is being done,
so that the next start ends it: a log is never without its file, and no file without its log.
"""

import json
import os
import shutil
from datetime import datetime
from pathlib import Path

from gatewayd.errors import StoreError
from gatewayd.store.database import SWAP_NOTE, sync_folder

PIECES = ("", "-wal", "-shm")
ROOM_BYTES = 67_108_864
"""Room that the disk must have beside a second store of the same size."""

_MB = 1_000_000


def beside(path: Path, kind: str) -> Path:
    """The file `<store>.<kind>`."""
    return path.with_name(f"{path.name}.{kind}")


def free_name(path: Path, kind: str, at: datetime) -> Path:
    """A name for a store that is put aside, that nothing has: `<store>.<kind>-<time>`."""
    stamp = f"{at:%Y%m%dT%H%M%SZ}"
    names = (
        beside(path, f"{kind}-{stamp}{tail}") for tail in ("", *(f"-{n}" for n in range(2, 99)))
    )
    return next(name for name in names if not name.exists())


def require_disk(path: Path, size: int) -> None:
    """Refuse to begin a second file of `size` bytes beside a store; raises StoreError."""
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as exc:
        raise StoreError(f"{path}: cannot be written: {path.parent}: {exc.strerror}") from exc
    if free < size + ROOM_BYTES:
        raise StoreError(
            f"{path}: the disk has no room for a second file beside the store: "
            f"{(size + ROOM_BYTES) / _MB:.1f} MB must be free, {free / _MB:.1f} MB are; free some "
            f"space on {path.parent}, then try again"
        )


def swap(path: Path, *, aside: Path, fresh: Path) -> None:
    """Put `path` aside and `fresh` in its place; the caller owns `path`. Raises StoreError."""
    try:
        sync_file(fresh)
        note = beside(path, f"{SWAP_NOTE}.part")
        note.write_text(json.dumps({"aside": aside.name, "fresh": fresh.name}), encoding="utf-8")
        sync_file(note)
        note.rename(beside(path, SWAP_NOTE))
        sync_folder(path.parent)
        resume(path)
    except OSError as exc:
        raise StoreError(f"{path}: cannot be put aside: {exc.strerror}") from exc


def resume(path: Path) -> bool:
    """End a swap that was begun; False = none was. The caller owns `path`. Raises StoreError."""
    note = beside(path, SWAP_NOTE)
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
        _move(path, path.with_name(told["aside"]), path.with_name(told["fresh"]))
        note.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError) as exc:
        raise StoreError(f"{path}: cannot end what {note.name} says: {exc}") from exc
    return True


def _move(path: Path, aside: Path, fresh: Path) -> None:
    """Everything that is not done yet; a `fresh` that is gone is in its place already."""
    if not fresh.exists():
        return
    for piece in PIECES:
        source, target = (file.with_name(file.name + piece) for file in (path, aside))
        if source.exists() and not target.exists():
            source.rename(target)
    sync_folder(path.parent)
    fresh.rename(path)
    sync_folder(path.parent)


def sync_file(file: Path) -> None:
    """Make what a file holds survive power loss; may raise OSError."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
