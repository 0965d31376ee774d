"""An alarm as others see it: the data of its records and its retained picture. Pure."""

import re
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any, Final, Literal
from urllib.parse import quote

from gatewayd.alarms.catalogue import KINDS
from gatewayd.alarms.kinds import Kind
from gatewayd.ids import new_id
from gatewayd.logs import logger
from gatewayd.store.model import RecordDraft, StoredAlarm
from gatewayd.store.passing import Passing
from gatewayd.texts import Text

Action = Literal["raised", "again", "cleared", "acknowledged"]

log = logger("alarms")

TOPIC: Final = "alarms/{}.{}"
NOT_IN_A_TOPIC: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/+#%]")
"""What a topic level may not have or what would mean something there; `%` so that it is one to one."""


def draft(
    alarm: StoredAlarm, action: Action, *, station_id: str, at: datetime, repeats: int = 0
) -> RecordDraft:
    """The record of what became of an alarm `at` a time.

    `repeats` is how often it was told since its last record. A raising's record has the id that the
    alarm names.
    """
    kind = KINDS[alarm.kind]
    raised = action in ("raised", "again")
    detail = f"{alarm.detail} (+{repeats})".strip() if repeats and raised else alarm.detail
    data = {
        "station_id": station_id,
        "rig_id": alarm.rig_id or None,
        "code": alarm.kind,
        "message": kind.message(),
        "detail": detail,
        "action": action,
        "subject": alarm.subject,
        **_common(alarm),
        "raised_at": _stamp(alarm.raised_at),
        "cleared_at": _stamp(alarm.cleared_at),
        "acknowledged": acknowledged(alarm),
    }
    record_id = alarm.record_id if raised else new_id()
    passing = _weighed(alarm) if action == "acknowledged" else None
    return RecordDraft(record_id, "alarm", alarm.rig_id, at, data, alarm=alarm, passing=passing)


def _weighed(alarm: StoredAlarm) -> Passing | None:
    """Who answers for an overfilled cylinder has taken the excess out; else it never left."""
    safe_g = alarm.values.get("safe_net_g")
    if alarm.kind != "overfilled" or not isinstance(safe_g, int):
        return None
    return Passing(alarm.subject, seen=False, at_most_g=safe_g)


def picture(alarm: StoredAlarm, zone: tzinfo, *, gone_at: datetime | None) -> dict[str, Any]:
    """The retained topic; `gone_at` is since when its cause is over although it still stands."""
    return {
        "kind": alarm.kind,
        "subject": alarm.subject,
        "rig": alarm.rig_id or None,
        **_common(alarm),
        "detail": alarm.detail,
        "since": _stamp(alarm.raised_at, zone),
        "gone_at": _stamp(gone_at, zone),
        "cleared_at": _stamp(alarm.cleared_at, zone),
        "acknowledged": acknowledged(alarm, zone),
    }


def _common(alarm: StoredAlarm) -> dict[str, Any]:
    kind = KINDS[alarm.kind]
    return {
        "severity": alarm.severity,
        "title": _both(kind.title),
        "cause": _both(kind.cause),
        "todo": _both(kind.todo),
        "values": dict(alarm.values),
        "count": alarm.count,
    }


def answer(alarm: StoredAlarm, *, by: str, note: str, at: datetime) -> StoredAlarm:
    """The alarm once a person has answered for it; what merely happened is over with that."""
    assert by, alarm
    over = None if KINDS[alarm.kind].lasts else at
    return replace(alarm, acknowledged_at=at, acknowledged_by=by, note=note, cleared_at=over)


def say(kind: Kind, subject: str, detail: str) -> None:
    """One log line each time it is told."""
    level = log.error if kind.severity == "critical" else log.warning
    level("alarm", code=kind.name, subject=subject, detail=detail)


def acknowledged(alarm: StoredAlarm, zone: tzinfo | None = None) -> dict[str, Any] | None:
    """Who has answered for it, when, with what note; None while nobody did."""
    if alarm.acknowledged_at is None:
        return None
    at = _stamp(alarm.acknowledged_at, zone)
    return {"by": alarm.acknowledged_by, "at": at, "note": alarm.note}


def topic(kind: str, subject: str) -> str:
    """Where an alarm is retained; a subject is a name of ours, or the code of a cylinder: any text."""
    return TOPIC.format(kind, NOT_IN_A_TOPIC.sub(lambda sign: quote(sign[0], safe=""), subject))


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _stamp(at: datetime | None, zone: tzinfo | None = None) -> str | None:
    if at is None:
        return None
    return at.astimezone(zone or at.tzinfo).isoformat(timespec="milliseconds")
