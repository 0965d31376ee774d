"""What runs, kept for the next start and for commands beside the daemon: configuration and packs.

The configuration is a picture part by part (`settings.picture`), its secrets only fingerprints.
Packs are kept as text: one whose file goes bad still decides after a restart.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from gatewayd.store import rows

_WHOLE = ""
"""The part that tells of the whole picture: its salt and since when."""


@dataclass(frozen=True, slots=True)
class StoredPack:
    """One rule pack in force. `below` is the text of the one it extends and where that stood."""

    id: str
    version: str
    hash: str
    text: str
    origin: str
    below: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """The configuration that runs, or ran last. `since` is RFC 3339 in UTC, of its last change."""

    parts: Mapping[str, Mapping[str, Any]]
    salt: str
    since: str


class InForceReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def running(self) -> Running | None:
        """What runs, or ran last, on this store; None when nothing ever did."""
        found = {part: json.loads(value) for part, value in self._rows("SELECT * FROM running")}
        whole = found.pop(_WHOLE, None)
        return None if whole is None else Running(found, whole["salt"], whole["since"])

    def packs_in_force(self) -> tuple[StoredPack, ...]:
        """The rule packs that decide, or decided last, by id."""
        sql = "SELECT id, version, hash, text, origin, below, below_origin FROM packs ORDER BY id"
        return tuple(_pack(*row) for row in self._rows(sql))


def owned(path: Path) -> bool:
    """Whether a daemon runs on the store at `path` now; looked up, its lock is not touched."""
    try:
        inode = path.with_name(f"{path.name}.lock").stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any("FLOCK" in line and f":{inode} " in line for line in locks)


def _pack(*row: Any) -> StoredPack:
    name, version, digest, text, origin, below, below_origin = row
    pair = None if below is None else (below, below_origin)
    return StoredPack(name, version, digest, text, origin, pair)


def keep(connection: apsw.Connection, value: Running, packs: Sequence[StoredPack]) -> None:
    """Keep what runs from now on in the place of what ran before."""
    whole = {"salt": value.salt, "since": value.since}
    parts = {**value.parts, _WHOLE: whole}
    connection.execute("DELETE FROM running")
    connection.executemany(
        "INSERT INTO running VALUES (?, ?)",
        ((part, json.dumps(fields, ensure_ascii=False)) for part, fields in parts.items()),
    )
    connection.execute("DELETE FROM packs")
    connection.executemany(
        "INSERT INTO packs VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((p.id, p.version, p.hash, p.text, p.origin, *(p.below or (None, None))) for p in packs),
    )
