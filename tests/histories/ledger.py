"""What the daemon has committed, as anybody could have read it at any time: it may never change."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from gatewayd.store.salvage import RECORDS, salvage

PERMITS = "SELECT id, rig, permit_no, cylinder_code, state, record_id, judged, tare_g, limit_gross_g FROM permits"


@dataclass(frozen=True, slots=True)
class Known:
    """A committed record."""

    sequence: int
    id: str
    rig: str
    kind: str
    hash: str
    body: str

    @property
    def data(self) -> dict[str, Any]:
        """Its data part."""
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


@dataclass(frozen=True, slots=True)
class KnownPermit:
    """A committed permit; `state` as last seen."""

    id: str
    rig: str
    permit_no: int
    code: str
    state: str
    record_id: str
    decision: str
    tare_g: int
    limit_gross_g: int


@dataclass(slots=True)
class Ledger:
    """`look` reads what is new; `compare` reads everything again. Both add to `wrong`.

    `lost` are the sequences that a fresh store names as lost, `groups_lost` what else it did not take
    over, `gone` the ids of permits that went with that. `blind`: pages rot, and no start has looked.
    """

    records: list[Known] = field(default_factory=list)
    permits: dict[str, KnownPermit] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    groups_lost: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    blind: bool = False
    _ends: dict[int, int] = field(default_factory=dict)
    _latest: dict[tuple[str, int], KnownPermit] = field(default_factory=dict)

    def look(self, path: Path) -> None:
        """After a commit: what came is next in line, and each permit has one record."""
        try:
            with _reading(path) as connection:
                self._take(connection, self.records[-1].sequence if self.records else 0)
                self._take_permits(connection)
        except (apsw.Error, ValueError):
            if not self.blind:
                raise

    def compare(self, path: Path) -> None:
        """After a start: everything that was committed is still there as it was."""
        self.blind = False
        with _reading(path) as connection:
            there = {record.sequence: record for record in _records(connection, 0)}
            for record in self.records:
                now = there.get(record.sequence)
                if now is None and record.sequence not in self.lost:
                    self.wrong.append(f"committed record {record.sequence} is lost")
                elif now is not None and now != record:
                    self.wrong.append(f"committed record {record.sequence} was changed")
            states = {permit.id: permit.state for permit in _permits(connection)}
            for permit in self.permits.values():
                if permit.id not in states:
                    if permit.id not in self.gone:
                        self.wrong.append(f"committed permit {permit.permit_no} is lost")
                elif permit.state != "pending" and states[permit.id] != permit.state:
                    self.wrong.append(f"permit {permit.permit_no} was resolved twice")
        self.look(path)

    def put_aside(self, path: Path, aside: Path) -> None:
        """A fresh store took the place of a damaged one: what says it has lost, and is that true?"""
        with _reading(path) as connection:
            there = {record.sequence: record for record in _records(connection, 0)}
            gaps = list(connection.execute("SELECT from_sequence, sequence FROM gaps"))
        told = [r.data for r in there.values() if r.kind == "alarm"]
        told = [
            d for d in told if d["code"] == "store_damaged" and d["values"]["file"] == aside.name
        ]
        if not told:
            self.wrong.append(f"{aside.name} was put aside, and no alarm says so")
            return
        values = told[-1]["values"]
        self.groups_lost = {*values["not_taken_over"], *values["from_before_the_tear"]}
        self._ends = {int(first): int(last) for first, last in gaps}
        self.lost = {r.sequence for r in self.records if _within(r.sequence, self._ends)}
        data = aside.read_bytes()
        for record in self.records:
            if record.sequence in self.lost and record.body.encode() in data:
                self.wrong.append(f"record {record.sequence} was given up, though it can be read")
        self._settle(there)
        self._salvage(aside)

    def _settle(self, there: dict[int, Known]) -> None:
        """Permits that ended stay behind; of those that did not only a lost group may be missing."""
        ids = {record.id for record in there.values()}
        for permit in self.permits.values():
            ended = permit.state != "pending" or permit.record_id in ids
            if ended or "rigs" in self.groups_lost:
                self.gone.add(permit.id)

    def _salvage(self, aside: Path) -> None:
        """The tool for people finds nothing that was never committed, and tells what is missing."""
        with tempfile.TemporaryDirectory(dir=aside.parent) as name:
            found = salvage(aside, Path(name))
            bodies = (Path(name) / RECORDS).read_text("utf-8").splitlines()
        given = {json.loads(body)["sequence"]: body for body in bodies}
        missing = dict(found.missing)
        for record in self.records:
            body = given.get(record.sequence)
            if body is not None and body != record.body:
                self.wrong.append(f"record {record.sequence} is another one when salvaged")
            told = _within(record.sequence, missing) or record.sequence > found.last
            if body is None and not told and record.sequence not in found.spoilt:
                self.wrong.append(f"record {record.sequence} is missing from the salvage unsaid")

    def latest(self, rig: str, permit_no: int) -> KnownPermit | None:
        """The permit that a number names at a rig, the newest one."""
        return self._latest.get((rig, permit_no))

    def _take(self, connection: apsw.Connection, after: int) -> None:
        for record in _records(connection, after):
            expected = (self.records[-1].sequence if self.records else 0) + 1
            expected = max(
                (e + 1 for f, e in self._ends.items() if f <= expected <= e), default=expected
            )
            if record.sequence != expected and not self.blind:
                self.wrong.append(f"record {record.sequence} came where {expected} was due")
            self.records.append(record)

    def _take_permits(self, connection: apsw.Connection) -> None:
        for permit in _permits(connection):
            before = self.permits.get(permit.id)
            if before == permit:
                continue
            if self.blind and before is not None and before.state != "pending":
                continue
            if before is not None and before.state != "pending":
                self.wrong.append(f"permit {permit.permit_no} changed from {before.state}")
            self.permits[permit.id] = self._latest[permit.rig, permit.permit_no] = permit


def _within(sequence: int, ends: dict[int, int]) -> bool:
    return any(first <= sequence <= last for first, last in ends.items())


class _reading:  # noqa: N801 - reads as a with statement
    """A connection of its own, past the simulated disk's counters."""

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs="unix")

    def __enter__(self) -> apsw.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _records(connection: apsw.Connection, after: int) -> list[Known]:
    sql = "SELECT sequence, id, rig, kind, hash, body FROM records WHERE sequence > ? ORDER BY 1"
    return [Known(*row) for row in connection.execute(sql, (after,))]


def _permits(connection: apsw.Connection) -> list[KnownPermit]:
    found = []
    for row in connection.execute(f"{PERMITS} ORDER BY id"):
        id_, rig, number, code, state, record_id, judged, tare_g, limit_g = row
        decision = json.loads(judged)["verdict"]["decision"]
        found.append(
            KnownPermit(id_, rig, number, code, state, record_id, decision, tare_g, limit_g)
        )
    return found
