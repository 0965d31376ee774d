"""Files of records in a folder that may vanish at any moment. Blocks; called from one thread.

    {station}-{upstream}-{day}-{first sequence}.jsonl.part     being written
    {station}-{upstream}-{day}-{first sequence}.jsonl          finished, never touched again

What `append` returns from is on the disk: written, fsynced, and still reachable under its name.
What it raises from is taken back when the folder is opened again. Raises OSError and
UpstreamError.
"""

import contextlib
import errno
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatewayd.errors import UpstreamError
from gatewayd.logs import logger
from gatewayd.store.model import Record
from gatewayd.upstreams.files_lines import Format, day_of
from gatewayd.upstreams.pump import REPEATED_MAX

PART = ".part"
FOREIGN = ".foreign"
"""Added to the name of an unfinished file in which something else than records was found."""
TAIL_MAX = REPEATED_MAX
"""Ids read back at opening: as many as offers can have left behind unacknowledged."""
SAME_NAME_MAX = 1000
"""Files of one name that are kept side by side; a new store counts from 1 again."""

log = logger("upstreams")


@dataclass(slots=True)
class _Page:
    """The file being written: how long it is for sure, and the day it is for."""

    path: Path
    size: int
    day: str


class Book:
    """The files of one upstream in one folder. `open` first, and again after every failure."""

    def __init__(
        self, directory: Path, stem: str, format_: Format, *, bytes_max: int, removable: bool
    ) -> None:
        self._directory = directory
        self._stem = re.sub(r"[^A-Za-z0-9._-]", "_", stem)
        self._format = format_
        self._bytes_max = bytes_max
        self._removable = removable
        self._page: _Page | None = None
        self._there: frozenset[str] = frozenset()
        self._doubt: tuple[Path, int] | None = None
        name = rf"{re.escape(self._stem)}-(\d{{4}}-\d\d-\d\d)-(\d{{10,}})(?:-(\d+))?"
        self._name = re.compile(name + re.escape(format_.suffix) + rf"(?:{re.escape(PART)})?")

    def open(self) -> None:
        """Find out what is on the disk: take back what is in doubt, cut what was torn."""
        self._look()
        self._take_back()
        self._page, there = None, deque[str](maxlen=TAIL_MAX)
        for path in reversed(self._files()):
            ids, size = _tail(path, self._format) or ([], -1)
            if path.suffix == PART:
                self._mend(path, size, has_records=bool(ids))
            there.extendleft(reversed(ids))
            if len(there) == TAIL_MAX:
                break
        self._there = frozenset(there)

    def append(self, records: Sequence[Record], said: Mapping[int, str] | None = None) -> None:
        """Write records behind what is there, each once, and return when the disk has them.

        `said`: what is written of each, by sequence; the records themselves where it is None.
        """
        waiting: list[bytes] = []
        for record in records:
            if record.id in self._there:
                continue
            text = record.body if said is None else said[record.sequence]
            line, day = self._format.line(record, text), day_of(record)
            size = sum(map(len, waiting)) + len(line)
            page = self._page
            if page is None or page.day != day or page.size + size > self._bytes_max:
                self._write(waiting)
                waiting.clear()
                self._turn(day, record.sequence)
            waiting.append(line)
        self._write(waiting)

    # The folder

    def _look(self) -> None:
        try:
            device = self._directory.stat().st_dev
        except FileNotFoundError as exc:
            hint = "plug the stick in, or make the folder once"
            raise UpstreamError(f"no folder {self._directory}; {hint}") from exc
        if not self._directory.is_dir():
            raise UpstreamError(f"{self._directory} is no folder")
        if self._removable and device == Path("/").stat().st_dev:
            raise UpstreamError(f"{self._directory} is on the disk of /; plug the stick in")

    def _files(self) -> list[Path]:
        """Our files, the oldest first, the one being written last."""
        found = []
        for path in self._directory.iterdir():
            if match := self._name.fullmatch(path.name):
                day, sequence, again = match.groups()
                key = (path.suffix == PART, day, int(sequence), int(again or 0))
                found.append((key, path))
        return [path for _, path in sorted(found)]

    def _take_back(self) -> None:
        """Cut off what a failed write may have left: the kernel may show it, the disk lack it."""
        if self._doubt is None:
            return
        path, size = self._doubt
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > size:
                _cut(path, size)
        self._doubt = None

    def _mend(self, path: Path, size: int, *, has_records: bool) -> None:
        """Go on behind the last whole line of an unfinished file; finish all but the newest.

        One that is not ours (`size` below 0) is set aside as it is.
        """
        if size < 0:
            log.warning("upstream.files_foreign", file=str(path))
            path.rename(path.with_name(f"{path.name}{FOREIGN}"))
            return
        torn = path.stat().st_size - size
        if torn:
            log.warning("upstream.files_torn", file=str(path), bytes=torn)
        _cut(path, size)
        if not has_records:
            path.unlink()
        elif self._page is None:
            match = self._name.fullmatch(path.name)
            assert match is not None, path
            self._page = _Page(path, size, match[1])
        else:
            self._finish(path)
        _sync_folder(self._directory)

    # The file

    def _turn(self, day: str, sequence: int) -> None:
        """Finish the file and begin another."""
        self._look()
        if self._page is not None:
            self._finish(self._page.path)
            self._page = None
        path = self._free(f"{self._stem}-{day}-{sequence:010d}")
        path = path.with_name(path.name + PART)
        self._doubt = (path, 0)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with _opened(path, flags) as fd:
            _write_all(fd, self._format.header)
            os.fsync(fd)
        _sync_folder(self._directory)
        self._doubt = None
        self._page = _Page(path, len(self._format.header), day)

    def _finish(self, part: Path) -> None:
        """Give a whole file its final name."""
        stem = part.name.removesuffix(PART).removesuffix(self._format.suffix)
        part.rename(self._free(stem))
        _sync_folder(self._directory)

    def _free(self, stem: str) -> Path:
        """A final name that nothing has, so that nothing is ever written over."""
        for again in range(SAME_NAME_MAX):
            name = f"{stem}-{again}" if again else stem
            path = self._directory / f"{name}{self._format.suffix}"
            if not path.exists():
                return path
        raise UpstreamError(f"{self._directory} has {SAME_NAME_MAX} files {stem}; move them away")

    def _write(self, lines: Sequence[bytes]) -> None:
        page = self._page
        if not lines or page is None:
            return
        data = b"".join(lines)
        self._doubt = (page.path, page.size)
        with _opened(page.path, os.O_WRONLY | os.O_APPEND) as fd:
            before = os.fstat(fd)
            if before.st_size != page.size:
                self._doubt = None  # not by us: it stays, and is read again
                raise UpstreamError(f"{page.path} was changed by somebody else")
            _write_all(fd, data)
            os.fsync(fd)
            after = page.path.stat()
        if (after.st_dev, after.st_ino) != (before.st_dev, before.st_ino):
            raise UpstreamError(f"{self._directory} was pulled while writing")
        self._doubt = None
        page.size += len(data)


def _tail(path: Path, format_: Format) -> tuple[list[str], int] | None:
    """The ids of the last whole lines, in order, and how long the file is up to the last of them.

    None: it holds something else than lines of ours, more than one torn line can be.
    """
    at = len(format_.header)
    lines: deque[tuple[int, bytes]] = deque(maxlen=TAIL_MAX)
    count = 0
    with path.open("rb") as file:
        head = file.read(at)
        if head != format_.header:
            return ([], 0) if format_.header.startswith(head) else None
        for line in file:
            at += len(line)
            count += 1
            lines.append((at, line))
    whole = bool(lines) and lines[-1][1].endswith(b"\n")
    while lines and not (lines[-1][1].endswith(b"\n") and format_.id_of(lines[-1][1])):
        lines.pop()
    if not lines and (count > 1 or whole):
        return None
    ids = [format_.id_of(line) for _, line in lines]
    end = lines[-1][0] if lines else len(format_.header)
    return [each for each in ids if each is not None], end


def _cut(path: Path, size: int) -> None:
    with _opened(path, os.O_WRONLY) as fd:
        os.ftruncate(fd, size)
        os.fsync(fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)


def _sync_folder(directory: Path) -> None:
    """Make names last; a file system that knows no such thing says EINVAL."""
    with _opened(directory, os.O_RDONLY | os.O_DIRECTORY) as fd:
        try:
            os.fsync(fd)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
