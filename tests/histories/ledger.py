"""What the daemon has committed, as anybody could have read it at any time: it may never change."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

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
    """`look` reads what is new; `compare` reads everything again. Both add to `wrong`."""

    records: list[Known] = field(default_factory=list)
    permits: dict[str, KnownPermit] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _latest: dict[tuple[str, int], KnownPermit] = field(default_factory=dict)

    def look(self, path: Path) -> None:
        """After a commit: what came is next in line, and each permit has one record."""
        with _reading(path) as connection:
            self._take(connection, self.records[-1].sequence if self.records else 0)
            self._take_permits(connection)

    def compare(self, path: Path) -> None:
        """After a start: everything that was committed is still there as it was."""
        with _reading(path) as connection:
            there = {record.sequence: record for record in _records(connection, 0)}
            for record in self.records:
                now = there.get(record.sequence)
                if now is None:
                    self.wrong.append(f"committed record {record.sequence} is lost")
                elif now != record:
                    self.wrong.append(f"committed record {record.sequence} was changed")
            states = {permit.id: permit.state for permit in _permits(connection)}
            for permit in self.permits.values():
                if permit.id not in states:
                    self.wrong.append(f"committed permit {permit.permit_no} is lost")
                elif permit.state != "pending" and states[permit.id] != permit.state:
                    self.wrong.append(f"permit {permit.permit_no} was resolved twice")
        self.look(path)

    def latest(self, rig: str, permit_no: int) -> KnownPermit | None:
        """The permit that a number names at a rig, the newest one."""
        return self._latest.get((rig, permit_no))

    def _take(self, connection: apsw.Connection, after: int) -> None:
        for record in _records(connection, after):
            expected = len(self.records) + 1
            if record.sequence != expected:
                self.wrong.append(f"record {record.sequence} came where {expected} was due")
            self.records.append(record)

    def _take_permits(self, connection: apsw.Connection) -> None:
        for permit in _permits(connection):
            before = self.permits.get(permit.id)
            if before == permit:
                continue
            if before is not None and before.state != "pending":
                self.wrong.append(f"permit {permit.permit_no} changed from {before.state}")
            self.permits[permit.id] = self._latest[permit.rig, permit.permit_no] = permit


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
