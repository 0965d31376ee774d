"""Deletes records that are old enough and that every upstream has, a few at a time.

What stays whatever its age: the newest record, dead letters, records of alarms that stand. Where the
deleted ones ended is kept with its hash, so that the rest of the chain still proves itself.

A computer that starts with a clock that is years ahead looks as if years had passed: what is old is
told by a time that the records themselves have come to step by step.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw

from gatewayd.store import rows

RECORDS_A_SLICE = 100
"""Deleted in one transaction: a few milliseconds, between those of the rigs."""

LEAP_DAYS = 92
"""A station that records nothing for longer had its clock set, or its season was over."""
LEAP_RECORDS = 1_000
"""So many records must follow a leap before anything is old by it: more than a wrong clock collects
before somebody sees that every cylinder is overdue."""

_OLD = (
    "SELECT sequence, hash FROM records WHERE sequence > (SELECT sequence FROM pruned) "
    "ORDER BY sequence LIMIT ?"
)
IMPOSSIBLE_BEFORE = "2020-01-01"
"""No copy of this program is so old: a clock that lost its battery said so. Such a record is as old as
the next one with a time that can be."""

_TIME = (
    "SELECT strftime('%s', time) FROM records WHERE sequence >= ? AND time >= ? "
    "ORDER BY sequence LIMIT 1"
)
_DAY_S = 86_400
_NEWEST = (
    "SELECT seconds FROM (SELECT sequence, CAST(strftime('%s', time) AS INTEGER) AS seconds "
    "FROM records ORDER BY sequence DESC LIMIT ?) WHERE seconds IS NOT NULL ORDER BY sequence"
)
_FREE = (
    "SELECT sequence, id FROM records WHERE sequence <= (SELECT sequence FROM pruned) "
    "AND sequence NOT IN (SELECT sequence FROM dead_letters) "
    "AND id NOT IN (SELECT record_id FROM alarms WHERE cleared_at IS NULL) LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Records go that are `keep_days` older than `now`, once each of `upstreams` has them.

    `now` (aware) is the latest time that is believed; `upstreams` are those configured now. A leap
    is longer than `leap_days`.
    """

    now: datetime
    keep_days: int
    upstreams: Sequence[str]
    leap_days: int = LEAP_DAYS


def prune(connection: apsw.Connection, rule: Rule) -> int:
    """Delete one slice inside the writer's transaction; how many records went, 0 = nothing is due."""
    _move_mark(connection, rule)
    found = connection.execute(_FREE, (RECORDS_A_SLICE,)).fetchall()
    for sequence, record_id in found:
        connection.execute("DELETE FROM records WHERE sequence = ?", (sequence,))
        connection.execute(
            "DELETE FROM permits WHERE record_id = ? AND state <> 'pending'", (record_id,)
        )
    return len(found)


def _move_mark(connection: apsw.Connection, rule: Rule) -> None:
    """Move it over the next records that are due, at most a slice, never over the newest record."""
    if connection.execute(_FREE, (1,)).fetchone() is not None:
        return
    taken = _taken(connection, rule.upstreams)
    before = _come_to(connection, rule) - timedelta(days=rule.keep_days)
    last: int = connection.execute("SELECT max(sequence) FROM records").get or 0
    due = None
    found: list[Any] = connection.execute(_OLD, (RECORDS_A_SLICE,)).fetchall()
    for sequence, digest in found:
        made_s = connection.execute(_TIME, (sequence, IMPOSSIBLE_BEFORE)).get
        old = made_s is not None and int(made_s) < before.timestamp()
        if not old or sequence >= last or (taken is not None and sequence > taken):
            break
        due = (sequence, digest)
    if due is not None:
        connection.execute(
            "UPDATE pruned SET sequence = ?, hash = ?, upstreams = ?, pruned_at = ?",
            (*due, json.dumps(sorted(rule.upstreams)), rows.utc(before)),
        )


def _come_to(connection: apsw.Connection, rule: Rule) -> datetime:
    """The latest time, at most `now`, that the newest records have come to without a leap."""
    reached: int | None = None
    for (seconds,) in connection.execute(_NEWEST, (LEAP_RECORDS + 1,)):
        if reached is None or seconds - reached <= rule.leap_days * _DAY_S:
            reached = max(reached or seconds, seconds)
    return rule.now if reached is None else min(rule.now, datetime.fromtimestamp(reached, UTC))


def _taken(connection: apsw.Connection, upstreams: Sequence[str]) -> int | None:
    """Through where all of them have the records; None = there is nobody to wait for."""
    cursors = [
        connection.execute("SELECT sequence FROM cursors WHERE upstream = ?", (name,)).get or 0
        for name in upstreams
    ]
    return min(cursors, default=None)
