"""Records out of the pages of a damaged store, whatever its trees look like. Only reads.

A record is cut out of a leaf page as SQLite laid it out, or found in the bytes by how its text begins
and ends; its own hash then says whether it is one. Pages are those of the file and of its log. Layout:
https://www.sqlite.org/fileformat2.html, sections 1.5, 1.6, 2.1 and 4.1 (a log's frames).
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from gatewayd.store.links import Link, link
from gatewayd.store.model import Record

PAGE_BYTES = 4_096
"""What every store of ours has; a header that says otherwise is one more damage."""
_LEAF = 0x0D
_HEADER_BYTES = 8
_FILE_HEADER_BYTES = 100
_WAL_HEADER_BYTES = 32
_FRAME_BYTES = 24
_COLUMNS: Final = 8
_TEXT_MIN = 13
_BODY_BYTES_MAX = 16 * 1_048_576
"""No record is larger; a length above is damage."""
_LOCAL_MAX = PAGE_BYTES - 35
_LOCAL_MIN = (PAGE_BYTES - 12) * 32 // 255 - 23
_BEGIN, _END = b'{"data":', b'.v1"}'

Bytes = mmap.mmap | bytes


class _NotACellError(Exception):
    """These bytes are no row of records."""


@dataclass(slots=True)
class PageFile:
    """The bytes of a store and of its log. Use it in a `with`."""

    main: Bytes
    log: Bytes
    _frames: dict[int, int] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Look at the store at `path`; one piece of the two may be missing. Raises OSError."""
        stack = ExitStack()
        log = path.with_name(f"{path.name}-wal")
        main = b"" if log.exists() and not path.exists() else _mapped(stack, path)
        pages = cls(main, _mapped(stack, log) if log.exists() else b"", _open=stack)
        pages._frames.update((number, at) for number, at in pages._log_frames())
        return pages

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._open.close()

    def records(self) -> Iterator[tuple[Record, Link]]:
        """Every record that proves itself; the same one may come more than once."""
        for number in range(1, len(self.main) // PAGE_BYTES + 1):
            at = (number - 1) * PAGE_BYTES
            yield from self._of_page(self.main[at : at + PAGE_BYTES], first=number == 1)
        yield from self.log_records()

    def log_records(self) -> Iterator[tuple[Record, Link]]:
        """Those of `records` that are in the log."""
        for _, record, proof in self._log_commits(0):
            yield record, proof

    def commits_behind(self, frames: int, last: int, digest: str) -> int:
        """Commits in the log behind the first `frames` whose records go on from `last`, `digest`.

        SQLite reads no further than to the first frame that is torn. One commit there is the one that
        the power cut; with more than one, something that was durable is gone.
        """
        found: dict[int, tuple[int, Link]] = {}
        for commit, _, proof in self._log_commits(frames):
            found.setdefault(proof.sequence, (commit, proof))
        commits = set()
        while (known := found.get(last + 1)) is not None and known[1].prevhash == digest:
            commits.add(known[0])
            last, digest = known[1].sequence, known[1].hash
        return len(commits)

    def durable_behind(self, frames: int) -> int:
        """Ends of commits in one run of frames behind the first `frames`, the longest such run.

        Each frame's checksum goes on from the one before it. A power cut tears one commit, and what a
        failed one left behind does not go on from the next: a second end means that the first of the
        two was durable once.
        """
        most = ends = 0
        before: tuple[int, int] | None = None
        for at in (at - _FRAME_BYTES for _, at in self._log_frames() if at >= self._first(frames)):
            told = _words(self.log[at + 16 : at + _FRAME_BYTES], ">")
            ends = ends if before is not None and self._goes_on(at, before) == told else 0
            ends += self.log[at + 4 : at + 8] != bytes(4)
            most, before = max(most, ends), (told[0], told[1])
        return most

    def written_behind(self, frames: int) -> frozenset[int]:
        """The pages that frames of this round behind the first `frames` wrote, torn or not."""
        first = self._first(frames)
        return frozenset(number for number, at in self._log_frames() if at >= first)

    def _goes_on(self, at: int, before: tuple[int, int]) -> tuple[int, ...]:
        """The checksum of the frame at `at` behind a frame with that one (walformat, section 4.2)."""
        order = ">" if self.log[3] & 1 else "<"
        page = at + _FRAME_BYTES
        first, second = before
        words = _words(self.log[at : at + 8] + self.log[page : page + PAGE_BYTES], order)
        for one, other in zip(words[::2], words[1::2], strict=True):
            first = (first + one + second) & 0xFFFF_FFFF
            second = (second + other + first) & 0xFFFF_FFFF
        return first, second

    @staticmethod
    def _first(after_frames: int) -> int:
        """Where the page of the frame behind so many begins."""
        return _WAL_HEADER_BYTES + _FRAME_BYTES + after_frames * (_FRAME_BYTES + PAGE_BYTES)

    def _log_commits(self, after_frames: int) -> Iterator[tuple[int, Record, Link]]:
        """Every record in the log, and the number of the commit that wrote its page."""
        commit = 0
        for number, at in self._log_frames():
            if at < self._first(after_frames):
                continue
            for record, proof in self._of_page(self.log[at : at + PAGE_BYTES], first=number == 1):
                yield commit, record, proof
            commit += self.log[at - 20 : at - 16] != bytes(4)

    def _log_frames(self) -> Iterator[tuple[int, int]]:
        """Number and place of every page in the log that belongs to its present round."""
        salt = self.log[16:24]
        end = len(self.log) - _FRAME_BYTES - PAGE_BYTES
        for at in range(_WAL_HEADER_BYTES, end + 1, _FRAME_BYTES + PAGE_BYTES):
            if self.log[at + 8 : at + 16] == salt:
                yield int.from_bytes(self.log[at : at + 4], "big"), at + _FRAME_BYTES

    def _page(self, number: int) -> bytes:
        at = self._frames.get(number)
        if at is not None:
            return bytes(self.log[at : at + PAGE_BYTES])
        page = bytes(self.main[(number - 1) * PAGE_BYTES : number * PAGE_BYTES])
        if number < 1 or len(page) < PAGE_BYTES:
            raise _NotACellError(number)
        return page

    def _of_page(self, page: bytes, *, first: bool) -> Iterator[tuple[Record, Link]]:
        if _BEGIN not in page:
            return
        found = set()
        for at in _cells(page, _FILE_HEADER_BYTES if first else 0):
            try:
                body = self._body(page, at)
            except (_NotACellError, IndexError, ValueError):
                continue
            proof = link(body)
            if proof is not None:
                found.add(proof.sequence)
                yield _record(body, proof), proof
        for body in _carved(page):
            proof = link(body)
            if proof is not None and proof.sequence not in found:
                yield _record(body, proof), proof

    def _body(self, page: bytes, at: int) -> str:
        """The last column of the cell at `at`; raises when it is no row of records."""
        size, at = _varint(page, at)
        _, at = _varint(page, at)
        if not _COLUMNS < size <= _BODY_BYTES_MAX:
            raise _NotACellError(size)
        payload = self._payload(page, at, size)
        header, at = _varint(payload, 0)
        kinds = []
        while at < header:
            kind, at = _varint(payload, at)
            kinds.append(kind)
        if len(kinds) != _COLUMNS or kinds[0] != 0:
            raise _NotACellError(kinds)
        if any(kind < _TEXT_MIN or kind % 2 == 0 for kind in kinds[1:]):
            raise _NotACellError(kinds)
        body_bytes = (kinds[-1] - _TEXT_MIN) // 2
        return payload[len(payload) - body_bytes :].decode()

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        if size <= _LOCAL_MAX:
            return page[at : at + size]
        local = _LOCAL_MIN + (size - _LOCAL_MIN) % (PAGE_BYTES - 4)
        local = local if local <= _LOCAL_MAX else _LOCAL_MIN
        parts, left = [page[at : at + local]], size - local
        (number,) = struct.unpack(">I", page[at + local : at + local + 4].rjust(4, b"\0"))
        while left > 0:
            more = self._page(number)
            parts.append(more[4 : 4 + left])
            left -= PAGE_BYTES - 4
            number = int.from_bytes(more[:4], "big")
        return b"".join(parts)


def _words(data: bytes, order: str) -> tuple[int, ...]:
    return struct.unpack(f"{order}{len(data) // 4}I", data)


def _mapped(stack: ExitStack, path: Path) -> Bytes:
    file = stack.enter_context(path.open("rb"))
    if path.stat().st_size == 0:
        return b""
    return stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _cells(page: bytes, start: int) -> Iterator[int]:
    """Where a leaf page says that its rows are."""
    if page[start] != _LEAF:
        return
    pointers = start + _HEADER_BYTES
    count = min(int.from_bytes(page[start + 3 : start + 5], "big"), (PAGE_BYTES - pointers) // 2)
    for at in range(pointers, pointers + 2 * count, 2):
        place = int.from_bytes(page[at : at + 2], "big")
        if pointers < place < PAGE_BYTES:
            yield place


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for taken in range(8):
        byte = data[at + taken]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - the high bit says that more follows
            return value, at + taken + 1
    return value << 8 | data[at + 8], at + 9


def _carved(page: bytes) -> Iterator[str]:
    """Texts in the page that begin and end as a record does."""
    at = page.find(_BEGIN)
    while at >= 0:
        end = page.find(_END, at)
        if end < 0:
            return
        with suppress(UnicodeDecodeError):
            yield page[at : end + len(_END)].decode()
        at = page.find(_BEGIN, at + 1)


def _record(body: str, proof: Link) -> Record:
    return Record(proof.sequence, proof.id, proof.kind, proof.place, body)
