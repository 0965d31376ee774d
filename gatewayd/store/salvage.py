"""What can be read out of a damaged store, for a person: records by their own proof, and a report.

Nothing is written into any store: what upstreams have, they have, and what they lack a person sends.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import apsw

from gatewayd.errors import StoreError
from gatewayd.store import recover
from gatewayd.store.behind import lacks_its_log

RECORDS: Final = "records.jsonl"
SPOILT: Final = "spoilt.jsonl"
REPORT: Final = "report.json"
WRITTEN: Final = (RECORDS, SPOILT, REPORT)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a damaged store gave. Stretches are first and last sequence.

    `from_pages`: records that only a page still had. `unlinked` do not follow the record before them
    although that is there. `spoilt` are rows whose content is not what it was. `last_sure`: the store
    itself says that it ended at `last`. `lacks_log`: a copy of a running store has lost its newest
    records with it.
    """

    file: str
    records: int
    from_pages: int
    first: int
    last: int
    last_sure: bool
    missing: tuple[tuple[int, int], ...]
    unlinked: tuple[int, ...]
    spoilt: tuple[int, ...]
    lacks_log: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is missing and nothing was changed."""
        return self.last_sure and not (self.missing or self.unlinked or self.spoilt)

    @property
    def nothing(self) -> bool:
        """Whether nothing of a store was in the file, not even that it is an empty one."""
        return not (self.records or self.last or self.last_sure or self.spoilt)


def salvage(path: Path, out: Path | None) -> Salvaged:
    """Read the store at `path` and write what it gave into the folder `out`; None: only tell.

    The file is only read. Memory stays flat. Raises StoreError, also where an earlier one lies.
    """
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            _refuse_to_write_over(out)
        with _scratch(out) as scratch:
            lacks_log = lacks_its_log(path)
            _collect(path, scratch)
            found = _report(path, scratch, lacks_log=lacks_log)
            if out is not None:
                _write(found, scratch, out)
    except (apsw.Error, OSError) as exc:
        raise StoreError(f"{path}: cannot be salvaged: {exc}") from exc
    return found


def _refuse_to_write_over(out: Path) -> None:
    there = [name for name in WRITTEN if (out / name).exists()]
    if there:
        raise StoreError(f"{out / there[0]}: exists already; give another folder")


@contextmanager
def _scratch(out: Path | None) -> Iterator[apsw.Connection]:
    with (
        tempfile.TemporaryDirectory(dir=out, prefix=".salvage-") as folder,
        closing(apsw.Connection(f"{folder}/found.db")) as scratch,
    ):
        scratch.execute("PRAGMA journal_mode = OFF").fetchall()
        scratch.execute(
            "PRAGMA synchronous = OFF;"
            "CREATE TABLE found (sequence INTEGER PRIMARY KEY, prevhash, hash, from_page, body);"
            "CREATE TABLE spoilt (sequence INTEGER PRIMARY KEY, body);"
            "CREATE TABLE ended (last, sure)"
        )
        yield scratch


def _collect(path: Path, scratch: apsw.Connection) -> None:
    """Put every record into the scratch file, each once, and drop those that were never committed."""
    connection = recover.open_damaged(path)
    try:
        end = recover.highest(path, connection)
        scratch.execute("BEGIN")
        scratch.execute("INSERT INTO ended VALUES (?, ?)", (end.sequence, end.sure))

        def spoilt(sequence: int, body: str) -> None:
            scratch.execute("INSERT OR IGNORE INTO spoilt VALUES (?, ?)", (sequence, body))

        for found in recover.recover(path, connection, spoilt):
            proof = found.link
            scratch.execute(
                "INSERT OR IGNORE INTO found VALUES (?, ?, ?, ?, ?)",
                (proof.sequence, proof.prevhash, proof.hash, found.from_page, found.body),
            )
        scratch.execute(
            "DELETE FROM found WHERE from_page AND EXISTS (SELECT 1 FROM found AS next "
            "WHERE next.sequence = found.sequence + 1 AND next.prevhash <> found.hash);"
            "DELETE FROM spoilt WHERE sequence IN (SELECT sequence FROM found)"
        )
        scratch.execute("COMMIT")
    finally:
        if connection is not None:
            connection.close()


def _report(path: Path, scratch: apsw.Connection, *, lacks_log: bool) -> Salvaged:
    missing: list[tuple[int, int]] = []
    unlinked, before, digest = [], 0, ""
    for sequence, prevhash, own in scratch.execute(
        "SELECT sequence, prevhash, hash FROM found ORDER BY sequence"
    ):
        if sequence != before + 1:
            missing.append((before + 1, sequence - 1))
        elif digest and prevhash != digest:
            unlinked.append(int(sequence))
        before, digest = int(sequence), str(own)
    last, sure = scratch.execute("SELECT last, sure FROM ended").fetchone() or (0, 0)
    if last > before:
        missing.append((before + 1, int(last)))
    count, pages, first = scratch.execute(
        "SELECT count(*), coalesce(sum(from_page), 0), coalesce(min(sequence), 0) FROM found"
    ).fetchone() or (0, 0, 0)
    spoilt = tuple(int(row[0]) for row in scratch.execute("SELECT sequence FROM spoilt ORDER BY 1"))
    return Salvaged(
        path.name,
        int(count),
        int(pages),
        int(first),
        max(before, int(last)),
        bool(sure) and before <= int(last),
        tuple(missing),
        tuple(unlinked),
        spoilt,
        lacks_log=lacks_log,
    )


def _write(found: Salvaged, scratch: apsw.Connection, out: Path) -> None:
    with (out / RECORDS).open("w", encoding="utf-8") as file:
        for (body,) in scratch.execute("SELECT body FROM found ORDER BY sequence"):
            file.write(f"{body}\n")
    with (out / SPOILT).open("w", encoding="utf-8") as file:
        for sequence, body in scratch.execute("SELECT sequence, body FROM spoilt ORDER BY 1"):
            row = {"sequence": sequence, "body": body}
            file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
    text = json.dumps(as_json(found), ensure_ascii=False, indent=2)
    (out / REPORT).write_text(f"{text}\n", encoding="utf-8")


def as_json(found: Salvaged) -> dict[str, object]:
    """The report as JSON values."""
    return {"whole": found.whole, **asdict(found)}
