"""Chunks of a whole archive, on disk beside the store until all of them are there.

One snapshot at a time. Everything here blocks: call it in a thread. A chunk counts once its file is
on the disk under its name, so neither a cut nor a crash loses one, and none is half there.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gatewayd.errors import StoreError
from gatewayd.store.staging import require_disk

IDLE_S_MAX = 3_600
"""A snapshot of another platform for which nothing came so long gives way."""
RANGES_SHOWN_MAX = 50
"""Ranges of missing chunks in a reply."""
_ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class About:
    """Which snapshot lies here."""

    upstream: str
    snapshot_id: str
    source_version: int
    chunks: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """How many chunks are not here, and the first ranges of them, first and last."""

    count: int
    ranges: tuple[tuple[int, int], ...]


class Shelf:
    """The folder `<store>.snapshot`. `busy` while it is switched over: nothing else goes in."""

    def __init__(self, store: Path) -> None:
        self.folder = store.with_name(f"{store.name}.snapshot")
        self.busy = False

    def about(self) -> About | None:
        """What lies here; None = nothing that could be told."""
        try:
            said = json.loads((self.folder / _ABOUT).read_text(encoding="utf-8"))
            return About(**{**said, "columns": tuple(said["columns"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def idle_s(self, now_s: float) -> float:
        """For how long nothing has come; `now_s` is the time of files, since 1970."""
        try:
            return now_s - self.folder.stat().st_mtime
        except OSError:
            return float("inf")

    def begin(self, about: About) -> None:
        """Make room for this snapshot, unless it is the one that lies here. Raises StoreError."""
        if self.about() == about:
            return
        self.clear()
        try:
            self.folder.mkdir()
            self._write(_ABOUT, json.dumps(asdict(about)))
        except OSError as exc:
            raise StoreError(f"{self.folder}: cannot keep a snapshot: {exc.strerror}") from exc

    def put(self, chunk: int, rows: Sequence[Sequence[Any]]) -> None:
        """Keep the rows of a chunk, as SQLite takes them. Raises StoreError."""
        require_disk(self.folder)
        lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        try:
            self._write(_name(chunk), "\n".join(lines))
        except OSError as exc:
            raise StoreError(f"{self.folder}: cannot keep a chunk: {exc.strerror}") from exc

    def take(self, chunk: int) -> list[list[Any]]:
        """The rows of a chunk that is here. Raises StoreError."""
        path = self.folder / _name(chunk)
        try:
            with path.open(encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except (OSError, ValueError) as exc:
            raise StoreError(f"{path}: cannot be read back: {exc}") from exc

    def missing(self, chunks: int) -> Missing:
        """Which chunks are not here."""
        here = {path.name for path in self.folder.glob("*.rows")} if self.folder.exists() else set()
        gone = [number for number in range(1, chunks + 1) if _name(number) not in here]
        return Missing(len(gone), tuple(_ranges(gone))[:RANGES_SHOWN_MAX])

    def clear(self) -> None:
        """Throw it away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        """Whole or not at all, also over a power loss."""
        fresh = self.folder / f"{name}.new"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self.folder / name)


def _name(chunk: int) -> str:
    return f"{chunk:05}.rows"


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = 0
    for number in numbers:
        if number != last + 1 or not first:
            if first:
                yield first, last
            first = number
        last = number
    if first:
        yield first, last
