"""A simulated disk under the real SQLite: an apsw VFS that knows what an fsync has made durable.

Files are real files in a folder of this life (the page cache); beside them the disk keeps what was
written since the last fsync, so that a power cut may lose, tear or keep each of those writes. A
life that died keeps its own folder: nothing a ghost writes reaches the next one.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import apsw

NAME = "simulated"
SECTOR_BYTES = 512
KEPT_NEVER = (".lock", "-shm")
"""What a computer that starts again does not find: locks and shared memory."""

Op: TypeAlias = Literal["write", "sync", "truncate", "delete"]


@dataclass(slots=True)
class Change:
    """One write that no fsync has covered: what was there, and what is there now."""

    at: int
    before: bytes
    after: bytes


@dataclass(slots=True)
class Disk:
    """The disk of one life. `on_op` is told of every operation before it happens.

    `full` and `fsync_fails` strike the log, where every commit goes, and `reads_fail` strikes the
    database: a checkpoint that fails is nobody's news in SQLite, but apsw would make it one.
    """

    folder: Path
    on_op: Callable[[Op, str], None] = lambda _op, _name: None
    full: bool = False
    fsync_fails: int = 0
    reads_fail: int = 0
    ops: int = 0
    struck: int = 0
    changes: dict[str, list[Change]] = field(default_factory=dict)

    def op(self, kind: Op, path: str) -> None:
        """One operation begins."""
        self.ops += 1
        self.on_op(kind, Path(path).name)

    def copy_to(self, folder: Path, *, power_cut: random.Random | None = None) -> None:
        """What the next life finds: after a kill the page cache, after a power cut the disk."""
        folder.mkdir(parents=True)
        for file in sorted(self.folder.iterdir()):
            if file.is_file() and not file.name.endswith(KEPT_NEVER):
                shutil.copyfile(file, folder / file.name)
                if power_cut is not None:
                    self._cut_power(file, folder / file.name, power_cut)

    def _cut_power(self, file: Path, copy: Path, rng: random.Random) -> None:
        """Undo what was not synced, then let some of it have reached the disk, some torn."""
        changes = self.changes.get(str(file), [])
        data = bytearray(copy.read_bytes())
        for change in reversed(changes):
            data[change.at : change.at + len(change.after)] = change.before
        for change in changes:
            self._maybe(data, change, rng)
        copy.write_bytes(data)

    def _maybe(self, data: bytearray, change: Change, rng: random.Random) -> None:
        fate = rng.random()
        if fate < 0.4:
            return
        after = change.after
        if fate < 0.7:
            after = after[: rng.randrange(0, len(after) + 1, SECTOR_BYTES)]
        gap = change.at - len(data)
        if gap > 0:
            data += bytes(gap)
        data[change.at : change.at + len(after)] = after


_DISKS: dict[str, Disk] = {}


class _File(apsw.VFSFile):
    """One open file. The main database, its log and its journal are watched, the rest is not."""

    def __init__(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._path = path or ""
        self._disk = _DISKS.get(str(Path(self._path).parent)) if path else None
        self._log = self._path.endswith("-wal")

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        disk = self._disk
        if disk is None:
            super().xWrite(data, offset)
            return
        disk.op("write", self._path)
        size = self.xFileSize()
        if disk.full and self._log and offset + len(data) > size:
            disk.struck += 1
            raise apsw.FullError("simulated: the disk is full")
        there = max(0, min(len(data), size - offset))
        before = super().xRead(there, offset) if there else b""
        super().xWrite(data, offset)
        disk.changes.setdefault(self._path, []).append(Change(offset, before, bytes(data)))

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - same
        data = super().xRead(amount, offset)
        disk = self._disk
        if disk is not None and disk.reads_fail > 0 and not self._log and amount >= SECTOR_BYTES:
            disk.reads_fail -= 1
            disk.struck += 1
            raise apsw.IOError("simulated: a sector cannot be read")
        return data

    def xSync(self, flags: int) -> None:  # noqa: N802 - same
        disk = self._disk
        if disk is None:
            super().xSync(flags)
            return
        disk.op("sync", self._path)
        if disk.fsync_fails > 0 and self._log:
            disk.fsync_fails -= 1
            disk.struck += 1
            raise apsw.IOError("simulated: fsync failed")
        disk.changes.pop(self._path, None)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - same
        disk = self._disk
        if disk is not None:
            disk.op("truncate", self._path)
            size = self.xFileSize()
            if newsize < size:
                tail = super().xRead(size - newsize, newsize)
                disk.changes.setdefault(self._path, []).append(Change(newsize, tail, b""))
        super().xTruncate(newsize)

    def xLock(self, level: int) -> None:  # noqa: N802 - same
        """A file opened to be read alone cannot be locked to be written: as if another had it."""
        try:
            super().xLock(level)
        except apsw.IOError as exc:
            raise apsw.BusyError(str(exc)) from exc


class _Vfs(apsw.VFS):
    def __init__(self) -> None:
        super().__init__(NAME, "unix")

    def xOpen(  # noqa: N802 - SQLite's name
        self, name: "str | apsw.URIFilename | None", flags: list[int]
    ) -> _File:
        return _File(name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 - same
        disk = _DISKS.get(str(Path(filename).parent))
        if disk is not None:
            disk.op("delete", filename)
            disk.changes.pop(filename, None)
        super().xDelete(filename, syncdir)


@contextmanager
def simulated() -> Iterator[None]:
    """Every database opened within goes through here; folders without a `Disk` are left alone."""
    vfs = _Vfs()
    apsw.set_default_vfs(NAME)
    try:
        yield
    finally:
        apsw.set_default_vfs("unix")
        vfs.unregister()


@contextmanager
def mounted(disk: Disk) -> Iterator[None]:
    """The disk is under its folder within."""
    _DISKS[str(disk.folder)] = disk
    try:
        yield
    finally:
        del _DISKS[str(disk.folder)]
