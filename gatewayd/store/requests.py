"""What platforms asked for, remembered with the reply, so that an id is carried out once.

Plain functions inside the writer's transaction, beside the effect that they belong to.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apsw

from gatewayd.store import rows, writes
from gatewayd.store.chain import Issuer
from gatewayd.store.model import RecordDraft

REQUESTS_KEPT_MAX = 10_000
"""Requests remembered; at the limit new ones are refused until old ones have expired."""
PRUNED_AT_ONCE_MAX = 100
"""Expired requests forgotten with each new one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """One request that was settled: what is answered, and until when its id is remembered (aware).

    `forget_before`: what was to be remembered until then may go; None = the clock is in doubt.
    """

    upstream: str
    id: str
    command: str
    reply: Mapping[str, Any]
    kept_until: datetime
    forget_before: datetime | None


@dataclass(frozen=True, slots=True)
class First:
    """What was replied to a request first; `answered`: the broker has taken that reply."""

    reply: Mapping[str, Any]
    answered: bool


def settle(
    connection: apsw.Connection,
    issuer: Issuer,
    settled: Settled,
    draft: RecordDraft | None,
) -> None:
    """Remember a request with its reply and its record; those that have expired are forgotten."""
    if draft is not None:
        writes.append(connection, draft, issuer)
    if settled.forget_before is not None:
        connection.execute(
            "DELETE FROM requests WHERE (upstream, id) IN (SELECT upstream, id FROM requests "
            "WHERE kept_until < ? ORDER BY kept_until LIMIT ?)",
            (rows.utc(settled.forget_before), PRUNED_AT_ONCE_MAX),
        )
    connection.execute(
        "INSERT INTO requests (upstream, id, command, kept_until, reply) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET command = excluded.command, kept_until = excluded.kept_until, "
        "reply = excluded.reply, answered = 0",
        (
            settled.upstream,
            settled.id,
            settled.command,
            rows.utc(settled.kept_until),
            json.dumps(settled.reply, ensure_ascii=False),
        ),
    )


def answered(connection: apsw.Connection, upstream: str, request_id: str) -> None:
    """The platform's broker has taken the reply."""
    connection.execute(
        "UPDATE requests SET answered = 1 WHERE upstream = ? AND id = ?", (upstream, request_id)
    )


def switched(
    connection: apsw.Connection, upstream: str, snapshot_id: str, *, source_version: int, at: str
) -> None:
    """A whole archive of an upstream is in force from now on."""
    connection.execute(
        "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
        (upstream, snapshot_id, source_version, at),
    )


class RequestReads(ABC):
    """Every method raises StoreError when the store cannot be read."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[rows.Row]:
        """The rows of a query."""

    def first_reply(self, upstream: str, request_id: str, wall: datetime | None) -> First | None:
        """What was replied to a request of an upstream; None: not remembered, or no longer."""
        sql = (
            "SELECT reply, answered FROM requests WHERE upstream = ?1 AND id = ?2 "
            "AND (?3 IS NULL OR kept_until >= ?3)"
        )
        at = None if wall is None else rows.utc(wall)
        found = self._rows(sql, (upstream, request_id, at))
        return First(json.loads(found[0][0]), bool(found[0][1])) if found else None

    def requests_kept(self, wall: datetime) -> int:
        """How many requests are remembered that may not be forgotten yet."""
        sql = "SELECT count(*) FROM requests WHERE kept_until >= ?"
        return int(self._rows(sql, (rows.utc(wall),))[0][0])

    def snapshot_version(self, upstream: str) -> int | None:
        """The version of the newest whole archive that an upstream gave; None = never one."""
        sql = "SELECT source_version FROM snapshots WHERE upstream = ?"
        found = self._rows(sql, (upstream,))
        return int(found[0][0]) if found else None
